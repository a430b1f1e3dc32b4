// Marks on connections: words in the middle, the colour and, for figures, how thick they are.
import type { Edge } from "@xyflow/react";
import { useMemo, useRef } from "react";
import { endsOf } from "../state/acting.ts";
import { askPeople } from "./figures.ts";
import { useMarks, wayId, type Mark } from "./marks.ts";
import { gettext } from "../texts.ts";

type Known = { edge: Edge; mark: Mark; drawn: Edge };

const keyOf = (edge: Edge): string => wayId(edge.source, edge.sourceHandle ?? "", edge.target);

/** The same objects as long as neither a connection nor its mark has changed. */
export function useMarkedEdges(edges: Edge[]): Edge[] {
  const marks = useMarks().edges;
  const known = useRef(new Map<string, Known>());
  return useMemo(() => {
    if (!marks.size) return edges;
    const next = new Map<string, Known>();
    const drawn = edges.map((edge) => {
      const mark = marks.get(keyOf(edge));
      if (!mark) return edge;
      const before = known.current.get(edge.id);
      const found = before?.edge === edge && before.mark === mark ? before : { edge, mark, drawn: marked(edge, mark) };
      next.set(edge.id, found);
      return found.drawn;
    });
    known.current = next;
    return drawn;
  }, [edges, marks]);
}

function marked(edge: Edge, mark: Mark): Edge {
  return {
    ...edge, label: mark.label, className: `${edge.className ?? ""} fb-way fb-tone-${mark.tone}`, ariaLabel: mark.title,
    style: { stroke: `color-mix(in oklab, ${mark.colour} 80%, var(--db-muted))`, strokeWidth: 1.5 + mark.weight }, labelStyle: { fill: "var(--db-strong)" }, labelBgStyle: { fill: "var(--db-card)", stroke: mark.colour },
    labelBgPadding: [5, 3], labelBgBorderRadius: 6,
  };
}

/** The number on a connection leads to the people who went that way; a click beside it chooses the connection. */
export function openWay(event: { target: EventTarget }, edge: Edge): void {
  if (!(event.target instanceof Element) || !event.target.closest(".react-flow__edge-textwrapper")) return;
  const { source, exit } = endsOf(edge.id);
  askPeople({ node: source, exit, to: edge.target, counted: "visits", words: gettext("Those who went on from “%(block)s” by “%(exit)s”", { block: source, exit }) });
}
