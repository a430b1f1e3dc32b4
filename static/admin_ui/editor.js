// A JSON editor over a plain textarea: line numbers, colours, indenting, the place of an error, jumping to a block.
// The textarea stays the form's field, so that everything works (plainly) without this script.
(() => {
  "use strict";

  const PAINT_LIMIT = 250000;
  const words = (text) => (window.gettext ? window.gettext(text) : text);

  class JsonError extends Error {
    constructor(message, at) {
      super(message);
      this.at = at;
    }
  }

  // Reads JSON and notes where each value begins: places.get("/sections/0/nodes/2") is an offset.
  const read = (text) => {
    let at = 0;
    const places = new Map();
    const fail = (message, where = at) => { throw new JsonError(words(message), where); };
    const space = () => { while (/[\s\uFEFF]/.test(text[at] || "x")) at += 1; };

    const string = () => {
      const begin = at;
      at += 1;
      while (at < text.length && text[at] !== '"') {
        if (text[at] === "\n") fail("The text is not closed: a “\"” is missing.", begin);
        at += text[at] === "\\" ? 2 : 1;
      }
      if (at >= text.length) fail("The text is not closed: a “\"” is missing.", begin);
      at += 1;
      try {
        return JSON.parse(text.slice(begin, at));
      } catch {
        return fail("This text holds a character that JSON does not allow.", begin);
      }
    };

    const members = (path, close, one) => {
      at += 1;
      space();
      if (text[at] === close) { at += 1; return; }
      for (;;) {
        one();
        space();
        if (text[at] === close) { at += 1; return; }
        if (text[at] !== ",") fail(close === "}" ? "A “,” or “}” is missing here." : "A “,” or “]” is missing here.");
        const comma = at;
        at += 1;
        space();
        if (text[at] === close) fail("Remove this comma: nothing follows it.", comma);
      }
    };

    const value = (path) => {
      space();
      places.set(path, at);
      const char = text[at];
      if (char === "{") {
        const found = {};
        members(path, "}", () => {
          space();
          if (text[at] !== '"') fail("A name in “\"” is expected here.");
          const begin = at;
          const name = string();
          if (Object.hasOwn(found, name)) fail("This name stands here twice.", begin);
          space();
          if (text[at] !== ":") fail("A “:” is missing after the name.");
          at += 1;
          found[name] = value(`${path}/${name}`);
        });
        return found;
      }
      if (char === "[") {
        const found = [];
        members(path, "]", () => found.push(value(`${path}/${found.length}`)));
        return found;
      }
      if (char === '"') return string();
      const plain = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/.exec(text.slice(at, at + 40));
      if (!plain) fail(char === undefined ? "Something is missing at the end." : "A value is expected here.");
      at += plain[0].length;
      return JSON.parse(plain[0]);
    };

    const found = value("");
    space();
    if (at < text.length) fail("There is something behind the end.");
    return { value: found, places };
  };

  const lineOf = (text, offset) => {
    let line = 1;
    for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
    return line;
  };

  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

  const paint = (text) => {
    const token = /("(?:\\.|[^"\\\n])*"?)(\s*:)?|(-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)|\b(true|false|null)\b/g;
    let html = "";
    let last = 0;
    for (const found of text.matchAll(token)) {
      html += escape(text.slice(last, found.index));
      if (found[1]) html += `<span class="${found[2] ? "k" : "s"}">${escape(found[1])}</span>${found[2] || ""}`;
      else html += `<span class="${found[3] ? "n" : "b"}">${found[0]}</span>`;
      last = found.index + found[0].length;
    }
    return `${html}${escape(text.slice(last))}\n`;
  };

  class Editor {
    constructor(area) {
      this.area = area;
      this.marks = new Map();
      this.build();
      this.refresh();
      area.dispatchEvent(new CustomEvent("dialogbus:editor", { bubbles: true, detail: this }));
    }

    build() {
      const area = this.area;
      const box = document.createElement("div");
      box.className = `db-editor${area.dataset.jsonEditor === "small" ? " db-small" : ""}`;
      box.innerHTML = '<div class="db-editor-bar"></div><div class="db-editor-body"><div class="db-gutter" aria-hidden="true"></div>'
        + '<div class="db-stack"><pre class="db-paint" aria-hidden="true"></pre></div></div><div class="db-editor-foot" role="status"></div>';
      area.before(box);
      area.className = "";
      area.spellcheck = false;
      area.setAttribute("autocomplete", "off");
      area.setAttribute("autocapitalize", "off");
      area.setAttribute("wrap", "off");
      [this.bar, this.gutter, this.stack, this.paint, this.foot] = [".db-editor-bar", ".db-gutter", ".db-stack", ".db-paint", ".db-editor-foot"]
        .map((name) => box.querySelector(name));
      this.box = box;
      this.stack.append(area);
      this.button("format_align_left", words("Format"), () => this.format());
      const hint = document.createElement("span");
      hint.className = "db-hint";
      hint.textContent = words("Tab indents; Esc, then Tab leaves the editor.");
      this.bar.append(hint);
      area.addEventListener("input", () => this.refresh());
      area.addEventListener("scroll", () => this.follow());
      area.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.follow()).observe(this.stack);
    }

    button(icon, label, work) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "db-button db-plain";
      button.innerHTML = '<span class="material-symbols-outlined" aria-hidden="true"></span>';
      button.firstChild.textContent = icon;
      button.append(label);
      button.addEventListener("click", work);
      this.bar.prepend(button);
      return button;
    }

    get text() { return this.area.value; }

    // Typed in by the browser itself, so that undo knows of it.
    type(text) {
      this.area.focus();
      if (!document.execCommand("insertText", false, text)) {
        this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
        this.area.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }

    replace(text) {
      this.area.select();
      this.type(text);
    }

    refresh() {
      if (this.waiting) return;
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        const text = this.text;
        const flat = text.length > PAINT_LIMIT;
        this.box.classList.toggle("db-flat", flat);
        this.paint.innerHTML = flat ? "" : paint(text);
        this.judge(text);
        this.number(text);
        this.follow();
      });
    }

    judge(text) {
      this.error = null;
      this.places = null;
      try {
        const found = read(text.trim() ? text : "{}");
        this.value = found.value;
        this.places = found.places;
        this.say(words("Valid JSON"), false);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        const line = lineOf(text, error.at);
        this.error = { line, message: error.message };
        this.say(`${words("Line")} ${line}: ${error.message}`, true);
      }
    }

    say(text, bad) {
      this.foot.textContent = text;
      this.foot.classList.toggle("db-bad", bad);
    }

    number(text) {
      const count = text.split("\n").length;
      const marks = new Map(this.marks);
      if (this.error) marks.set(this.error.line, ["bad", this.error.message]);
      const key = `${count}:${[...marks].join()}`;
      if (key === this.numbered) return;
      this.numbered = key;
      const lines = document.createDocumentFragment();
      for (let line = 1; line <= count; line += 1) {
        const item = document.createElement("span");
        item.textContent = line;
        if (marks.has(line)) {
          item.className = `db-${marks.get(line)[0]}`;
          item.title = marks.get(line)[1];
        }
        lines.append(item);
      }
      this.gutter.replaceChildren(lines);
    }

    follow() {
      const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.area;
      this.paint.style.height = `${clientHeight}px`;
      this.paint.style.width = `${clientWidth}px`;
      this.paint.scrollTop = scrollTop;
      this.paint.scrollLeft = scrollLeft;
      this.gutter.scrollTop = scrollTop;
    }

    key(event) {
      const { area } = this;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
        event.preventDefault();
        const form = area.form;
        form.requestSubmit(document.querySelector(`[name=_continue][form="${form.id}"]`) || form.querySelector("[name=_continue]") || undefined);
        return;
      }
      if (event.key === "Escape") { this.leaving = true; return; }
      if (event.key === "Tab" && !this.leaving) { event.preventDefault(); this.indent(event.shiftKey); return; }
      if (event.key !== "Shift") this.leaving = false;
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        const before = area.value.slice(0, area.selectionStart);
        const margin = /[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
        const opens = /[[{]\s*$/.test(before);
        const closes = /^\s*[\]}]/.test(area.value.slice(area.selectionEnd).split("\n")[0]);
        this.type(`\n${margin}${opens ? "  " : ""}`);
        if (opens && closes) {
          const here = area.selectionStart;
          this.type(`\n${margin}`);
          area.setSelectionRange(here, here);
        }
      }
    }

    indent(back) {
      const { area } = this;
      const { value, selectionStart: start, selectionEnd: end } = area;
      if (start === end && !back) { this.type("  "); return; }
      const first = value.lastIndexOf("\n", start - 1) + 1;
      const last = value.indexOf("\n", Math.max(end - 1, first));
      const stop = last === -1 ? value.length : last;
      const lines = value.slice(first, stop).split("\n").map((line) => (back ? line.replace(/^ {1,2}|^\t/, "") : `  ${line}`));
      area.setSelectionRange(first, stop);
      this.type(lines.join("\n"));
      area.setSelectionRange(first, first + lines.join("\n").length);
    }

    format() {
      if (this.error) { this.goto(this.error.line); return; }
      this.replace(JSON.stringify(this.value, null, 2));
      this.area.setSelectionRange(0, 0);
      this.area.scrollTop = 0;
    }

    goto(line) {
      const lines = this.text.split("\n");
      const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      this.area.focus();
      this.area.setSelectionRange(start, start + (lines[line - 1] || "").length);
      const height = parseFloat(getComputedStyle(this.area).lineHeight);
      this.area.scrollTop = Math.max(0, (line - 4) * height);
      this.follow();
    }

    // The line of a block of a scenario, or of a parameter of it ("params.text"); of a section when `node` is "".
    lineOfNode(section, node, field) {
      if (!this.places || !this.value) return 0;
      const sections = this.value.sections || [];
      for (let s = 0; s < sections.length; s += 1) {
        if (!node && sections[s].id === section) return this.lineOfPath(`/sections/${s}`, field);
        const nodes = sections[s].nodes || [];
        for (let n = 0; n < nodes.length; n += 1) {
          if (node && nodes[n].id === node) return this.lineOfPath(`/sections/${s}/nodes/${n}`, field);
        }
      }
      return node || section ? 0 : this.lineOfPath("", field);
    }

    lineOfPath(path, field) {
      let best = path;
      for (const name of (field || "").split(".").filter(Boolean)) {
        if (!this.places.has(`${best}/${name}`)) break;
        best = `${best}/${name}`;
      }
      return lineOf(this.text, this.places.get(best) ?? 0);
    }

    mark(marks) {
      this.marks = marks;
      this.numbered = "";
      this.number(this.text);
    }
  }

  const start = () => {
    for (const area of document.querySelectorAll("textarea[data-json-editor]")) {
      if (!area.editor) area.editor = new Editor(area);
    }
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
