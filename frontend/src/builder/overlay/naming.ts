// Blocks and exits as people call them.
import { preview } from "../canvas/BlockNode.tsx";
import { labelOf } from "../canvas/drawing.ts";
import { nodesOf } from "../model/reading.ts";
import type { BlockData, Definition } from "../model/types.ts";
import { exitsOf } from "../state/acting.ts";
import { get, type State } from "../state/store.ts";

const LONGEST = 60;
const known = new WeakMap<Definition, ReadonlyMap<string, BlockData>>();

/** Blocks of the draft by their ids. */
export function drawnBlocks(definition: Definition): ReadonlyMap<string, BlockData> {
  const found = known.get(definition) ?? new Map(nodesOf(definition).map((node) => [node.id, node]));
  known.set(definition, found);
  return found;
}

/** Its title, else its first words, else its kind. */
export const nameOf = (state: State, node: BlockData): string => node.title || preview(node).slice(0, LONGEST) || labelOf(state, node);

/** The same by id; of a block that the draft no longer has what else is known. */
export function blockName(id: string, otherwise = id): string {
  const node = drawnBlocks(get().doc.definition).get(id);
  return node ? nameOf(get(), node) : otherwise;
}

export function exitName(id: string, exit: string): string {
  const node = drawnBlocks(get().doc.definition).get(id);
  return (node && exitsOf(get(), node).find((found) => found.name === exit)?.label) || exit;
}
