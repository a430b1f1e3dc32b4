// Marks on connections: words in the middle, the colour and, for figures, how thick they are.
import { useStore, type Edge } from "@xyflow/react";
import { useMemo, useRef } from "react";
import type { CanvasNode } from "../canvas/drawing.ts";
import { endsOf } from "../state/acting.ts";
import { gettext } from "../texts.ts";
import { askPeople } from "./figures.ts";
import { useMarks, wayId, type Mark } from "./marks.ts";
import { blockName, exitName } from "./naming.ts";

type Known = { edge: Edge; mark: Mark; near: boolean; drawn: Edge };
// From farther away words on connections cannot be read, and measuring hundreds of them takes long.
const READABLE = 0.4;

const keyOf = (edge: Edge): string => wayId(edge.source, edge.sourceHandle ?? "", edge.target);

/** The same objects as long as neither a connection nor its mark has changed. */
export function useMarkedEdges(edges: Edge[]): Edge[] {
  const marks = useMarks().edges;
  const near = useStore((state) => state.transform[2] >= READABLE);
  const known = useRef(new Map<string, Known>());
  return useMemo(() => {
    if (!marks.size) return edges;
    const next = new Map<string, Known>();
    const drawn = edges.map((edge) => {
      const mark = marks.get(keyOf(edge));
      if (!mark) return edge;
      const before = known.current.get(edge.id);
      const found = before?.edge === edge && before.mark === mark && before.near === near ? before : { edge, mark, near, drawn: marked(edge, mark, near) };
      next.set(edge.id, found);
      return found.drawn;
    });
    known.current = next;
    return drawn;
  }, [edges, marks, near]);
}

function marked(edge: Edge, mark: Mark, near: boolean): Edge {
  return {
    ...edge, ...(near ? { label: mark.label } : {}), className: `${edge.className ?? ""} fb-way fb-tone-${mark.tone}`, ariaLabel: mark.title,
    style: { stroke: mark.colour, strokeWidth: 1.5 + mark.weight }, labelStyle: { fill: "var(--db-strong)" }, labelBgStyle: { fill: "var(--db-card)", stroke: mark.colour },
    labelBgPadding: [5, 3], labelBgBorderRadius: 6,
  };
}

/** The overview in the colours of the marks, as far as there are any; `usual` names a block's class without them. */
export function useMini(usual: (node: CanvasNode) => string): { nodeClassName: (node: CanvasNode) => string; nodeColor: (node: CanvasNode) => string } {
  const { blocks, otherwise } = useMarks();
  return useMemo(() => {
    const markOf = (node: CanvasNode): Mark | null => (node.type === "block" ? (blocks.get(node.id) ?? otherwise) : null);
    return { nodeClassName: (node) => (markOf(node) ? "fb-mini-marked" : usual(node)), nodeColor: (node) => markOf(node)?.colour ?? "" };
  }, [blocks, otherwise, usual]);
}

/** The number on a connection leads to the people who went that way; a click beside it chooses the connection. */
export function openWay(event: { target: EventTarget }, edge: Edge): void {
  if (!(event.target instanceof Element) || !event.target.closest(".react-flow__edge-textwrapper")) return;
  const { source, exit } = endsOf(edge.id);
  askPeople({ node: source, exit, to: edge.target, counted: "visits", words: gettext("Those who went on from “%(block)s” by “%(exit)s”", { block: blockName(source), exit: exitName(source, exit) }) });
}
