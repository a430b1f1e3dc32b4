// The Action Jail's page: rows of parameters and exits instead of JSON, and the testing section. The code editor comes from the built front end;
// without it the plain text field does the same. Events: "jail:wrong" {line, column, message} marks a line of the code.
(() => {
  "use strict";

  const holder = document.getElementById("jail-data");
  if (!holder) return;
  const page = JSON.parse(holder.textContent);
  const words = page.texts;
  const area = document.getElementById("id_code");
  const status = document.querySelector("[data-code-status]");

  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  // --- parameters and exits ---------------------------------------------------------------------------------------
  const COLUMNS = { params: ["name", "type", "required", "default", "help"], exits: ["name", "label"] };

  const field = (name, value) => {
    if (name === "type") {
      const select = make("select", { className: "db-input" }, ...page.types.map(([kind, label]) => make("option", { value: kind, textContent: label })));
      select.value = value || "text";
      return select;
    }
    if (name === "required") return make("input", { type: "checkbox", checked: Boolean(value) });
    const text = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return make("input", { className: "db-input", value: text });
  };

  const read = (input, type) => {
    if (input.type === "checkbox") return input.checked;
    const text = input.value.trim();
    if (!["list", "object", "any"].includes(type) || !text) return text;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };

  const rowsOf = (box, kind) => {
    const source = box.querySelector("textarea");
    if (!source) return null;
    const store = () => {
      const rows = [...list.children].map((row) => {
        const fields = Object.fromEntries(COLUMNS[kind].map((name) => [name, row.querySelector(`[data-field=${name}]`)]));
        return Object.fromEntries(COLUMNS[kind].map((name) => [name, read(fields[name], name === "default" ? fields.type.value : "text")]));
      });
      source.value = JSON.stringify(rows.filter((row) => row.name || row.help || row.label));
      source.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const add = (row = {}) => {
      const line = make("div", { className: "jail-row" });
      for (const name of COLUMNS[kind]) {
        const input = field(name, row[name]);
        input.dataset.field = name;
        line.append(make("label", { className: name === "required" ? "jail-narrow" : "" }, words[name], input));
      }
      const remove = make("button", { type: "button", className: "db-icon-button", ariaLabel: words.remove, title: words.remove },
        make("span", { className: "material-symbols-outlined", textContent: "delete" }));
      remove.addEventListener("click", () => { line.remove(); store(); });
      line.append(remove);
      list.append(line);
      return line;
    };
    const list = make("div");
    const more = make("button", { type: "button", className: "db-button db-plain", textContent: words.add });
    more.addEventListener("click", () => add().querySelector("input").focus());
    list.addEventListener("input", store);
    list.addEventListener("change", store);
    let rows = [];
    try {
      rows = JSON.parse(source.value || "[]");
    } catch {
      return null;
    }
    if (!Array.isArray(rows)) return null;
    rows.forEach(add);
    source.hidden = true;
    const drawn = source.closest(".db-editor");
    if (drawn) drawn.hidden = true;
    box.append(list, more);
    return { read: () => JSON.parse(source.value || "[]") };
  };

  const start = () => {
    const declared = {};
    for (const box of document.querySelectorAll("[data-rows]")) declared[box.dataset.rows] = rowsOf(box, box.dataset.rows);
    testing(() => Object.fromEntries(Object.entries(declared).map(([kind, rows]) => [kind, rows ? rows.read() : []])));
  };

  // --- the name in scenarios, from the name for people until somebody writes another ---------------------------------
  const naming = () => {
    const [name, key] = [document.getElementById("id_name"), document.getElementById("id_key")];
    if (!name || !key || key.tagName !== "INPUT" || key.value) return;
    let own = false;
    key.addEventListener("input", () => { own = Boolean(key.value); });
    name.addEventListener("input", () => {
      if (!own) key.value = name.value.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 60);
    });
  };

  // --- wrong lines ------------------------------------------------------------------------------------------------
  const wrong = (error) => {
    area.dispatchEvent(new CustomEvent("jail:wrong", { detail: error }));
    if (status) status.textContent = error && error.text ? error.text : "";
  };

  // --- testing ----------------------------------------------------------------------------------------------------
  const post = async (url, body) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(url, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    });
    return answer.json().catch(() => ({ error: { text: answer.statusText, line: 0 } }));
  };

  const json = (id, empty) => {
    const text = document.getElementById(id).value.trim();
    if (!text) return empty;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`${words.wrong_json} ${error.message}`);
    }
  };

  const testing = (declared) => {
    const section = document.querySelector("[data-testing]");
    if (!section) return;
    const out = section.querySelector("[data-outcome]");
    const keep = section.querySelector("[data-keep]");
    const run = section.querySelector("[data-run]");
    let last = null;

    const sample = () => ({
      code: area.value, declared: declared(), given: { ...json("jail-world", {}), params: json("jail-params", {}) }, mocks: json("jail-mocks", []),
    });

    const part = (title, content) => [make("p", { className: "db-label", textContent: title }), content];
    const block = (value) => make("pre", { className: "db-code", textContent: typeof value === "string" ? value : JSON.stringify(value, null, 2) });

    const show = (told) => {
      const parts = [];
      if (told.error) parts.push(make("div", { className: "db-note db-bad", textContent: told.error.text }));
      if (told.exit) parts.push(make("p", {}, `${words.exit}: `, make("span", { className: `db-badge ${told.error ? "db-bad" : "db-ok"}`, textContent: told.exit })));
      if (!told.error) parts.push(...part(words.result, block(told.value === undefined ? null : told.value)));
      if (told.logs && told.logs.length) parts.push(...part(words.logs, block(told.logs.join("\n"))));
      if (told.asked && told.asked.length) {
        const lines = told.asked.map((row) => `${row.what} ${row.shown.method || row.shown.verb || ""} ${row.shown.url || row.shown.table || ""} → ${row.error || JSON.stringify(row.answer)} (${row.ms} ms)`);
        parts.push(...part(words.calls, block(lines.join("\n"))));
      }
      if (told.writes && told.writes.length) parts.push(...part(words.writes, block(told.writes.map((row) => `${row.kind} ${JSON.stringify(row.data)}`).join("\n"))));
      if (told.ms !== undefined) parts.push(make("p", { className: "db-hint", textContent: `${told.ms} ms · ${words.computing} ${told.cpu_ms} ms · ${words.memory} ${told.memory_kb} kB` }));
      out.replaceChildren(...parts);
    };

    const act = async (button, work) => {
      button.disabled = true;
      try {
        await work();
      } catch (error) {
        show({ error: { text: error.message } });
      }
      button.disabled = false;
    };

    run.addEventListener("click", () => act(run, async () => {
      out.replaceChildren(make("p", { className: "db-empty", textContent: words.running }));
      last = null;
      const asked = sample();
      const told = await post(page.urls.try, { ...asked, live: document.getElementById("jail-live").checked });
      show(told);
      wrong(told.error && told.error.line ? told.error : null);
      if (told.exit) last = { ...asked, expected_exit: told.exit, expected: told.error ? null : told.value };
      keep.disabled = !last;
    }));

    keep.addEventListener("click", () => act(keep, async () => {
      const told = await post(page.urls.cases, { ...last, name: document.getElementById("jail-case").value });
      if (told.error) show(told);
      else location.reload();
    }));

    section.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-forget]");
      if (!button) return;
      await post(page.urls.cases, { delete: Number(button.dataset.forget) });
      button.closest("li").remove();
    });
  };

  naming();
  start();
})();
