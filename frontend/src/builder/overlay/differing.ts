// Two versions as one drawing: the newer one, with what it no longer has where it was, and a mark on everything that differs.
import type { Differences } from "../../api/types.ts";
import { WIDTH } from "../model/arranging.ts";
import type { Facts } from "../model/names.ts";
import { nodesOf, sectionOf } from "../model/reading.ts";
import type { BlockData, Doc, Exit, SectionData } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { wayId, type Mark } from "./marks.ts";

export type Tone = "added" | "changed" | "removed" | "moved";
/** A connection that only the older version has, from an exit that may be gone too. */
export type OldWay = { source: string; exit: string; target: string };
export type Drawing = { doc: Doc; old: OldWay[] };

const NEAR = { x: WIDTH - 40, y: 60 };
const STEP = 70;

/** The newer document with removed sections and blocks of the older one; connections that changed are in `old` as they were. */
export function drawing(found: Differences, before: Doc, after: Doc): Drawing {
  const gone = nodesOf(before.definition).filter((node) => found.nodes[node.id] === "removed");
  const sections = withGone(after.definition.sections, before, gone);
  const ids = new Set(sections.flatMap((section) => section.nodes.map((node) => node.id)));
  const places = { ...after.layout.nodes };
  for (const node of gone) places[node.id] = freePlace(before.layout.nodes?.[node.id] ?? [0, 0], sections, node.id, places);
  const removed = new Set(gone.map((node) => node.id));
  const old = found.edges.flatMap((edge) => (edge.old !== null && !removed.has(edge.node) && ids.has(edge.old) && ids.has(edge.node) ? [{ source: edge.node, exit: edge.exit, target: edge.old }] : []));
  return { doc: { definition: { ...after.definition, sections }, layout: { ...after.layout, nodes: places } }, old };
}

function withGone(sections: readonly SectionData[], before: Doc, gone: readonly BlockData[]): SectionData[] {
  const found = new Map(sections.map((section) => [section.id, { ...section, nodes: [...section.nodes] }]));
  for (const node of gone) {
    const home = sectionOf(before.definition, node.id) as SectionData;
    if (!found.has(home.id)) found.set(home.id, { ...home, nodes: [] });
    found.get(home.id)?.nodes.push(node);
  }
  return [...found.values()];
}

/** Where it was, or below when another block of its section lies there now. */
function freePlace([x, y]: [number, number], sections: readonly SectionData[], id: string, places: Record<string, [number, number]>): [number, number] {
  const home = sections.find((section) => section.nodes.some((node) => node.id === id));
  const others = (home?.nodes ?? []).flatMap((node) => (node.id === id ? [] : [places[node.id] ?? []]));
  let free = y;
  while (others.some(([left, top]) => left !== undefined && top !== undefined && Math.abs(left - x) < NEAR.x && Math.abs(top - free) < NEAR.y)) free += STEP;
  return [x, free];
}

/** Exits of both versions: what an old connection hangs on must be drawn, even where the exit is gone. */
export function bothFacts(before: Facts, after: Facts, { old }: Drawing): Facts {
  const facts = new Map([...before, ...after]);
  for (const { source, exit } of old) {
    const known = facts.get(source) ?? { exits: [], sets: [] };
    if (known.exits.some((found) => found.name === exit)) continue;
    const was = before.get(source)?.exits.find((found) => found.name === exit) ?? plainExit(exit);
    facts.set(source, { ...known, exits: [...known.exits, { ...was, required: false }] });
  }
  return facts;
}

const plainExit = (name: string): Exit => ({ name, label: name, failure: false, required: false, waits: false, leads: "", section: "", entry: "" });

// --- marks -----------------------------------------------------------------------------------------------------------------

export const ICONS: Readonly<Record<Tone, string>> = { added: "add_circle", changed: "edit", removed: "do_not_disturb_on", moved: "open_with" };
const COLOURS: Readonly<Record<Tone, string>> = { added: "var(--fb-added)", changed: "var(--fb-changed)", removed: "var(--fb-removed)", moved: "var(--db-line)" };

export const toneName = (tone: Tone): string => ({ added: gettext("added"), changed: gettext("changed"), removed: gettext("removed"), moved: gettext("only moved") })[tone];

const toneMark = (tone: Tone, label = toneName(tone)): Mark => ({
  colour: COLOURS[tone], ink: tone === "moved" ? "var(--db-muted)" : "var(--db-card)", icon: ICONS[tone], label, title: label, tone, weight: 1, figures: null,
});

/** What differs of each block; moved alone counts only where nothing else does. */
export const tonesOf = (found: Differences): Map<string, Tone> => new Map<string, Tone>([...found.moved.map((id) => [id, "moved"] as const), ...Object.entries(found.nodes)]);

export const blockMarks = (tones: ReadonlyMap<string, Tone>): Map<string, Mark> => new Map([...tones].map(([id, tone]) => [id, toneMark(tone)]));

export function wayMarks(found: Differences): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  for (const { node, exit, old, new: next } of found.edges) {
    if (old !== null) marks.set(wayId(node, exit, old), toneMark("removed", next === null ? gettext("removed") : gettext("led here before")));
    if (next !== null) marks.set(wayId(node, exit, next), toneMark("added", old === null ? gettext("added") : gettext("leads here now")));
  }
  return marks;
}
