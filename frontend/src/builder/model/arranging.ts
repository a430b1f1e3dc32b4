// Places for blocks that have none, and all of a section in good order.
import { graphlib, layout } from "@dagrejs/dagre";
import type { BlockData, Doc, Place } from "./types.ts";

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

export const lacksPlaces = (doc: Doc): boolean => doc.definition.sections.some((section) => section.nodes.some((node) => !doc.layout.nodes?.[node.id]));

/** Every block with a place: sections that have none are put in order, single blocks (written as JSON) come below the others. */
export function withPlaces(doc: Doc, exits: (node: BlockData) => number): Doc {
  if (!lacksPlaces(doc)) return doc;
  const nodes = { ...doc.layout.nodes };
  for (const section of doc.definition.sections) {
    const lost = section.nodes.filter((node) => !nodes[node.id]);
    if (!lost.length) continue;
    const known = section.nodes.flatMap((node) => nodes[node.id]?.[1] ?? []);
    const below = known.length ? Math.max(...known) + 260 : 0;
    const sizes = new Map(lost.map((node) => [node.id, heightOf(exits(node), Boolean(Object.keys(node.params ?? {}).length))]));
    for (const [id, place] of Object.entries(arranged(lost, sizes))) nodes[id] = [place.x, place.y + below];
  }
  return { ...doc, layout: { ...doc.layout, nodes } };
}
