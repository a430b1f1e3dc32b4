// How a large section is drawn from afar: simple boxes, and all connections as plain lines that React Flow knows nothing of.
import { getBezierPath, Position, useStore, ViewportPortal, type Edge } from "@xyflow/react";
import { createContext, memo, type CSSProperties } from "react";
import { heightOf, WIDTH } from "../model/arranging.ts";
import { markStyle } from "../overlay/BlockBadge.tsx";
import { useBlockMark, type Mark } from "../overlay/marks.ts";
import { preview, type BlockNodeType, type BlockView } from "./BlockNode.tsx";
import type { CanvasNode } from "./drawing.ts";

/** Smaller than this texts cannot be read. */
const SMALL = 0.45;
/** So few blocks are drawn whole at any size. */
const FEW = 40;
const [ENTRY, ROW, FOOT] = [24, 26, 5];
// From there a line must be thicker to be seen alike.
const THICK = 3;
const WORDS = 26;
const AROUND = 600;

export const Afar = createContext(false);

export const useAfar = (count: number): boolean => useStore((state) => state.transform[2] < SMALL) && count > FEW;

/** A block's height: as it was measured, before that as it will be about. */
export const tallness = (view: BlockView, measured: number | undefined): number => measured ?? heightOf(view.exits.length, Boolean(preview(view.node)));

/**
 * All blocks and connections as one picture, in which nothing has a transform of its own: a browser puts together hundreds of those anew in every
 * frame. What is chosen lies over it, so that a drag draws only that anew.
 */
export function Picture({ nodes, edges }: { nodes: readonly CanvasNode[]; edges: readonly Edge[] }) {
  const blocks = nodes.filter((node): node is BlockNodeType => node.type === "block");
  const [near, far] = lines(blocks, edges);
  return (
    <ViewportPortal>
      <div className="fb-picture" aria-hidden="true">
        <div className="fb-ground" style={groundOf(blocks)} />
        <Lines className="fb-lines" lines={far} />
        {blocks.map((node) => (node.selected ? null : <Spot key={node.id} view={node.data} x={node.position.x} y={node.position.y} height={tallness(node.data, node.measured?.height)} />))}
      </div>
      <Lines className="fb-lines fb-lines-near" lines={near} />
    </ViewportPortal>
  );
}

/** The canvas's own colour under everything: only on an opaque ground browsers put all texts into one layer. */
function groundOf(blocks: readonly BlockNodeType[]): CSSProperties {
  const [xs, ys] = [blocks.map((node) => node.position.x), blocks.map((node) => node.position.y)];
  const [left, top] = [Math.min(...xs) - AROUND, Math.min(...ys) - AROUND];
  return { left, top, width: Math.max(...xs) - left + 2 * AROUND, height: Math.max(...ys) - top + 2 * AROUND };
}

const Spot = memo(function Spot({ view, x, y, height }: { view: BlockView; x: number; y: number; height: number }) {
  const mark = useBlockMark(view.node.id);
  return <div className={classOf(view, mark)} style={{ ...markStyle(mark), left: x, top: y, width: WIDTH, height }}><Face view={view} mark={mark} /></div>;
});

function classOf(view: BlockView, mark: Mark | null): string {
  const worst = view.problems.some((problem) => problem.level === "error") ? "error" : view.problems.length ? "warning" : "";
  return `fb-spot fb-group-${view.kind?.group ?? "unknown"}${worst ? ` fb-has-${worst}` : ""}${view.people ? " fb-visited" : ""}${mark ? ` fb-marked fb-tone-${mark.tone}` : ""}`;
}

/** What can be made out of a block from there. */
function Face({ view, mark }: { view: BlockView; mark: Mark | null }) {
  const words = mark?.label || view.people || view.node.title || preview(view.node) || view.label;
  return (
    <>
      <span className="fb-spot-icon" aria-hidden="true">{mark?.icon ?? view.kind?.icon ?? "help"}</span>
      <span className="fb-spot-title">{words.length > WORDS ? `${words.slice(0, WORDS - 1)}…` : words}</span>
    </>
  );
}

/** The block itself: the place of its spot, to be pressed, dragged and reached by keys; drawn only while it is chosen. */
export function FarBlock({ view, selected, height }: { view: BlockView; selected: boolean; height: number | undefined }) {
  const mark = useBlockMark(view.node.id);
  return (
    <div className={`fb-block fb-afar${selected ? ` fb-selected ${classOf(view, mark)}` : ""}`} data-node={view.node.id} style={{ ...(selected ? markStyle(mark) : {}), height: tallness(view, height) }}>
      {selected ? <Face view={view} mark={mark} /> : null}
      <End type="target" exit="in" side="left" at={ENTRY} />
      {view.exits.map((exit) => (exit.leads ? null : <End key={exit.name} type="source" exit={exit.name} side="right" at={exitAt(view, exit.name, height)} />))}
    </div>
  );
}

/** Unseen: by these React Flow knows where connections begin and end, for when the canvas comes nearer. */
function End({ type, exit, side, at }: { type: string; exit: string; side: string; at: number }) {
  return <i className={`${type} fb-end fb-end-${side}`} data-handleid={exit} data-handlepos={side} style={{ top: at }} />;
}

// --- connections -----------------------------------------------------------------------------------------------------------

/** Colour and thickness → all connections that look so; those of chosen blocks and the others. */
type Looks = ReadonlyMap<string, string>;

function lines(blocks: readonly BlockNodeType[], edges: readonly Edge[]): [Looks, Looks] {
  const places = new Map(blocks.map((node) => [node.id, node]));
  const [near, far] = [new Map<string, string>(), new Map<string, string>()];
  for (const edge of edges) {
    const [source, target] = [places.get(edge.source), places.get(edge.target)];
    if (!source || !target) continue;
    const look = edge.style ? `${edge.style.stroke} ${Number(edge.style.strokeWidth) * THICK}` : "";
    const found = source.selected || target.selected ? near : far;
    found.set(look, (found.get(look) ?? "") + line(source, edge.sourceHandle ?? "", target));
  }
  return [near, far];
}

function Lines({ className, lines }: { className: string; lines: Looks }) {
  return <svg className={className}>{[...lines].map(([look, path]) => <Line key={look} look={look} path={path} />)}</svg>;
}

const Line = memo(function Line({ look, path }: { look: string; path: string }) {
  const end = look.lastIndexOf(" ");
  return <path d={path} style={look ? { stroke: look.slice(0, end), strokeWidth: look.slice(end + 1) } : {}} />;
});

function line(source: BlockNodeType, exit: string, target: BlockNodeType): string {
  return getBezierPath({
    sourceX: source.position.x + WIDTH, sourceY: source.position.y + exitAt(source.data, exit, source.measured?.height), sourcePosition: Position.Right,
    targetX: target.position.x, targetY: target.position.y + ENTRY, targetPosition: Position.Left,
  })[0];
}

/** Exits lie in rows at the block's foot. */
function exitAt(view: BlockView, exit: string, measured: number | undefined): number {
  const below = view.exits.length - view.exits.findIndex((found) => found.name === exit);
  return tallness(view, measured) - FOOT - below * ROW + ROW / 2;
}
