// What the author does with blocks: the same for mouse, keyboard and menu.
import { arranged, heightOf, withPlaces } from "../model/arranging.ts";
import { copied, pasted } from "../model/clipboard.ts";
import { addNode, addNote, changeNote, connect, disconnect, moveNodes, removeNodes, removeNotes } from "../model/edits.ts";
import { freshId, nodesOf } from "../model/reading.ts";
import { startingObject, type Schema } from "../model/schema.ts";
import type { BlockData, Doc, Exit, Place } from "../model/types.ts";
import { gettext, ngettext } from "../texts.ts";
import { choose } from "./choosing.ts";
import { edit, get, set, toast, type State } from "./store.ts";

export const sectionNow = (state: State) => state.doc.definition.sections.find((section) => section.id === state.section);

const NO_EXITS: readonly Exit[] = [];

/** The exits of a block as the last check told them; of one that it could not read, those of its kind and those in use. */
export function exitsOf(state: State, node: BlockData): readonly Exit[] {
  const known = state.facts.get(node.id)?.exits ?? firstExits(state, node);
  const lost = Object.keys(node.exits ?? {}).filter((name) => !known.some((exit) => exit.name === name));
  return lost.length ? [...known, ...lost.map((name) => ({ name, label: name, failure: false, required: false, waits: false, leads: "" as const, section: "", entry: "" }))] : known;
}

function firstExits(state: State, node: BlockData): readonly Exit[] {
  const action = state.metadata.actions.find((found) => found.kind === node.params?.["action"]);
  return action?.exits ?? state.metadata.blocks.find((block) => block.kind === node.kind)?.exits ?? NO_EXITS;
}

/** A document from the server or the clipboard as it can be drawn. */
export const drawable = (doc: Doc): Doc => withPlaces(doc, (node) => exitsOf(get(), node).length);

export const takenIds = (): Set<string> => new Set(nodesOf(get().doc.definition).map((node) => node.id));

/** A new block of a kind; `action` names what an action block runs. Joined to where it was dragged from. */
export function addBlock(kind: string, place: Place, options: { action?: string; source?: string; exit?: string } = {}): string {
  const { metadata, section } = get();
  const block = metadata.blocks.find((found) => found.kind === kind);
  const schema = (block?.schema ?? {}) as Schema;
  let number = 0;
  const params = startingObject(schema, schema, (base) => `${base}_${(number += 1)}`);
  const id = freshId(options.action ?? kind, takenIds());
  const node: BlockData = { id, kind, params: options.action ? { ...params, action: options.action } : params, exits: {} };
  edit((doc) => {
    const added = addNode(doc, section, node, place);
    return options.source && options.exit ? connect(added, options.source, options.exit, id) : added;
  });
  choose([id]);
  return id;
}

export function addNoteAt(place: Place): void {
  let made = "";
  edit((doc) => {
    const added = addNote(doc, get().section, place);
    made = added.id;
    return added.doc;
  });
  if (made) choose([made]);
}

export function removeChosen(): void {
  const { selected, selectedEdges } = get();
  if (!selected.size && !selectedEdges.size) return;
  const ends = [...selectedEdges].map(endsOf);
  edit((doc) => removeNotes(removeNodes(disconnect(doc, ends), selected), selected));
  choose([]);
}

/** Edges are named by block and exit, which no other edge shares. */
export const edgeId = (source: string, exit: string): string => `${source}\n${exit}`;
export const endsOf = (id: string): { source: string; exit: string } => {
  const [source = "", exit = ""] = id.split("\n");
  return { source, exit };
};

export const copyChosen = (): string => copied(get().doc, get().selected);

/** A whole draft for a file, a letter or a paste into another scenario. */
export const copyDocument = (doc: Doc): Promise<void> => copyToClipboard(JSON.stringify(doc, null, 2));

export async function copyToClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copiedByHand(text)) return toast(gettext("The browser does not let this page copy. Open the JSON editor instead."), true);
  }
  toast(gettext("Copied as text (JSON)."));
}

/** Where a page has no secure origin browsers offer no clipboard, but still copy what is selected. */
function copiedByHand(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export function pasteText(text: string, at: Place): boolean {
  const result = pasted(get().doc, get().section, text, at);
  if (!result.doc) {
    const reasons: Record<string, string> = { "no blocks": gettext("There are no blocks in the clipboard. Copy blocks of a scenario first."), "too large": gettext("That is too much to paste at once. Import it as a file instead.") };
    toast(reasons[result.wrong] ?? gettext("These blocks cannot be read (%(why)s). Copy them again.", { why: result.wrong }), true);
    return false;
  }
  const { doc, ids } = result;
  edit(() => doc);
  choose(ids);
  toast(ngettext("%(count)s block pasted", "%(count)s blocks pasted", ids.length));
  return true;
}

/** What is chosen, moved by so many points; one step of undo for a run of key presses. */
export function nudgeChosen(way: Place, by: number): void {
  const { selected } = get();
  edit((doc) => {
    const places = Object.fromEntries([...selected].flatMap((id) => (doc.layout.nodes?.[id] ? [[id, { x: doc.layout.nodes[id][0] + way.x * by, y: doc.layout.nodes[id][1] + way.y * by }]] : [])));
    const notes = (doc.layout.notes ?? []).filter((note) => selected.has(note.id));
    return notes.reduce((found, note) => changeNote(found, note.id, { x: note.x + way.x * by, y: note.y + way.y * by }), moveNodes(doc, places));
  }, "move.keys");
}

export function duplicateChosen(): void {
  const { selected, doc } = get();
  const places = [...selected].flatMap((id) => doc.layout.nodes?.[id] ?? []);
  if (!selected.size) return;
  const [x = 0, y = 0] = [Math.min(...places.filter((_, index) => index % 2 === 0)), Math.min(...places.filter((_, index) => index % 2 === 1))];
  pasteText(copyChosen(), { x: (Number.isFinite(x) ? x : 0) + 40, y: (Number.isFinite(y) ? y : 0) + 40 });
}

/** All blocks of the section, or the chosen ones, in good order. */
export function arrange(): void {
  const state = get();
  const nodes = sectionNow(state)?.nodes ?? [];
  const chosen = nodes.filter((node) => state.selected.has(node.id));
  const few = chosen.length > 1 ? chosen : nodes;
  const places = arranged(few, sizesOf(state, few));
  const corner = few === nodes ? [0, 0] : few.map((node): [number, number] => state.doc.layout.nodes?.[node.id] ?? [0, 0]).reduce(([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by)]);
  edit((doc) => moveNodes(doc, Object.fromEntries(Object.entries(places).map(([id, place]) => [id, { x: place.x + (corner[0] ?? 0), y: place.y + (corner[1] ?? 0) }]))));
}

export const sizesOf = (state: State, nodes: readonly BlockData[]): Map<string, number> =>
  new Map(nodes.map((node) => [node.id, heightOf(exitsOf(state, node).length, Boolean(Object.keys(node.params ?? {}).length))]));

export const chooseAll = (): void => choose((sectionNow(get())?.nodes ?? []).map((node) => node.id));
export const focusSearch = (): void => set({ search: true });
