// A free note for colleagues; it has no part in what the scenario does.
import { NodeResizer, type Node, type NodeProps } from "@xyflow/react";
import { memo } from "react";
import type { Sticky } from "../model/types.ts";
import { changeNote } from "../model/edits.ts";
import { edit } from "../state/store.ts";
import { gettext } from "../texts.ts";

export type NoteNodeType = Node<{ note: Sticky; locked: boolean }, "note">;

export const NoteNode = memo(function NoteNode({ data, selected }: NodeProps<NoteNodeType>) {
  const { note, locked } = data;
  return (
    <div className={`fb-note${selected ? " fb-selected" : ""}`}>
      {locked ? null : (
        <NodeResizer isVisible={selected} minWidth={120} minHeight={60}
          onResizeEnd={(_event, size) => edit((doc) => changeNote(doc, note.id, { width: Math.round(size.width), height: Math.round(size.height), x: Math.round(size.x), y: Math.round(size.y) }))} />
      )}
      <textarea className="nodrag nowheel" readOnly={locked} aria-label={gettext("Note")} placeholder={gettext("A note for colleagues")} value={note.text}
        onChange={(event) => edit((doc) => changeNote(doc, note.id, { text: event.target.value }), `note.${note.id}`)} />
    </div>
  );
});
