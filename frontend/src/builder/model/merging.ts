// Two people have changed one draft: what each has changed, and both together. A block is the unit; within it the later save wins only
// when somebody says so.
import { nodesOf } from "./reading.ts";
import type { BlockData, Definition, Doc, SectionData, Sticky } from "./types.ts";

export type Change = { kind: "added" | "removed" | "changed"; what: "block" | "section" | "settings" | "layout"; id: string; title: string; fields: FieldChange[] };
export type FieldChange = { path: string; old: string; new: string };

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

export function changes(base: Doc, other: Doc): Change[] {
  const found: Change[] = [];
  if (!same(outside(base.definition), outside(other.definition))) found.push({ kind: "changed", what: "settings", id: "", title: "", fields: fieldChanges(outside(base.definition), outside(other.definition)) });
  const [oldSections, newSections] = [base, other].map((doc) => new Map(doc.definition.sections.map((section) => [section.id, section]))) as [Map<string, SectionData>, Map<string, SectionData>];
  compare(oldSections, newSections, "section", (section) => section.name || section.id, own, found);
  compare(placed(base.definition), placed(other.definition), "block", (item) => blockTitle(item.node), (item) => item, found);
  if (!found.length && !same(base.layout, other.layout)) found.push({ kind: "changed", what: "layout", id: "", title: "", fields: [] });
  return found;
}

function compare<T>(old: Map<string, T>, next: Map<string, T>, what: Change["what"], title: (item: T) => string, part: (item: T) => unknown, into: Change[]): void {
  for (const id of new Set([...next.keys(), ...old.keys()])) {
    const [before, after] = [old.get(id), next.get(id)];
    if (before === undefined && after !== undefined) into.push({ kind: "added", what, id, title: title(after), fields: [] });
    else if (after === undefined && before !== undefined) into.push({ kind: "removed", what, id, title: title(before), fields: [] });
    else if (before !== undefined && after !== undefined && !same(part(before), part(after))) {
      into.push({ kind: "changed", what, id, title: title(after), fields: fieldChanges(part(before), part(after)) });
    }
  }
}

function fieldChanges(old: unknown, next: unknown): FieldChange[] {
  const [before, after] = [flat(old), flat(next)];
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => ({ path: path.replace(/^node\./, ""), old: before.get(path) ?? "", new: after.get(path) ?? "" }));
}

function flat(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value === "object" && value !== null && Object.keys(value).length) {
    for (const [key, item] of Object.entries(value)) if (item !== undefined) flat(item, path ? `${path}.${key}` : key, into);
  } else if (path) into.set(path, typeof value === "string" ? value : JSON.stringify(value));
  return into;
}

/** Both sets of changes; `clashes` are the blocks and sections that both have changed differently (mine are taken there). */
export function merge(base: Doc, mine: Doc, theirs: Doc): { doc: Doc; clashes: string[] } {
  const clashes: string[] = [];
  const pick = <T>(id: string, was: T | undefined, my: T | undefined, their: T | undefined): T | undefined => {
    if (same(my, was)) return their;
    if (same(their, was) || same(my, their)) return my;
    clashes.push(id);
    return my ?? their; // a change is worth more than a removal
  };
  const settings = pick("", outside(base.definition), outside(mine.definition), outside(theirs.definition));
  const homes = [base, mine, theirs].map((doc) => placed(doc.definition)) as [Map<string, { node: BlockData; section: string }>, Map<string, { node: BlockData; section: string }>, Map<string, { node: BlockData; section: string }>];
  const rows = [base, mine, theirs].map((doc) => new Map(doc.definition.sections.map((section) => [section.id, own(section)]))) as [Map<string, Omit<SectionData, "nodes">>, Map<string, Omit<SectionData, "nodes">>, Map<string, Omit<SectionData, "nodes">>];
  const order = [...new Set([...theirs.definition.sections, ...mine.definition.sections].map((section) => section.id))];
  const sections = order.flatMap((id) => {
    const found = pick(id, rows[0].get(id), rows[1].get(id), rows[2].get(id));
    return found ? [{ ...found, id, nodes: [] as BlockData[] }] : [];
  });
  const byId = new Map(sections.map((section) => [section.id, section]));
  for (const node of new Set([...nodesOf(theirs.definition), ...nodesOf(mine.definition)].map((found) => found.id))) {
    const found = pick(node, homes[0].get(node), homes[1].get(node), homes[2].get(node));
    if (found) (byId.get(found.section) ?? sections[0])?.nodes.push(found.node);
  }
  const definition = { ...(settings ?? {}), sections } as Definition;
  return { doc: withoutDangling({ definition, layout: mergeLayout(base, mine, theirs) }), clashes: [...new Set(clashes)] };
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
