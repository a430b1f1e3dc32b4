// Where the visitor writes, picks files, and answers with the buttons of a reply keyboard.

import { element } from "./message.js";

const MAX_BYTES = 20 * 1024 * 1024;
const TYPING_EVERY_MS = 4000;

export class Composer {
  // `text(value)`, `file(file)`, `tooLarge(file)`, `typing()`, `press(button, entry)`, `phone(value)`, `location()`
  constructor(texts, storage, handlers) {
    this.texts = texts;
    this.storage = storage;
    this.handlers = handlers;
    for (const id of ["composer", "text", "send", "attach", "file", "keyboard", "drop"]) this[id] = document.getElementById(id);
    this.composer.addEventListener("submit", (event) => this.#submit(event));
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.text.addEventListener("input", () => this.#written());
    this.attach.addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => this.#files([...this.file.files]));
    this.text.addEventListener("paste", (event) => this.#pasted(event));
    this.#acceptDrops();
    this.text.disabled = false; // before, Enter would have sent nothing
    this.restore();
  }

  // What was being written when the page was left.
  restore() {
    this.text.value ||= this.storage.get("draft") ?? "";
    this.#fit();
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  // Shows the reply keyboard of this entry, or none.
  keyboardOf(entry) {
    const key = entry ? entry.id : "";
    if (this.shown === key) return;
    this.shown = key;
    this.keyboard.replaceChildren(...(entry ? entry.buttons.map((row) => element("div", "row", ...row.map((button) => this.#reply(button, entry)))) : []));
    this.keyboard.hidden = !entry;
  }

  #reply(button, entry) {
    if (button.kind === "contact") return this.#phone(button);
    const made = element("button", "button", button.label);
    made.type = "button";
    made.addEventListener("click", () => (button.kind === "location" ? this.handlers.location() : this.handlers.press(button, entry)));
    return made;
  }

  #phone(button) {
    const input = element("input", "");
    Object.assign(input, { type: "tel", name: "phone", autocomplete: "tel", placeholder: "+380…", required: true, ariaLabel: this.texts.phone });
    input.pattern = "\\+?[0-9][0-9 \\(\\)\\.\\-]{5,24}";
    const send = element("button", "button", button.label || this.texts.phone_send);
    const form = element("form", "phone", input, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.handlers.phone(input.value);
    });
    return form;
  }

  #submit(event) {
    event.preventDefault();
    const value = this.text.value.trim();
    if (!value) return;
    this.handlers.text(value);
    this.text.value = "";
    this.#written();
    this.focus();
  }

  // Enter sends, Shift+Enter makes a new line; an input method that is still composing keeps its Enter.
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.composer.requestSubmit();
  }

  #written() {
    this.#fit();
    this.storage.set("draft", this.text.value || null);
    if (this.text.value && Date.now() - (this.typedAt ?? 0) > TYPING_EVERY_MS) {
      this.typedAt = Date.now();
      this.handlers.typing();
    }
    if (!this.text.value) this.typedAt = 0;
  }

  #fit() {
    this.send.disabled = !this.text.value.trim();
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 132)}px`;
  }

  #files(files) {
    for (const file of files) file.size > MAX_BYTES ? this.handlers.tooLarge(file) : this.handlers.file(file);
    this.file.value = "";
    this.focus();
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.#files(files);
  }

  #acceptDrops() {
    let depth = 0;
    const show = (change) => {
      depth = Math.max(0, depth + change);
      this.drop.hidden = !depth;
    };
    addEventListener("dragenter", (event) => event.dataTransfer?.types.includes("Files") && show(1));
    addEventListener("dragleave", () => show(-1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      show(-depth);
      this.#files([...(event.dataTransfer?.files ?? [])]);
    });
  }
}
