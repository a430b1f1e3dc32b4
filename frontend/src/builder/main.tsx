// The builder's page: reads description and draft, then shows the canvas, or says why it cannot.
import "@xyflow/react/dist/style.css";
import "./builder.css";
import "./overlay/overlay.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, lint, readDraft, readMetadata } from "./api.ts";
import { App } from "./App.tsx";
import { frame } from "./frame.ts";
import { lacksPlaces } from "./model/arranging.ts";
import { emptyHistory } from "./model/history.ts";
import { readDoc } from "./model/reading.ts";
import { drawable } from "./state/acting.ts";
import { startChecking } from "./state/checking.ts";
import { startSaving } from "./state/saving.ts";
import { begin, set } from "./state/store.ts";
import { gettext } from "./texts.ts";

const place = document.getElementById("builder");

async function start(root: HTMLElement): Promise<void> {
  const [metadata, draft] = await Promise.all([readMetadata(), readDraft()]);
  const read = readDoc(draft.definition, draft.layout);
  if (!read.doc) {
    return say(root, gettext("This draft cannot be drawn"), gettext("It has %(why)s. Correct it as JSON; then the builder opens it.", { why: gettext(read.wrong) }));
  }
  // Blocks without places are put in order by their exits, which the check tells.
  const facts = new Map(lacksPlaces(read.doc) ? Object.entries((await lint(read.doc.definition)).nodes) : []);
  const first = read.doc.definition.sections[0]?.id ?? "";
  begin({
    metadata, doc: read.doc, section: first, selected: new Set(), selectedEdges: new Set(), facts, problems: [], checked: false, panel: "section", field: "",
    history: emptyHistory(), save: draft.may_edit ? "saved" : "readonly", saveWords: "", draft, conflict: null, others: [], toast: null, search: false, help: false, publishing: false, pasting: false,
    adding: null, language: read.doc.definition.default_language ?? "en",
  });
  const doc = drawable(read.doc);
  set({ doc });
  createRoot(root).render(<StrictMode><App /></StrictMode>);
  startSaving(draft, doc);
  startChecking();
}

function say(root: HTMLElement, title: string, text: string): void {
  const box = document.createElement("section");
  box.className = "fb-broken db-card";
  const [head, words, link] = [document.createElement("h1"), document.createElement("p"), document.createElement("a")];
  head.textContent = title;
  words.textContent = text;
  link.className = "db-button db-primary";
  link.href = frame().urls["form"] ?? "/admin/";
  link.textContent = gettext("Open the JSON editor");
  box.append(head, words, link);
  root.replaceChildren(box);
}

if (place) {
  start(place).catch((error: unknown) => {
    const told = error instanceof ApiError && error.message ? error.message : gettext("The server did not answer. Reload the page in a moment.");
    say(place, gettext("The builder could not be opened"), told);
  });
}
