// Blocks as text, so that they can be pasted into another scenario, a letter or a file.
import { addNode, connect } from "./edits.ts";
import { freshId, nodesOf, readDoc } from "./reading.ts";
import { isObject, type BlockData, type Doc, type Place } from "./types.ts";

const FORMAT = "dialog-bus/blocks";
export const MAX_CHARS = 2 * 1024 * 1024;

export function copied(doc: Doc, ids: ReadonlySet<string>): string {
  const nodes = nodesOf(doc.definition).filter((node) => ids.has(node.id));
  const places = Object.fromEntries(nodes.map((node) => [node.id, doc.layout.nodes?.[node.id] ?? [0, 0]]));
  return JSON.stringify({ format: FORMAT, nodes, places }, null, 2);
}

export type Pasted = { doc: Doc; ids: string[]; wrong: "" } | { doc: null; ids: string[]; wrong: string };

/** The blocks of the text with ids of their own, joined among themselves as they were; `at` is where the first corner lies. */
export function pasted(doc: Doc, section: string, text: string, at: Place): Pasted {
  const fail = (wrong: string): Pasted => ({ doc: null, ids: [], wrong });
  if (text.length > MAX_CHARS) return fail("too large");
  const found = parse(text);
  if (found === null) return fail("no blocks");
  const read = readDoc({ sections: [{ id: "pasted", nodes: found.nodes }] }, { nodes: found.places });
  if (!read.doc) return fail(read.wrong);
  const blocks = nodesOf(read.doc.definition);
  if (!blocks.length) return fail("no blocks");
  const taken = new Set(nodesOf(doc.definition).map((node) => node.id));
  const ids = new Map<string, string>();
  for (const block of blocks) {
    const id = freshId(block.id, taken);
    taken.add(id);
    ids.set(block.id, id);
  }
  return { doc: placed(doc, section, blocks, ids, read.doc.layout.nodes ?? {}, at), ids: [...ids.values()], wrong: "" };
}

function placed(doc: Doc, section: string, blocks: BlockData[], ids: Map<string, string>, places: Record<string, [number, number]>, at: Place): Doc {
  const known = blocks.map((block): [number, number] => places[block.id] ?? [0, 0]);
  const left = Math.min(...known.map(([x]) => x));
  const top = Math.min(...known.map(([, y]) => y));
  let next = doc;
  for (const block of blocks) {
    const [x, y] = places[block.id] ?? [0, 0];
    const copy = { ...structuredClone(block), id: ids.get(block.id) ?? block.id, exits: {} };
    next = addNode(next, section, copy, { x: at.x + x - left, y: at.y + y - top });
  }
  for (const block of blocks) {
    for (const [exit, target] of Object.entries(block.exits ?? {})) {
      const to = ids.get(target);
      if (to) next = connect(next, ids.get(block.id) ?? block.id, exit, to);
    }
  }
  return next;
}

/** Blocks as we copy them, one block, a list of blocks, or a whole definition. */
function parse(text: string): { nodes: unknown; places: unknown } | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(data)) return { nodes: data, places: {} };
  if (!isObject(data)) return null;
  if (data["format"] === FORMAT) return { nodes: data["nodes"], places: data["places"] };
  const inner = isObject(data["definition"]) ? data["definition"] : data;
  if (Array.isArray(inner["sections"])) return { nodes: inner["sections"].flatMap((section) => (isObject(section) && Array.isArray(section["nodes"]) ? section["nodes"] : [])), places: isObject(data["layout"]) ? data["layout"]["nodes"] : {} };
  return typeof inner["kind"] === "string" ? { nodes: [inner], places: {} } : null;
}
