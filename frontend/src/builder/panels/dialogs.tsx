// What lies over the page: publishing, the search, the keys, a short word about what happened.
import { useReactFlow } from "@xyflow/react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { frame } from "../frame.ts";
import { labelOf } from "../canvas/drawing.ts";
import { textsIn } from "../model/schema.ts";
import { pasteText } from "../state/acting.ts";
import { goTo, goToProblem } from "../state/choosing.ts";
import { saveNow } from "../state/saving.ts";
import { get, set, useBuilder, type State } from "../state/store.ts";
import { gettext, ngettext } from "../texts.ts";

export function Dialog({ title, onClose, children }: { title: string; onClose: (() => void) | null; children: ReactNode }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} className="fb-dialog" aria-label={title} onCancel={(event) => (onClose ? onClose() : event.preventDefault())}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

// --- publishing -----------------------------------------------------------------------------------------------------------

export function PublishDialog() {
  const open = useBuilder((state) => state.publishing);
  const problems = useBuilder((state) => state.problems);
  const save = useBuilder((state) => state.save);
  if (!open) return null;
  const close = (): void => set({ publishing: false });
  const errors = problems.filter((problem) => problem.level === "error");
  const shown = errors.length ? errors : problems;
  const go = async (): Promise<void> => {
    if (await saveNow()) window.location.assign(frame().urls["publish"] ?? "");
  };
  return (
    <Dialog title={errors.length ? gettext("It cannot be published yet") : gettext("Publish")} onClose={close}>
      <p>
        {errors.length ? ngettext("%(count)s error must be corrected first:", "%(count)s errors must be corrected first:", errors.length)
          : problems.length ? ngettext("%(count)s warning. You may publish all the same:", "%(count)s warnings. You may publish all the same:", problems.length)
          : gettext("The check has found nothing wrong. On the next page you see what changes and for whom.")}
      </p>
      <ul className="fb-problems">
        {shown.slice(0, 30).map((problem, index) => (
          <li key={index}><button type="button" className={`fb-problem fb-${problem.level}`} onClick={() => {
            close();
            goToProblem(problem);
          }}>{problem.message}</button></li>
        ))}
      </ul>
      <div className="fb-row fb-dialog-acts">
        <button type="button" className="fb-button" onClick={close}>{gettext("Back to the draft")}</button>
        {errors.length ? null : <button type="button" className="fb-button fb-primary" autoFocus disabled={save === "conflict"} onClick={() => void go()}>{gettext("Go on to publishing")}</button>}
      </div>
    </Dialog>
  );
}

// --- search ---------------------------------------------------------------------------------------------------------------

type Hit = { id: string; title: string; section: string; text: string };

export function hits(state: State, typed: string): Hit[] {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return [];
  return state.doc.definition.sections.flatMap((section) =>
    section.nodes.flatMap((node) => {
      const texts = [node.title ?? "", node.id, labelOf(state, node), node.note ?? "", ...textsIn(node.params)];
      const found = texts.find((text) => text.toLowerCase().includes(wanted));
      return found === undefined ? [] : [{ id: node.id, title: node.title || labelOf(state, node), section: section.name || section.id, text: found }];
    }),
  );
}

export function Search() {
  const open = useBuilder((state) => state.search);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  if (!open) return null;
  const found = hits(get(), typed).slice(0, 50);
  const close = (): void => set({ search: false });
  const go = (hit: Hit | undefined): void => {
    if (!hit) return;
    close();
    goTo(hit.id);
  };
  return (
    <Dialog title={gettext("Search")} onClose={close}>
      <input type="search" autoFocus value={typed} aria-label={gettext("Search in titles, texts and names")} placeholder={gettext("Search in titles, texts and names")}
        onChange={(event) => {
          setTyped(event.target.value);
          setChosen(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(found[chosen]);
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setChosen((old) => Math.max(0, Math.min(found.length - 1, old + (event.key === "ArrowDown" ? 1 : -1))));
          }
        }} />
      <ul className="fb-hits" role="listbox">
        {found.map((hit, index) => (
          <li key={hit.id} ref={index === chosen ? intoView : null} role="option" aria-selected={index === chosen} onMouseEnter={() => setChosen(index)} onClick={() => go(hit)}>
            <strong>{hit.title}</strong> <span>{hit.section}</span>
            <div>{hit.text.slice(0, 120)}</div>
          </li>
        ))}
      </ul>
      {typed && !found.length ? <p className="fb-empty">{gettext("Nothing was found.")}</p> : null}
      <div className="fb-row fb-dialog-acts"><button type="button" className="fb-button" onClick={close}>{gettext("Close")}</button></div>
    </Dialog>
  );
}

const intoView = (item: HTMLElement | null): void => item?.scrollIntoView({ block: "nearest" });

// --- blocks as text -------------------------------------------------------------------------------------------------------

/** For those who use no keys, and for text that came by letter or file. */
export function PasteDialog() {
  const open = useBuilder((state) => state.pasting);
  const [text, setText] = useState("");
  const flow = useReactFlow();
  if (!open) return null;
  const close = (): void => {
    setText("");
    set({ pasting: false });
  };
  const insert = (): void => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    const at = flow.screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 0) / 3, y: (box?.top ?? 0) + (box?.height ?? 0) / 3 });
    if (pasteText(text, at)) close();
  };
  return (
    <Dialog title={gettext("Insert blocks from text")} onClose={close}>
      <p>{gettext("Copied blocks are text. Put it here to insert them into this section, also from another scenario or an exported file.")}</p>
      <textarea className="fb-mono" rows={10} autoFocus value={text} aria-label={gettext("Blocks as JSON")} onChange={(event) => setText(event.target.value)} />
      <div className="fb-row fb-dialog-acts">
        <button type="button" className="fb-button" onClick={close}>{gettext("Close")}</button>
        <button type="button" className="fb-button fb-primary" disabled={!text.trim()} onClick={insert}>{gettext("Insert")}</button>
      </div>
    </Dialog>
  );
}

// --- keys -----------------------------------------------------------------------------------------------------------------

export function Help() {
  const open = useBuilder((state) => state.help);
  if (!open) return null;
  const close = (): void => set({ help: false });
  const keys: Array<[string, string]> = [
    ["Tab", gettext("From block to block")], ["Enter", gettext("Choose the block; once more: into its form")], [gettext("Arrow keys"), gettext("Move what is chosen")], ["Delete", gettext("Delete what is chosen")],
    ["/", gettext("Add a block")], ["Ctrl+C, X, V", gettext("Copy, cut, paste; also into another scenario or as text")], ["Ctrl+D", gettext("Duplicate")], ["Ctrl+A", gettext("Choose everything in the section")],
    ["Ctrl+Z, Y", gettext("Undo, redo")], ["Ctrl+F", gettext("Search")], ["Shift+L", gettext("Put in order")], ["Shift+1", gettext("Show everything")], ["Alt+↑ ↓", gettext("Section before, section after")], ["Ctrl+S", gettext("Save now")], ["Esc", gettext("Back to the canvas; choose nothing")],
  ];
  return (
    <Dialog title={gettext("Keys")} onClose={close}>
      <p>{gettext("Connections are made in the form too: “Where it goes on”. Hold Shift and drag to choose several blocks.")}</p>
      <dl className="fb-keys">{keys.map(([key, text]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{text}</dd></div>)}</dl>
      <div className="fb-row fb-dialog-acts"><button type="button" className="fb-button" autoFocus onClick={close}>{gettext("Close")}</button></div>
    </Dialog>
  );
}

export function Toast() {
  const toast = useBuilder((state) => state.toast);
  useEffect(() => {
    if (!toast) return undefined;
    const timer = window.setTimeout(() => set({ toast: null }), toast.bad ? 9000 : 5000);
    return () => window.clearTimeout(timer);
  }, [toast]);
  return <div className={`fb-toast${toast ? " fb-up" : ""}${toast?.bad ? " fb-bad" : ""}`} role="status" aria-live="polite">{toast?.text}</div>;
}
