// What is laid over blocks and connections: figures in colours, or what differs between two versions. A drawing of a block in any detail asks
// `useBlockMark`; it is drawn anew only when the mark of that one block changes. Colour never stands alone: each mark has an icon and words.
import { createContext, useContext, useSyncExternalStore } from "react";

export type Mark = {
  /** A CSS colour for what is filled, and one for a text on it. */
  colour: string;
  ink: string;
  /** Name of a symbol, such as signal_cellular_3_bar. */
  icon: string;
  /** A few letters: "1,204", "32 %", "added". */
  label: string;
  /** The same in a sentence. */
  title: string;
  /** Of what is only there for orientation. */
  muted: boolean;
};

export type Marks = { blocks: ReadonlyMap<string, Mark>; edges: ReadonlyMap<string, Mark> };
export const NO_MARKS: Marks = { blocks: new Map(), edges: new Map() };

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
  return useSyncExternalStore(store.subscribe, () => store.get().blocks.get(id) ?? null);
}

/** All of them, for what draws many at once: connections, the overview. */
export function useMarks(): Marks {
  const store = useContext(MarksContext);
  return useSyncExternalStore(store.subscribe, store.get);
}
