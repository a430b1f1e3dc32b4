// Every change of a document as a pure function: the old one stays, for undo and for merging.
import { freshId, nodesOf } from "./reading.ts";
import type { BlockData, Definition, Doc, JsonObject, Layout, Place, SectionData, Sticky } from "./types.ts";

const SNAP = 10;
const snapped = (place: Place): [number, number] => [Math.round(place.x / SNAP) * SNAP || 0, Math.round(place.y / SNAP) * SNAP || 0];

export function changeDefinition(doc: Doc, change: Partial<Definition>): Doc {
  return { ...doc, definition: { ...doc.definition, ...change } };
}

function changeSections(doc: Doc, change: (section: SectionData) => SectionData): Doc {
  return changeDefinition(doc, { sections: doc.definition.sections.map(change) });
}

export function changeSection(doc: Doc, id: string, change: Partial<SectionData>): Doc {
  return changeSections(doc, (section) => (section.id === id ? { ...section, ...change } : section));
}

function changeNodes(doc: Doc, change: (node: BlockData) => BlockData): Doc {
  return changeSections(doc, (section) => {
    const nodes = section.nodes.map(change);
    return nodes.every((node, index) => node === section.nodes[index]) ? section : { ...section, nodes };
  });
}

export function changeNode(doc: Doc, id: string, change: Partial<BlockData>): Doc {
  return changeNodes(doc, (node) => (node.id === id ? { ...node, ...change } : node));
}

export function setParams(doc: Doc, id: string, params: JsonObject): Doc {
  return changeNode(doc, id, { params });
}

export function addNode(doc: Doc, section: string, node: BlockData, place: Place): Doc {
  const sections = doc.definition.sections.map((found) => (found.id === section ? { ...found, nodes: [...found.nodes, node] } : found));
  return moveNodes({ ...doc, definition: { ...doc.definition, sections } }, { [node.id]: place });
}

export function moveNodes(doc: Doc, places: Record<string, Place>): Doc {
  const moved = Object.fromEntries(Object.entries(places).map(([id, place]) => [id, snapped(place)]));
  return { ...doc, layout: { ...doc.layout, nodes: { ...doc.layout.nodes, ...moved } } };
}

/** Without these blocks, and without the connections that led to them. */
export function removeNodes(doc: Doc, ids: ReadonlySet<string>): Doc {
  const sections = doc.definition.sections.map((section) => ({
    ...section,
    nodes: section.nodes.filter((node) => !ids.has(node.id)).map((node) => withoutTargets(node, ids)),
  }));
  const nodes = Object.fromEntries(Object.entries(doc.layout.nodes ?? {}).filter(([id]) => !ids.has(id)));
  return { definition: { ...doc.definition, sections }, layout: { ...doc.layout, nodes } };
}

function withoutTargets(node: BlockData, ids: ReadonlySet<string>): BlockData {
  const exits = Object.entries(node.exits ?? {});
  const kept = exits.filter(([, target]) => !ids.has(target));
  return kept.length === exits.length ? node : { ...node, exits: Object.fromEntries(kept) };
}

export function connect(doc: Doc, source: string, exit: string, target: string): Doc {
  return changeNodes(doc, (node) => (node.id === source ? { ...node, exits: { ...node.exits, [exit]: target } } : node));
}

export function disconnect(doc: Doc, ends: ReadonlyArray<{ source: string; exit: string }>): Doc {
  return changeNodes(doc, (node) => {
    const gone = new Set(ends.filter((end) => end.source === node.id).map((end) => end.exit));
    if (!gone.size) return node;
    return { ...node, exits: Object.fromEntries(Object.entries(node.exits ?? {}).filter(([name]) => !gone.has(name))) };
  });
}

// --- sections -----------------------------------------------------------------------------------------------------------

/** A new section with a beginning; `start` is the kind of block that begins one. */
export function addSection(doc: Doc, name: string, start: string): { doc: Doc; id: string } {
  const sections = doc.definition.sections;
  const id = freshId(name.toLowerCase() || "section", new Set(sections.map((section) => section.id)));
  const node: BlockData = { id: freshId(`${id}_${start}`, new Set(nodesOf(doc.definition).map((found) => found.id))), kind: start, exits: {} };
  const added = changeDefinition(doc, { sections: [...sections, { id, name, nodes: start ? [node] : [] }] });
  return { id, doc: start ? moveNodes(added, { [node.id]: { x: 0, y: 0 } }) : added };
}

export function removeSection(doc: Doc, id: string): Doc {
  const section = doc.definition.sections.find((found) => found.id === id);
  if (!section || doc.definition.sections.length < 2) return doc;
  const cleared = removeNodes(doc, new Set(section.nodes.map((node) => node.id)));
  const sections = cleared.definition.sections.filter((found) => found.id !== id);
  const notes = (cleared.layout.notes ?? []).filter((note) => note.section !== id);
  return { definition: { ...cleared.definition, sections }, layout: { ...cleared.layout, notes } };
}

export function moveSection(doc: Doc, id: string, by: number): Doc {
  const sections = [...doc.definition.sections];
  const from = sections.findIndex((section) => section.id === id);
  const to = Math.max(0, Math.min(sections.length - 1, from + by));
  const [section] = sections.splice(from, 1);
  if (section) sections.splice(to, 0, section);
  return changeDefinition(doc, { sections });
}

// --- notes --------------------------------------------------------------------------------------------------------------

const withNotes = (doc: Doc, notes: Sticky[]): Doc => ({ ...doc, layout: { ...doc.layout, notes } satisfies Layout });

export function addNote(doc: Doc, section: string, place: Place): { doc: Doc; id: string } {
  const notes = doc.layout.notes ?? [];
  const id = freshId("note", new Set(notes.map((note) => note.id)));
  const [x, y] = snapped(place);
  return { id, doc: withNotes(doc, [...notes, { id, section, x, y, width: 220, height: 120, text: "" }]) };
}

export function changeNote(doc: Doc, id: string, change: Partial<Sticky>): Doc {
  return withNotes(doc, (doc.layout.notes ?? []).map((note) => (note.id === id ? { ...note, ...change } : note)));
}

export function removeNotes(doc: Doc, ids: ReadonlySet<string>): Doc {
  return withNotes(doc, (doc.layout.notes ?? []).filter((note) => !ids.has(note.id)));
}
