// The keyboard of the page. While somebody writes in a field only the keys of the whole page count.
import { arrange, chooseAll, copyChosen, duplicateChosen, nudgeChosen, pasteText, removeChosen } from "./acting.ts";
import { choose, showSection } from "./choosing.ts";
import { saveNow } from "./saving.ts";
import { get, redo, set, undo } from "./store.ts";
import type { Place } from "../model/types.ts";

const WAYS: Record<string, Place> = { ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 }, ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 } };

type Seen = { center: () => Place; fit: () => void };

const isWriting = (target: EventTarget | null): boolean => target instanceof HTMLElement && Boolean(target.closest("input,textarea,select,[contenteditable=true]"));
const inDialog = (): boolean => document.querySelector("dialog[open]") !== null;

export function startKeys(seen: Seen): () => void {
  const down = (event: KeyboardEvent): void => {
    const control = event.ctrlKey || event.metaKey;
    if (inDialog()) return;
    if (control && !event.altKey && everywhere(event)) return;
    if (isWriting(event.target)) {
      if (event.key === "Escape" && !document.querySelector(".cm-tooltip-autocomplete")) focusCanvas();
      return;
    }
    onCanvas(event, control, seen);
  };
  const copy = (event: ClipboardEvent): void => {
    if (isWriting(event.target) || inDialog() || !get().selected.size || window.getSelection()?.toString()) return;
    event.preventDefault();
    event.clipboardData?.setData("text/plain", copyChosen());
    if (event.type === "cut" && get().save !== "readonly") removeChosen();
  };
  const paste = (event: ClipboardEvent): void => {
    if (isWriting(event.target) || inDialog() || get().save === "readonly") return;
    event.preventDefault();
    pasteText(event.clipboardData?.getData("text/plain") ?? "", seen.center());
  };
  // Before the canvas, so that Enter finds the choice as it was.
  document.addEventListener("keydown", down, true);
  document.addEventListener("copy", copy);
  document.addEventListener("cut", copy);
  document.addEventListener("paste", paste);
  return () => {
    document.removeEventListener("keydown", down, true);
    document.removeEventListener("copy", copy);
    document.removeEventListener("cut", copy);
    document.removeEventListener("paste", paste);
  };
}

/** Keys that count in fields too. */
function everywhere(event: KeyboardEvent): boolean {
  const act = { z: event.shiftKey ? redo : undo, y: redo, s: () => void saveNow(), f: () => set({ search: true }) }[event.key.toLowerCase()];
  if (!act) return false;
  event.preventDefault();
  act();
  return true;
}

function onCanvas(event: KeyboardEvent, control: boolean, seen: Seen): void {
  const { selected } = get();
  const locked = get().save === "readonly";
  const act = (() => {
    if (control) return { a: chooseAll, d: locked ? () => undefined : duplicateChosen }[event.key.toLowerCase()];
    const way = WAYS[event.key];
    if (way && !event.altKey && selected.size && !locked) return () => nudgeChosen(way, event.shiftKey ? 50 : 10);
    if (event.altKey) return { ArrowUp: () => step(-1), ArrowDown: () => step(1) }[event.key];
    if (event.shiftKey && event.code === "Digit1") return seen.fit;
    if (event.shiftKey && event.key.toLowerCase() === "l") return locked ? undefined : arrange;
    const plain: Record<string, (() => void) | undefined> = {
      Delete: locked ? undefined : removeChosen, Backspace: locked ? undefined : removeChosen, Escape: () => choose([], get().panel === "block" ? "section" : get().panel),
      "/": () => document.getElementById("fb-palette-search")?.focus(), "?": () => set({ help: true }), F2: () => document.getElementById("fb-title")?.focus(),
      Enter: selected.size === 1 && event.target instanceof HTMLElement && selected.has(event.target.closest<HTMLElement>(".react-flow__node")?.dataset["id"] ?? "") ? () => document.getElementById("fb-title")?.focus() : undefined,
    };
    return plain[event.key];
  })();
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}

function step(by: number): void {
  const { doc, section } = get();
  const sections = doc.definition.sections;
  const next = sections[sections.findIndex((found) => found.id === section) + by];
  if (next) showSection(next.id);
}

function focusCanvas(): void {
  const id = [...get().selected][0];
  const node = id ? document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`) : null;
  if (node) node.focus();
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
