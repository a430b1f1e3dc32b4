// Undo and redo. Changes of one field within a moment are one step, so that undo takes back a text, not a letter.
import type { Doc } from "./types.ts";

const STEPS = 200;
const MOMENT = 1200;

export type History = { past: Doc[]; future: Doc[]; key: string; at: number };

export const emptyHistory = (): History => ({ past: [], future: [], key: "", at: 0 });

/** After a change away from `before`; `key` names what is edited, "" for a change of its own. */
export function remembered(history: History, before: Doc, key: string, now: number): History {
  const joins = key !== "" && key === history.key && now - history.at < MOMENT && history.past.length > 0;
  return { past: joins ? history.past : [...history.past.slice(1 - STEPS), before], future: [], key, at: now };
}

export function undone(history: History, present: Doc): { doc: Doc; history: History } | null {
  const doc = history.past.at(-1);
  return doc ? { doc, history: { past: history.past.slice(0, -1), future: [present, ...history.future], key: "", at: 0 } } : null;
}

export function redone(history: History, present: Doc): { doc: Doc; history: History } | null {
  const [doc, ...future] = history.future;
  return doc ? { doc, history: { past: [...history.past, present], future, key: "", at: 0 } } : null;
}
