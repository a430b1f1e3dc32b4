// Two people have changed one draft: both together. A block is the unit; where both have changed one, and not alike, somebody must choose.
import { nodesOf } from "./reading.ts";
import type { BlockData, Definition, Doc, SectionData, Sticky } from "./types.ts";

/** A block, a section ("section") or the scenario's settings (id "") that both have changed; `lost` names who has removed it. */
export type Clash = { id: string; what: "block" | "section" | "settings"; title: string; lost: "" | "mine" | "theirs" };

export const same = (left: unknown, right: unknown): boolean => left === right || canonical(left) === canonical(right);

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) =>
    typeof item === "object" && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  ) ?? "";
}

const blockTitle = (node: BlockData): string => node.title || node.id;
const own = (section: SectionData): Omit<SectionData, "nodes"> => ({ ...section, nodes: undefined }) as Omit<SectionData, "nodes">;
const outside = (definition: Definition): Partial<Definition> => ({ ...definition, sections: undefined }) as unknown as Partial<Definition>;

/** A block with the section that it lies in: moving it to another one is a change too. */
const placed = (definition: Definition): Map<string, { node: BlockData; section: string }> =>
  new Map(definition.sections.flatMap((section) => section.nodes.map((node) => [node.id, { node, section: section.id }] as const)));

/** Both sets of changes; of each clash mine is taken when `takeMine` says so. Unasked a change is worth more than a removal, and theirs more than mine. */
export function merge(base: Doc, mine: Doc, theirs: Doc, takeMine: (clash: Clash) => boolean = (clash) => clash.lost === "theirs"): { doc: Doc; clashes: Clash[] } {
  const clashes: Clash[] = [];
  const pick = <T>(what: Clash["what"], id: string, title: (item: T) => string, was: T | undefined, my: T | undefined, their: T | undefined): T | undefined => {
    if (same(my, was)) return their;
    if (same(their, was) || same(my, their)) return my;
    const known = my ?? their;
    const clash: Clash = { id, what, title: known === undefined ? id : title(known), lost: my === undefined ? "mine" : their === undefined ? "theirs" : "" };
    clashes.push(clash);
    return takeMine(clash) ? my : their;
  };
  const settings = pick("settings", "", () => "", outside(base.definition), outside(mine.definition), outside(theirs.definition));
  const homes = [base, mine, theirs].map((doc) => placed(doc.definition)) as [Map<string, { node: BlockData; section: string }>, Map<string, { node: BlockData; section: string }>, Map<string, { node: BlockData; section: string }>];
  const rows = [base, mine, theirs].map((doc) => new Map(doc.definition.sections.map((section) => [section.id, own(section)]))) as [Map<string, Omit<SectionData, "nodes">>, Map<string, Omit<SectionData, "nodes">>, Map<string, Omit<SectionData, "nodes">>];
  const order = [...new Set([...theirs.definition.sections, ...mine.definition.sections].map((section) => section.id))];
  const sections = order.flatMap((id) => {
    const found = pick("section", id, (row) => row.name || id, rows[0].get(id), rows[1].get(id), rows[2].get(id));
    return found ? [{ ...found, id, nodes: [] as BlockData[] }] : [];
  });
  const byId = new Map(sections.map((section) => [section.id, section]));
  for (const node of new Set([...nodesOf(theirs.definition), ...nodesOf(mine.definition)].map((found) => found.id))) {
    const found = pick("block", node, (home) => blockTitle(home.node), homes[0].get(node), homes[1].get(node), homes[2].get(node));
    if (found) (byId.get(found.section) ?? sections[0])?.nodes.push(found.node);
  }
  const definition = { ...(settings ?? {}), sections } as Definition;
  return { doc: withoutDangling({ definition, layout: mergeLayout(base, mine, theirs) }), clashes };
}

function mergeLayout(base: Doc, mine: Doc, theirs: Doc): Doc["layout"] {
  const nodes = { ...theirs.layout.nodes };
  for (const [id, place] of Object.entries(mine.layout.nodes ?? {})) if (!same(place, base.layout.nodes?.[id]) || !(id in nodes)) nodes[id] = place;
  const [was, my, their] = [base, mine, theirs].map((doc) => new Map((doc.layout.notes ?? []).map((note) => [note.id, note]))) as [Map<string, Sticky>, Map<string, Sticky>, Map<string, Sticky>];
  const notes = [...new Set([...their.keys(), ...my.keys()])].flatMap((id) => {
    const found = same(my.get(id), was.get(id)) ? their.get(id) : my.get(id);
    return found ? [found] : [];
  });
  return { ...theirs.layout, nodes, notes };
}

/** One may have removed the block to which the other has connected. */
function withoutDangling(doc: Doc): Doc {
  const known = new Set(nodesOf(doc.definition).map((node) => node.id));
  const sections = doc.definition.sections.map((section) => ({
    ...section,
    nodes: section.nodes.map((node) => (node.exits ? { ...node, exits: Object.fromEntries(Object.entries(node.exits).filter(([, target]) => known.has(target))) } : node)),
  }));
  return { ...doc, definition: { ...doc.definition, sections } };
}
