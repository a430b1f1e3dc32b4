// What is laid over blocks and connections: figures in colours, or what differs between two versions. A drawing of a block in any detail asks
// `useBlockMark`; it is drawn anew only when the mark of that one block changes. Colour never stands alone: each mark has an icon and words.
import type { BlockFigures } from "../../api/types.ts";
import { createContext, useContext, useSyncExternalStore } from "react";

export type Mark = {
  /** A CSS colour for what is filled, and one for a text on it. */
  colour: string;
  ink: string;
  /** Name of a symbol, such as visibility or add_circle. */
  icon: string;
  /** A few letters: "1,204", "32 %", "added". */
  label: string;
  /** The same in a sentence. */
  title: string;
  /** What it says; drawings may differ by more than the colour, such as dashes for what is gone. */
  tone: "figure" | "none" | "added" | "changed" | "removed" | "moved";
  /** 0 to 5: how much there is of it; connections are drawn so much thicker. */
  weight: number;
  /** All figures of a block, for the strip that a block in full detail shows. */
  figures: BlockFigures | null;
};

/** `otherwise` is the mark of blocks that are not named. Connections are named by `wayId`. */
export type Marks = { blocks: ReadonlyMap<string, Mark>; edges: ReadonlyMap<string, Mark>; otherwise: Mark | null };
export const NO_MARKS: Marks = { blocks: new Map(), edges: new Map(), otherwise: null };

/** A connection with its end: an exit may have led elsewhere in another version. */
export const wayId = (source: string, exit: string, target: string): string => `${source}\n${exit}\n${target}`;

/** A set of marks that is replaced as a whole. */
export type MarkStore = { get: () => Marks; set: (marks: Marks) => void; subscribe: (listener: () => void) => () => void };

export function markStore(): MarkStore {
  let marks = NO_MARKS;
  const listeners = new Set<() => void>();
  return {
    get: () => marks,
    set: (next) => {
      if (next === marks) return;
      marks = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Those of the canvas on which people edit; the canvas of differences provides its own. */
export const canvasMarks = markStore();
export const MarksContext = createContext<MarkStore>(canvasMarks);

export function useBlockMark(id: string): Mark | null {
  const store = useContext(MarksContext);
  return useSyncExternalStore(store.subscribe, () => store.get().blocks.get(id) ?? store.get().otherwise);
}

/** All of them, for what draws many at once: connections, the overview. */
export function useMarks(): Marks {
  const store = useContext(MarksContext);
  return useSyncExternalStore(store.subscribe, store.get);
}
