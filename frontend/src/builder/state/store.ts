// The page's state: one object that is replaced, never changed; components read parts of it by `useBuilder`.
import { useSyncExternalStore } from "react";
import type { Conflict, Other } from "../../api/types.ts";
import { emptyHistory, redone, remembered, undone, type History } from "../model/history.ts";
import type { Facts } from "../model/names.ts";
import type { Clash } from "../model/merging.ts";
import type { BuilderMetadata, Doc, Draft, Problem } from "../model/types.ts";

export type SaveState = "saved" | "unsaved" | "saving" | "offline" | "conflict" | "refused" | "readonly";
export type Panel = "block" | "problems" | "scenario" | "section";
/** `old` is what both documents grew out of; `told` says in words who has changed what. */
export type ConflictState = { old: Doc; theirs: Draft; theirDoc: Doc; clashes: Clash[]; told: Conflict };

export type State = {
  metadata: BuilderMetadata;
  doc: Doc;
  section: string;
  selected: ReadonlySet<string>;
  selectedEdges: ReadonlySet<string>;
  facts: Facts;
  problems: readonly Problem[];
  checked: boolean;
  panel: Panel;
  field: string;
  history: History;
  save: SaveState;
  saveWords: string;
  draft: Draft;
  conflict: ConflictState | null;
  others: readonly Other[];
  toast: { text: string; bad: boolean; at: number } | null;
  search: boolean;
  help: boolean;
  publishing: boolean;
  pasting: boolean;
  adding: { x: number; y: number; source: string; exit: string } | null;
  language: string;
};

let state: State;
const listeners = new Set<() => void>();

export const begin = (first: State): void => {
  state = first;
};
export const get = (): State => state;

export function set(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const listener of [...listeners]) listener();
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useBuilder<T>(pick: (state: State) => T): T {
  return useSyncExternalStore(subscribe, () => pick(state));
}

// --- changing the document ---------------------------------------------------------------------------------------------

/** A change by the author; `key` joins changes of one field into one step of undo. */
export function edit(change: (doc: Doc) => Doc, key = ""): void {
  if (state.save === "readonly") return;
  const doc = change(state.doc);
  if (doc === state.doc) return;
  set({ doc, history: remembered(state.history, state.doc, key, Date.now()), save: state.save === "conflict" ? "conflict" : "unsaved" });
}

/** The server's or a colleague's document takes the place of ours; what came before cannot be undone into. */
export function replaceDoc(doc: Doc, change: Partial<State> = {}): void {
  set({ doc, history: emptyHistory(), ...inside(doc), ...change });
}

export function undo(): void {
  const step = undone(state.history, state.doc);
  if (step && state.save !== "readonly") set({ ...step, ...inside(step.doc), save: "unsaved" });
}

export function redo(): void {
  const step = redone(state.history, state.doc);
  if (step && state.save !== "readonly") set({ ...step, ...inside(step.doc), save: "unsaved" });
}

/** A section and a selection that the document has. */
function inside(doc: Doc): Pick<State, "section" | "selected" | "selectedEdges"> {
  const found = doc.definition.sections.find((section) => section.id === state.section) ?? doc.definition.sections[0];
  const known = new Set([...(found?.nodes ?? []).map((node) => node.id), ...(doc.layout.notes ?? []).map((note) => note.id)]);
  return { section: found?.id ?? "", selected: new Set([...state.selected].filter((id) => known.has(id))), selectedEdges: new Set() };
}

export const toast = (text: string, bad = false): void => set({ toast: { text, bad, at: Date.now() } });
