// What is not saved yet, kept in this browser so that a reload, a crash or a lost connection costs nothing.
import type { Doc } from "../model/types.ts";

export type Kept = { revision: number; base: Doc; doc: Doc; at: number };

const key = (scenario: number): string => `dialog-bus-builder-${scenario}`;

/** False when the browser has no room or no storage; the page then warns before it is left. */
export function keep(scenario: number, kept: Kept): boolean {
  try {
    localStorage.setItem(key(scenario), JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

export function kept(scenario: number): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(key(scenario)) ?? "null") as Kept | null;
    return found && typeof found.revision === "number" && found.doc?.definition && found.base?.definition ? found : null;
  } catch {
    return null;
  }
}

export function forget(scenario: number): void {
  try {
    localStorage.removeItem(key(scenario));
  } catch {
    // Without a storage there is nothing to forget.
  }
}

// --- what a decision left out --------------------------------------------------------------------------------------------

/** `of` names the colleague whose it was; "" for one's own. */
export type Copy = { at: number; of: string; doc: Doc };

const COPIES = 6;
const copiesKey = (scenario: number): string => `${key(scenario)}-copies`;

/** The newest first. */
export function copies(scenario: number): Copy[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(copiesKey(scenario)) ?? "[]");
    return Array.isArray(found) ? (found as Copy[]).filter((copy) => copy?.doc?.definition && typeof copy.at === "number") : [];
  } catch {
    return [];
  }
}

/** The oldest give way to it. */
export function addCopy(scenario: number, copy: Copy): void {
  for (let room = COPIES; room > 0; room -= 1) if (storeCopies(scenario, [copy, ...copies(scenario)].slice(0, room))) return;
}

export const dropCopy = (scenario: number, copy: Copy): boolean => storeCopies(scenario, copies(scenario).filter((found) => found.at !== copy.at || found.of !== copy.of));

function storeCopies(scenario: number, found: readonly Copy[]): boolean {
  try {
    localStorage.setItem(copiesKey(scenario), JSON.stringify(found));
    return true;
  } catch {
    return false;
  }
}
