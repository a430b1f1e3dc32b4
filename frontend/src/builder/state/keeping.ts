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
