// A block on the canvas: what it is, what it says, and its exits, each with its own place to pull a connection from.
import { Handle, Position, useUpdateNodeInternals, type Node, type NodeProps } from "@xyflow/react";
import { memo, useContext, useEffect, useRef, useState, type MouseEvent as ReactMouseEvent } from "react";
import { flushSync } from "react-dom";
import type { BlockData, BuilderMetadata, Exit, Problem } from "../model/types.ts";
import { textsIn } from "../model/schema.ts";
import { BlockBadge, markStyle } from "../overlay/BlockBadge.tsx";
import { useBlockMark } from "../overlay/marks.ts";
import { Strip } from "../overlay/Numbers.tsx";
import { gettext } from "../texts.ts";
import { Afar, FarBlock } from "./afar.tsx";

export type BlockView = {
  node: BlockData;
  kind: BuilderMetadata["blocks"][number] | undefined;
  label: string;
  exits: readonly Exit[];
  problems: readonly Problem[];
  people: string;
  hit: boolean;
  leads: Readonly<Record<string, string>>;
};
export type BlockNodeType = Node<BlockView, "block">;

const FIRST = ["text", "question", "alias", "action", "name", "outcome", "subject_alias"];

/** The first words of what the block says, names or does. */
export function preview(node: BlockData): string {
  const params = node.params ?? {};
  for (const key of [...FIRST, ...Object.keys(params)]) {
    if (["kind", "mode", "format", "keyboard", "action", "buttons", "choices", "branches"].includes(key)) continue;
    const text = textsIn(params[key]).find((found) => found.trim());
    if (text) return text.slice(0, 160);
  }
  return "";
}

export const BlockNode = memo(function BlockNode(props: NodeProps<BlockNodeType>) {
  return useContext(Afar) ? <FarBlock view={props.data} selected={Boolean(props.selected)} height={props.height} /> : <NearBlock {...props} />;
}, sameView);

function NearBlock({ data, selected }: NodeProps<BlockNodeType>) {
  const { node, kind, exits, problems, people, leads } = data;
  const worst = problems.some((problem) => problem.level === "error") ? "error" : problems.length ? "warning" : "";
  const said = preview(node);
  const mark = useBlockMark(node.id);
  const [near, setNear] = useState(false);
  const live = near || Boolean(selected);
  // Exits that change places without changing the block's size are measured anew, else connections would hang at the wrong ones.
  const measure = useUpdateNodeInternals();
  const order = exits.map((exit) => `${exit.name} ${exit.leads}`).join("\n");
  const measured = useRef(order);
  useEffect(() => {
    if (measured.current !== order) measure(node.id); // the first time React Flow measures all blocks at once
    measured.current = order;
  }, [measure, node.id, order]);
  /** A press that comes sooner than the real handles were drawn is given on to the one that takes the place of what was pressed. */
  const press = (event: ReactMouseEvent<HTMLElement>): void => {
    const drawn = event.target as HTMLElement;
    if (live || !drawn.dataset["handleid"]) return;
    const block = event.currentTarget;
    flushSync(() => setNear(true));
    const { button, clientX, clientY } = event;
    event.stopPropagation();
    block.querySelector(`[data-id="${CSS.escape(drawn.dataset["id"] ?? "")}"]`)?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true, view: window, button, clientX, clientY }));
  };
  return (
    <div onMouseDownCapture={press} onPointerEnter={() => setNear(true)} onPointerLeave={() => setNear(false)} className={`fb-block fb-group-${kind?.group ?? "unknown"}${selected ? " fb-selected" : ""}${worst ? ` fb-has-${worst}` : ""}${data.hit ? " fb-hit" : ""}${mark ? ` fb-marked fb-tone-${mark.tone}` : ""}`} style={markStyle(mark)} data-node={node.id}>
      {mark ? <BlockBadge mark={mark} /> : null}
      <Knob node={node.id} exit="in" live={live} />
      <div className="fb-block-head">
        <span className="material-symbols-outlined fb-block-icon" aria-hidden="true">{kind?.icon ?? "help"}</span>
        <span className="fb-block-names">
          <span className="fb-block-title">{node.title || data.label}</span>
          {node.title ? <span className="fb-block-kind">{data.label}</span> : null}
        </span>
        {node.note ? <span className="material-symbols-outlined fb-block-mark" title={node.note}>sticky_note_2</span> : null}
        {worst ? <span className={`fb-badge fb-${worst}`} title={problems.map((problem) => problem.message).join("\n")}>{problems.length}</span> : null}
      </div>
      {said ? <div className="fb-block-text">{said}</div> : null}
      {mark?.figures ? <Strip figures={mark.figures} /> : null}
      {exits.map((exit) => {
        const target = node.exits?.[exit.name];
        const missing = exit.required && !target && !exit.leads;
        return (
          <div key={exit.name} className={`fb-exit${exit.failure ? " fb-failure" : ""}${missing ? " fb-open-exit" : ""}${target ? " fb-joined" : ""}`} title={exit.failure ? gettext("Taken on failure; without a connection the error section runs") : exit.label}>
            <span>{exit.leads ? `${exit.label} → ${leads[exit.name] ?? ""}` : exit.label}</span>
            {exit.leads ? null : <Knob node={node.id} exit={exit.name} live={live} source />}
          </div>
        );
      })}
      {people ? <div className="fb-people-here"><span className="material-symbols-outlined" aria-hidden="true">person</span>{people}</div> : null}
    </div>
  );
}

/**
 * Where connections begin and end. React Flow's own handle listens to every change of the canvas, and 300 blocks have over a thousand; so only
 * those under the pointer are real, the others are drawn alike and found by their marks when connections are measured and dropped.
 */
function Knob({ node, exit, live, source = false }: { node: string; exit: string; live: boolean; source?: boolean }) {
  const [type, place, own] = source ? (["source", Position.Right, "fb-out"] as const) : (["target", Position.Left, "fb-in"] as const);
  if (live) return <Handle type={type} position={place} id={exit} className={own} />;
  return (
    <div className={`react-flow__handle react-flow__handle-${place} nodrag nopan ${own} ${type} connectable connectablestart connectableend connectionindicator`}
      data-handleid={exit} data-nodeid={node} data-handlepos={place} data-id={`1-${node}-${exit}-${type}`} />
  );
}

/** React Flow gives every node new props while one is dragged; only these are drawn. */
function sameView(old: NodeProps<BlockNodeType>, next: NodeProps<BlockNodeType>): boolean {
  return old.data === next.data && old.selected === next.selected && old.height === next.height;
}
