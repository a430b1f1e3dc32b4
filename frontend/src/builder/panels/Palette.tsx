// All kinds of blocks and actions: dragged onto the canvas, or put beside what is chosen by click or Enter.
import { useReactFlow } from "@xyflow/react";
import { useMemo, useState, type DragEvent } from "react";
import { DRAG_TYPE } from "../canvas/Canvas.tsx";
import { WIDTH } from "../model/arranging.ts";
import type { BuilderMetadata, Place } from "../model/types.ts";
import { addBlock, addNoteAt, sectionNow, sizesOf } from "../state/acting.ts";
import { get, useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";

export type Entry = { key: string; kind: string; action?: string; label: string; help: string; icon: string; group: string };

/** Everything that can be added; an action stands for a block that runs it. */
export function entriesOf(metadata: BuilderMetadata): Entry[] {
  const runner = metadata.blocks.find((block) => JSON.stringify(block.schema).includes('"x-role":"action"'));
  const blocks = metadata.blocks.filter((block) => block !== runner).map((block) => ({ key: block.kind, kind: block.kind, label: block.label, help: block.help, icon: block.icon, group: block.group }));
  const actions = runner ? metadata.actions.map((action) => ({ key: action.kind, kind: runner.kind, action: action.kind, label: action.label, help: action.help, icon: runner.icon, group: "actions" })) : [];
  return [...blocks, ...actions];
}

export const matching = (entries: readonly Entry[], typed: string): Entry[] => {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => words.every((word) => `${entry.label} ${entry.help} ${entry.key}`.toLowerCase().includes(word)));
};

/** A place for a block that was not dropped: right of the chosen one, else in the middle of what is seen. */
export function nextPlace(flow: { screenToFlowPosition: (point: Place) => Place }): Place {
  const { selected, doc } = get();
  const beside = [...selected].at(-1);
  const place = beside ? doc.layout.nodes?.[beside] : undefined;
  if (place) return free({ x: place[0] + 320, y: place[1] });
  const box = document.querySelector(".react-flow")?.getBoundingClientRect();
  return free(flow.screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 600) / 2 - 120, y: (box?.top ?? 0) + (box?.height ?? 400) / 2 - 60 }));
}

/** The first place downwards from here that no block covers. */
function free(place: Place): Place {
  const { doc } = get();
  const nodes = sectionNow(get())?.nodes ?? [];
  const sizes = sizesOf(get(), nodes);
  const isTaken = (y: number): boolean =>
    nodes.some((node) => {
      const [left, top] = doc.layout.nodes?.[node.id] ?? [Infinity, Infinity];
      return Math.abs(left - place.x) < WIDTH + 20 && y < top + (sizes.get(node.id) ?? 0) + 20 && top < y + 160;
    });
  let { y } = place;
  while (isTaken(y)) y += 20;
  return { x: place.x, y };
}

export function Palette() {
  const metadata = useBuilder((state) => state.metadata);
  const locked = useBuilder((state) => state.save === "readonly");
  const flow = useReactFlow();
  const [typed, setTyped] = useState("");
  const entries = useMemo(() => entriesOf(metadata), [metadata]);
  const found = matching(entries, typed);
  const groups = [...metadata.groups, { name: "actions", label: gettext("Actions") }];
  if (locked) return null;
  return (
    <section className="fb-palette" aria-label={gettext("Blocks")}>
      <input type="search" id="fb-palette-search" value={typed} placeholder={gettext("Add a block…")} aria-label={gettext("Add a block…")} onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          const first = found[0];
          if (event.key === "Enter" && first) {
            addBlock(first.kind, nextPlace(flow), first.action ? { action: first.action } : {});
            setTyped("");
          }
          if (event.key === "Escape") setTyped("");
        }} />
      <div className="fb-palette-list">
        {groups.map((group) => {
          const inside = found.filter((entry) => entry.group === group.name);
          return inside.length ? (
            <div key={group.name}>
              <h3>{group.label}</h3>
              {inside.map((entry) => (
                <button key={entry.key} type="button" className={`fb-entry fb-group-${entry.group}`} draggable title={entry.help} data-kind={entry.key}
                  onDragStart={(event) => drag(event, { kind: entry.kind, ...(entry.action ? { action: entry.action } : {}) })}
                  onClick={() => addBlock(entry.kind, nextPlace(flow), entry.action ? { action: entry.action } : {})}>
                  <span className="material-symbols-outlined" aria-hidden="true">{entry.icon}</span>
                  {entry.label}
                </button>
              ))}
            </div>
          ) : null;
        })}
        {typed ? null : (
          <div>
            <h3>{gettext("For colleagues")}</h3>
            <button type="button" className="fb-entry" draggable data-kind="note" title={gettext("A text on the canvas that has no part in the dialogue")} onDragStart={(event) => drag(event, { kind: "note" })} onClick={() => addNoteAt(nextPlace(flow))}>
              <span className="material-symbols-outlined" aria-hidden="true">sticky_note_2</span>
              {gettext("Note")}
            </button>
          </div>
        )}
        {found.length ? null : <p className="fb-empty">{gettext("Nothing is called so.")}</p>}
      </div>
    </section>
  );
}

function drag(event: DragEvent, entry: { kind: string; action?: string }): void {
  event.dataTransfer.setData(DRAG_TYPE, JSON.stringify(entry));
  event.dataTransfer.effectAllowed = "copy";
}
