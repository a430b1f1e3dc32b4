// The scenario's page: checks what stands in the editor, shows problems and outline beside it, jumps to their lines, inserts blocks.
(() => {
  "use strict";

  const bench = document.querySelector("[data-workbench]");
  if (!bench) return;
  const area = bench.querySelector("textarea[data-json-editor]");
  const problems = bench.querySelector("[data-problems]");
  const outline = bench.querySelector("[data-outline]");
  const counter = bench.querySelector("[data-problem-count]");
  let editor = null;
  let timer = 0;
  let asked = 0;

  const markProblems = () => {
    const marks = new Map();
    for (const item of problems.querySelectorAll("[data-node]")) {
      const line = editor.lineOfNode(item.dataset.section, item.dataset.node, item.dataset.field);
      if (!line || (marks.has(line) && marks.get(line)[0] === "bad")) continue;
      marks.set(line, [item.dataset.level === "error" ? "bad" : "warn", item.textContent.trim()]);
    }
    editor.mark(marks);
    const count = problems.querySelectorAll("[data-level]").length;
    counter.textContent = count ? String(count) : "";
    counter.hidden = !count;
  };

  const check = async () => {
    if (editor.error) return;
    asked += 1;
    const mine = asked;
    const body = new FormData();
    body.append("draft", area.value);
    body.append("csrfmiddlewaretoken", area.form.querySelector("[name=csrfmiddlewaretoken]").value);
    let answer;
    try {
      answer = await fetch(bench.dataset.checkUrl, { method: "POST", body, credentials: "same-origin" });
    } catch {
      return;
    }
    if (mine !== asked || !answer.ok) return;
    const found = await answer.json();
    problems.innerHTML = found.problems;
    outline.innerHTML = found.outline;
    markProblems();
  };

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(check, 900);
  };

  const begin = (found) => {
    editor = found;
    editor.button("checklist", bench.dataset.checkLabel, () => {
      check();
      window.dialogBus.chooseTab(document.getElementById("tab-problems"));
    });
    area.addEventListener("input", later);
    requestAnimationFrame(markProblems);
  };

  bench.addEventListener("click", (event) => {
    const jump = event.target.closest("[data-node]");
    if (jump) {
      const line = editor.lineOfNode(jump.dataset.section, jump.dataset.node, jump.dataset.field);
      if (line) editor.goto(line);
      return;
    }
    const insert = event.target.closest("[data-insert]");
    if (insert) {
      const before = area.value.slice(0, area.selectionStart);
      const margin = /[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
      editor.type(insert.dataset.insert.split("\n").join(`\n${margin}`));
    }
  });

  if (area.editor) begin(area.editor);
  else area.addEventListener("dialogbus:editor", (event) => begin(event.detail), { once: true });
})();
