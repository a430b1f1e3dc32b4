// Which overlay lies over the page; the page's address can ask for one, so that other pages lead to it.
import { useSyncExternalStore } from "react";
import { saveNow } from "../state/saving.ts";
import { get } from "../state/store.ts";
import { showFigures } from "./figures.ts";

/** Names of both sides: the number of a version, or "draft". */
export type Pair = { old: string; next: string };
export const DRAFT = "draft";

let pair: Pair | null = null;
const listeners = new Set<() => void>();

function set(next: Pair | null): void {
  pair = next;
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const usePair = (): Pair | null => useSyncExternalStore(subscribe, () => pair);

/** Without names: the version that runs against the draft. What is being written is saved first, because the server compares. */
export async function showDifferences(asked: Partial<Pair> = {}): Promise<void> {
  if (get().save !== "readonly") await saveNow();
  set({ old: asked.old || String(get().draft.published ?? DRAFT), next: asked.next || DRAFT });
}

export const compare = (asked: Pair): void => set(asked);

export function hideDifferences(): void {
  set(null);
  forgetAddress();
}

/** `?show=differences&old=1&new=2` or `?show=figures&since=…&until=…&version=…&language=…`. */
export function openFromAddress(): void {
  const asked = new URLSearchParams(window.location.search);
  const given = (name: string): string => asked.get(name) ?? "";
  if (given("show") === "differences") void showDifferences({ old: given("old"), next: given("new") });
  if (given("show") === "figures") {
    showFigures({ ...(asked.has("since") ? { since: given("since") } : {}), until: given("until"), version: given("version"), language: given("language") });
    forgetAddress();
  }
}

/** So that a reload opens what the person sees, not what they came from. */
function forgetAddress(): void {
  if (window.location.search) window.history.replaceState(null, "", window.location.pathname);
}
