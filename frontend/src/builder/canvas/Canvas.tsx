// The canvas of one section: drag, connect, choose; blocks come from the palette by drag or from a connection dropped on nothing.
import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  Controls,
  ReactFlow,
  useReactFlow,
  type Connection,
  type Edge,
  type EdgeChange,
  type FinalConnectionState,
  type NodeChange,
  type ReactFlowInstance,
} from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { changeNote, connect, disconnect, moveNodes } from "../model/edits.ts";
import type { Doc, Place } from "../model/types.ts";
import { openWay, useMarkedEdges, useMini } from "../overlay/ways.ts";
import { addBlock, addNoteAt, edgeId, endsOf, sectionNow } from "../state/acting.ts";
import { onLook, showSection } from "../state/choosing.ts";
import { edit, get, set, useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";
import { Afar, Picture, useAfar } from "./afar.tsx";
import { BlockNode } from "./BlockNode.tsx";
import { drawnEdges, drawnNodes, ledSection, type CanvasNode } from "./drawing.ts";
import { canvasWords, colourMode, MANY } from "./frame.ts";
import { NoteNode } from "./NoteNode.tsx";
import { Overview } from "./Overview.tsx";

const NODE_TYPES = { block: BlockNode, note: NoteNode };
export const DRAG_TYPE = "application/x-dialog-bus-block";
// More blocks than these are too small to be read when all of them are shown at once.
const READABLE = 12;
const NO_EDGES: Edge[] = [];
const MORE_KEYS = ["Shift", "Control", "Meta"];
const GRID: [number, number] = [10, 10];
const EDGE = { interactionWidth: 18 };
const FIT = { padding: 0.15, maxZoom: 1, minZoom: 0.1 };

export function Canvas() {
  const flow = useReactFlow<CanvasNode>();
  const state = useBuilder((found) => found);
  const [nodes, setNodes] = useState<CanvasNode[]>([]);
  const edges = useRef<Edge[]>([]);
  const afar = useAfar(nodes.length);
  const locked = state.save === "readonly";
  const { doc, section, selected, selectedEdges, facts, problems, others, metadata } = state;

  useEffect(() => {
    setNodes((old) => drawnNodes(get(), old));
  }, [doc, section, selected, facts, problems, others, metadata, locked]);
  edges.current = useMemo(() => drawnEdges(get(), edges.current), [doc, section, selected, selectedEdges]);

  const shownEdges = useMarkedEdges(edges.current);
  const mini = useMini(miniClass);
  const look = useCallback(
    (ids: readonly string[]) => {
      // The section may have changed just now: its blocks are measured first.
      window.setTimeout(() => void flow.fitView({ nodes: ids.map((id) => ({ id })), duration: 250, maxZoom: Math.max(0.9, flow.getZoom()), minZoom: 0.5, padding: 0.4 }), 60);
    },
    [flow],
  );
  useEffect(() => onLook(look), [look]);
  useEffect(() => {
    const timer = window.setTimeout(() => showBeginning(flow), 80);
    return () => window.clearTimeout(timer);
  }, [section, flow]);

  const onNodesChange = useCallback((changes: NodeChange<CanvasNode>[]) => {
    const shown = changes.filter((change) => change.type !== "remove" && change.type !== "select");
    if (shown.length) setNodes((old) => applyNodeChanges(shown, old));
    choosing(changes);
    settling(changes);
  }, []);

  const onConnect = useCallback((made: Connection) => {
    if (made.sourceHandle) edit((found) => connect(found, made.source, made.sourceHandle ?? "", made.target));
  }, []);
  const onReconnect = useCallback((old: Edge, made: Connection) => {
    const { source, exit } = endsOf(old.id);
    if (made.sourceHandle) edit((found) => connect(disconnect(found, [{ source, exit }]), made.source, made.sourceHandle ?? "", made.target));
    set({ selectedEdges: new Set([edgeId(made.source, made.sourceHandle ?? "")]) });
  }, []);
  const onConnectEnd = useCallback((event: MouseEvent | TouchEvent, ended: FinalConnectionState) => {
    if (ended.isValid || !ended.fromNode || ended.fromHandle?.type !== "source") return;
    const point = "changedTouches" in event ? event.changedTouches[0] : event;
    if (!point) return;
    const [source, exit] = [ended.fromNode.id, ended.fromHandle.id ?? ""];
    const target = blockAt(point.clientX, point.clientY);
    if (target) edit((found) => connect(found, source, exit, target));
    else set({ adding: { x: point.clientX, y: point.clientY, source, exit } });
  }, []);

  const onDrop = useCallback(
    (event: DragEvent) => {
      const found = event.dataTransfer.getData(DRAG_TYPE);
      if (!found) return;
      event.preventDefault();
      const { kind, action } = JSON.parse(found) as { kind: string; action?: string };
      const at = flow.screenToFlowPosition({ x: event.clientX - 60, y: event.clientY - 20 });
      if (kind === "note") addNoteAt(at);
      else addBlock(kind, at, action ? { action } : {});
    },
    [flow],
  );

  const open = useCallback(
    (_event: unknown, node: CanvasNode) => {
      if (afar) return look([node.id]);
      const target = node.type === "block" ? ledSection(get(), node.data.node) : "";
      if (target) showSection(target);
    },
    [afar, look],
  );

  // Whatever stands here must stay the same from frame to frame, else a drag draws every block anew.
  return (
    <Afar value={afar}>
    <ReactFlow<CanvasNode>
      className={afar ? "fb-from-afar" : ""} onMoveStart={moving} onMoveEnd={resting}
      nodes={nodes} edges={afar ? NO_EDGES : shownEdges} nodeTypes={NODE_TYPES} colorMode={colourMode()}
      onNodesChange={onNodesChange} onEdgesChange={choosingEdges} onConnect={onConnect} onConnectEnd={onConnectEnd} onReconnect={onReconnect}
      onDrop={onDrop} onDragOver={allowDrop} onPaneClick={clear} onEdgeClick={openWay}
      onNodeDoubleClick={open} onNodeDragStop={dropped}
      nodesDraggable={!locked} nodesConnectable={!locked} edgesReconnectable={false} onlyRenderVisibleElements={nodes.length > MANY} deleteKeyCode={null} multiSelectionKeyCode={MORE_KEYS} selectionKeyCode="Shift"
      connectionRadius={28} minZoom={0.1} maxZoom={1.8} snapToGrid snapGrid={GRID} elevateNodesOnSelect={false}
      defaultEdgeOptions={EDGE}
      ariaLabelConfig={canvasWords()}
    >
      {afar ? <Picture nodes={nodes} edges={shownEdges} /> : <Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />}
      <Controls showInteractive={false} fitViewOptions={FIT} position="bottom-left" />
      <Overview nodes={nodes} {...mini} />
    </ReactFlow>
    {sectionNow(state)?.nodes.length || locked ? null : <Emptiness />}
    </Afar>
  );
}

const dropped = (_event: unknown, node: CanvasNode, dragged: CanvasNode[]): void => settle(dragged.length ? dragged : [node]);

/** While it moves the canvas is a picture that is pushed about, not drawn anew in every frame. */
const moving = (): void => document.querySelector(".react-flow")?.classList.add("fb-moving");
const resting = (): void => document.querySelector(".react-flow")?.classList.remove("fb-moving");

/** What to do with a section that has no blocks yet. */
function Emptiness() {
  const start = useBuilder((state) => state.metadata.blocks.find((block) => block.begins === "section"));
  return (
    <div className="fb-hint">
      <p>{gettext("Nothing here yet. Drag a block from the list on the left, or press / and type what you look for.")}</p>
      {start ? <button type="button" className="fb-button fb-primary" onClick={() => addBlock(start.kind, { x: 80, y: 200 })}>{gettext("Begin with “%(block)s”", { block: start.label })}</button> : null}
    </div>
  );
}

/** All of a small section; of a large one its first block, large enough to be read. */
function showBeginning(flow: ReactFlowInstance<CanvasNode>): void {
  const nodes = sectionNow(get())?.nodes ?? [];
  const begins = new Set(get().metadata.blocks.filter((block) => block.begins).map((block) => block.kind));
  const place = get().doc.layout.nodes?.[(nodes.find((node) => begins.has(node.kind)) ?? nodes[0])?.id ?? ""];
  // An empty canvas would be moved under the first block that is dropped on it.
  if (!nodes.length) void flow.setViewport({ x: 0, y: 0, zoom: 1 });
  else if (nodes.length <= READABLE || !place) void flow.fitView(FIT);
  else void flow.setCenter(place[0] + 620, place[1] + 60, { zoom: 0.7 });
}

/** The block under the pointer: a connection may be dropped anywhere on it. */
const blockAt = (x: number, y: number): string => document.elementsFromPoint(x, y).map((found) => found.closest<HTMLElement>(".fb-block")?.dataset["node"]).find(Boolean) ?? "";

const miniClass = (node: CanvasNode): string => (node.type === "block" ? `fb-mini-${node.data.kind?.group ?? "unknown"}` : "fb-mini-note");
const clear = (): void => set({ selected: new Set(), selectedEdges: new Set(), adding: null, panel: get().panel === "block" ? "section" : get().panel });

function allowDrop(event: DragEvent): void {
  if (!event.dataTransfer.types.includes(DRAG_TYPE) || get().save === "readonly") return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
}

function choosing(changes: readonly NodeChange<CanvasNode>[]): void {
  const before = get().selected;
  const next = new Set(before);
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) next.add(change.id);
    else next.delete(change.id);
  }
  if (next.size === before.size && [...next].every((id) => before.has(id))) return;
  const { panel } = get();
  set({ selected: next, field: "", panel: next.size ? "block" : panel === "block" ? "section" : panel });
}

function choosingEdges(changes: readonly EdgeChange[]): void {
  const next = new Set(get().selectedEdges);
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) next.add(change.id);
    else next.delete(change.id);
  }
  set({ selectedEdges: next });
}

/** Arrow keys move chosen blocks without a drag; what they did is stored as well. */
function settling(changes: readonly NodeChange<CanvasNode>[]): void {
  const moved = changes.flatMap((change) => (change.type === "position" && change.position && change.dragging === undefined ? [{ id: change.id, position: change.position }] : []));
  if (moved.length) settle(moved, "keys");
}

function settle(moved: ReadonlyArray<{ id: string; position: Place }>, key = ""): void {
  if (get().save === "readonly") return;
  const notes = new Set((get().doc.layout.notes ?? []).map((note) => note.id));
  edit((doc: Doc) => {
    const blocks = moved.filter((node) => !notes.has(node.id));
    const withBlocks = blocks.length ? moveNodes(doc, Object.fromEntries(blocks.map((node) => [node.id, node.position]))) : doc;
    return moved.filter((node) => notes.has(node.id)).reduce((found, node) => changeNote(found, node.id, { x: Math.round(node.position.x), y: Math.round(node.position.y) }), withBlocks);
  }, key && `move.${key}`);
}
