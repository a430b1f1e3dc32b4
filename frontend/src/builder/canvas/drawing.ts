// From the document to what React Flow draws. An item that has not changed stays the same object, so that it is not drawn again.
import type { Edge } from "@xyflow/react";
import { WIDTH } from "../model/arranging.ts";
import { sectionOf } from "../model/reading.ts";
import type { BlockData, Definition, Exit, Problem } from "../model/types.ts";
import { edgeId, exitsOf, sectionNow } from "../state/acting.ts";
import type { State } from "../state/store.ts";
import type { BlockNodeType, BlockView } from "./BlockNode.tsx";
import type { NoteNodeType } from "./NoteNode.tsx";

export type CanvasNode = BlockNodeType | NoteNodeType;
const NO_LEADS: Readonly<Record<string, string>> = {};
const NO_PROBLEMS: readonly Problem[] = [];

export function drawnNodes(state: State, old: readonly CanvasNode[]): CanvasNode[] {
  const places = state.doc.layout.nodes ?? {};
  const known = new Map(old.map((node) => [node.id, node]));
  const problems = Map.groupBy(state.problems, (problem) => problem.node);
  const people = Map.groupBy(state.others.filter((other) => other.node), (other) => other.node);
  const blocks = (sectionNow(state)?.nodes ?? []).map((node): CanvasNode => {
    const exits = exitsOf(state, node);
    const kind = state.metadata.blocks.find((found) => found.kind === node.kind);
    const view: BlockView = {
      node, kind, exits, hit: false, problems: problems.get(node.id) ?? NO_PROBLEMS, label: labelOf(state, node),
      people: (people.get(node.id) ?? []).map((other) => other.name).join(", "), leads: leadsOf(state.doc.definition, exits),
    };
    const before = known.get(node.id);
    const [x, y] = places[node.id] ?? [0, 0];
    return kept(before, { id: node.id, type: "block", position: { x, y }, data: before?.type === "block" ? sameView(before.data, view) : view, selected: state.selected.has(node.id), ariaLabel: `${view.label}: ${node.title || node.id}` });
  });
  const notes = (state.doc.layout.notes ?? []).filter((note) => note.section === state.section).map((note): CanvasNode => {
    const before = known.get(note.id);
    const data = { note, locked: state.save === "readonly" };
    const stable = before?.type === "note" && before.data.note === note && before.data.locked === data.locked ? before.data : data;
    return kept(before, { id: note.id, type: "note", position: { x: note.x, y: note.y }, data: stable, width: note.width, height: note.height, zIndex: -1, selected: state.selected.has(note.id) });
  });
  return [...notes, ...blocks];
}

/** The old object when nothing of it has changed; a changed one keeps its measures, so that it does not flicker. */
function kept(before: CanvasNode | undefined, next: CanvasNode): CanvasNode {
  if (!before) return next;
  const same = before.data === next.data && before.selected === next.selected && before.position.x === next.position.x && before.position.y === next.position.y && before.width === next.width && before.height === next.height;
  return same ? before : ({ ...before, ...next } as CanvasNode);
}

function sameView(old: BlockView, next: BlockView): BlockView {
  const same = old.node === next.node && old.kind === next.kind && old.label === next.label && old.people === next.people && list(old.exits, next.exits) && list(old.problems, next.problems) && JSON.stringify(old.leads) === JSON.stringify(next.leads);
  return same ? old : next;
}

const list = (old: readonly unknown[], next: readonly unknown[]): boolean => old === next || (old.length === next.length && JSON.stringify(old) === JSON.stringify(next));

export function labelOf(state: State, node: BlockData): string {
  const action = state.metadata.actions.find((found) => found.kind === node.params?.["action"]);
  return action?.label ?? state.metadata.blocks.find((found) => found.kind === node.kind)?.label ?? node.kind;
}

function leadsOf(definition: Definition, exits: readonly Exit[]): Readonly<Record<string, string>> {
  const found = exits.filter((exit) => exit.leads);
  if (!found.length) return NO_LEADS;
  return Object.fromEntries(found.map((exit) => [exit.name, exit.leads === "caller" ? "↩" : exit.entry || sectionName(definition, exit.section)]));
}

const sectionName = (definition: Definition, id: string): string => definition.sections.find((section) => section.id === id)?.name || id || "?";

export function drawnEdges(state: State, old: readonly Edge[]): Edge[] {
  const known = new Map(old.map((edge) => [edge.id, edge]));
  const nodes = sectionNow(state)?.nodes ?? [];
  const here = new Set(nodes.map((node) => node.id));
  return nodes.flatMap((node) =>
    Object.entries(node.exits ?? {}).flatMap(([exit, target]) => {
      if (!here.has(target)) return [];
      const id = edgeId(node.id, exit);
      const selected = state.selectedEdges.has(id);
      const touched = selected || state.selected.has(node.id) || state.selected.has(target);
      const type = isBack(state, node.id, target) ? "smoothstep" : "default";
      const className = touched ? "fb-edge fb-near" : "fb-edge";
      const before = known.get(id);
      if (before && before.target === target && before.selected === selected && before.className === className && before.type === type) return [before];
      return [{ id, type, source: node.id, sourceHandle: exit, target, targetHandle: "in", selected, className, reconnectable: touched && state.save !== "readonly" }];
    }),
  );
}

/** A connection that leads back reads better with corners than as a curve through everything. */
function isBack(state: State, source: string, target: string): boolean {
  const [from, to] = [state.doc.layout.nodes?.[source], state.doc.layout.nodes?.[target]];
  return from !== undefined && to !== undefined && to[0] < from[0] + WIDTH;
}

/** Where a section lies that a block leads to by itself. */
export const ledSection = (state: State, node: BlockData): string => {
  const exit = exitsOf(state, node).find((found) => found.leads === "section");
  if (!exit) return "";
  if (!exit.entry) return exit.section;
  const entry = state.doc.definition.sections.flatMap((section) => section.nodes).find((found) => found.params?.["alias"] === exit.entry);
  return entry ? (sectionOf(state.doc.definition, entry.id)?.id ?? "") : "";
};
