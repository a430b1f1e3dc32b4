// Places for blocks that have none, and all of a section in good order.
import { graphlib, layout } from "@dagrejs/dagre";
import type { BlockData, Place } from "./types.ts";

export const WIDTH = 240;
const HEAD = 58;
const ROW = 26;

export const heightOf = (exits: number, preview: boolean): number => HEAD + (preview ? 34 : 0) + exits * ROW;

/** Places of the blocks, left to right along their connections. `sizes`: height of each block in pixels. */
export function arranged(nodes: readonly BlockData[], sizes: ReadonlyMap<string, number>): Record<string, Place> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 90, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { width: WIDTH, height: sizes.get(node.id) ?? HEAD });
  for (const node of nodes) for (const target of Object.values(node.exits ?? {})) if (graph.hasNode(target)) graph.setEdge(node.id, target);
  layout(graph);
  return Object.fromEntries(
    nodes.map((node) => {
      const { x, y, height } = graph.node(node.id) as { x: number; y: number; height: number };
      return [node.id, { x: Math.round(x - WIDTH / 2), y: Math.round(y - height / 2) }];
    }),
  );
}
