// Stored drafts and pasted texts may hold anything; these tell whether they can be drawn.
import { isObject, type BlockData, type Definition, type Doc, type Layout, type SectionData, type Sticky } from "./types.ts";

export const MAX_NODES = 5000;
export type Read = { doc: Doc; wrong: "" } | { doc: null; wrong: string };

/** The draft for the canvas, or what keeps it from being drawn. Unknown fields are kept as they are. */
export function readDoc(definition: unknown, layout: unknown): Read {
  const wrong = whatIsWrong(definition);
  if (wrong) return { doc: null, wrong };
  const found = definition as unknown as Definition;
  const sections = found.sections.map((section) => ({ ...section, nodes: section.nodes ?? [] }));
  return { doc: { definition: { ...found, sections }, layout: readLayout(layout) }, wrong: "" };
}

function whatIsWrong(definition: unknown): string {
  if (!isObject(definition)) return "no object";
  if (definition["sections"] === undefined || (Array.isArray(definition["sections"]) && definition["sections"].length === 0)) return "no sections";
  if (!Array.isArray(definition["sections"])) return "no sections";
  const ids = new Set<string>();
  const sectionIds = new Set<string>();
  for (const section of definition["sections"]) {
    if (!isObject(section) || typeof section["id"] !== "string" || !section["id"]) return "a section without id";
    if (sectionIds.has(section["id"])) return "two sections with one id";
    sectionIds.add(section["id"]);
    const nodes = section["nodes"] ?? [];
    if (!Array.isArray(nodes)) return "no list of blocks";
    for (const node of nodes) {
      const bad = wrongNode(node);
      if (bad) return bad;
      const id = (node as BlockData).id;
      if (ids.has(id)) return "two blocks with one id";
      ids.add(id);
    }
  }
  return ids.size > MAX_NODES ? "too many blocks" : "";
}

function wrongNode(node: unknown): string {
  if (!isObject(node) || typeof node["id"] !== "string" || !node["id"] || typeof node["kind"] !== "string") return "a block without id or kind";
  // Names of what every object has would be found in places and exits that do not hold them.
  if ([node["id"], ...Object.keys(isObject(node["exits"]) ? node["exits"] : {})].some((name) => name in Object.prototype)) return "a reserved name";
  if (node["params"] !== undefined && !isObject(node["params"])) return "parameters that are no object";
  const exits = node["exits"];
  if (exits !== undefined && !(isObject(exits) && Object.values(exits).every((target) => typeof target === "string"))) return "exits that are no texts";
  return "";
}

export function readLayout(layout: unknown): Layout {
  if (!isObject(layout)) return {};
  const nodes: Record<string, [number, number]> = {};
  for (const [id, place] of Object.entries(isObject(layout["nodes"]) ? layout["nodes"] : {})) {
    if (Array.isArray(place) && Number.isFinite(place[0]) && Number.isFinite(place[1])) nodes[id] = [Number(place[0]), Number(place[1])];
  }
  const notes = (Array.isArray(layout["notes"]) ? layout["notes"] : []).filter(isSticky);
  return { ...layout, nodes, notes };
}

function isSticky(value: unknown): value is Sticky {
  return isObject(value) && ["id", "section", "text"].every((key) => typeof value[key] === "string") && ["x", "y", "width", "height"].every((key) => Number.isFinite(value[key]));
}

export const nodesOf = (definition: Definition): BlockData[] => definition.sections.flatMap((section) => section.nodes);

export const sectionOf = (definition: Definition, nodeId: string): SectionData | undefined =>
  definition.sections.find((section) => section.nodes.some((node) => node.id === nodeId));

/** A name that nobody has yet: message, message_2, message_3 … */
export function freshId(base: string, taken: ReadonlySet<string>): string {
  const clean = base.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 50) || "block";
  if (!taken.has(clean)) return clean;
  let number = 2;
  while (taken.has(`${clean}_${number}`)) number += 1;
  return `${clean}_${number}`;
}
