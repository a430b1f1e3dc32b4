// The bar over everything: back, state of saving, who else is here, tools, publishing.
import { arrange } from "../state/acting.ts";
import type { MouseEvent } from "react";
import type { Other } from "../../api/types.ts";
import { nodesOf } from "../model/reading.ts";
import { goTo } from "../state/choosing.ts";
import { allSaved, saveNow } from "../state/saving.ts";
import { mayMeasure, toggleFigures, useFigures } from "../overlay/figures.ts";
import { showDifferences } from "../overlay/opening.ts";
import { get, redo, set, toast, undo, useBuilder, type SaveState } from "../state/store.ts";
import { frame } from "../frame.ts";
import { gettext, ngettext } from "../texts.ts";

const SAVE_ICONS: Record<SaveState, string> = { saved: "cloud_done", unsaved: "cloud_upload", saving: "cloud_sync", offline: "cloud_off", conflict: "group", refused: "error", readonly: "lock" };

/** Pages of the scenario beside the builder, as far as this installation has them. */
const pages = (): ReadonlyArray<readonly [string, string, string]> => [
  ["languages", "translate", gettext("Languages")],
  ["tests", "checklist", gettext("Saved tests")],
];

function saveText(state: SaveState, words: string): string {
  if (words) return words;
  return {
    saved: gettext("Saved"), unsaved: gettext("Saving…"), saving: gettext("Saving…"), offline: gettext("Offline: kept in this browser, saved as soon as the server answers"),
    conflict: gettext("Not saved: changed by somebody else too"), refused: gettext("Not saved"), readonly: gettext("You may only look"),
  }[state];
}

/** Other pages show the stored draft: what was written a moment ago must be in it. */
function savedFirst(event: MouseEvent<HTMLAnchorElement>): void {
  if (["saved", "readonly"].includes(get().save) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  void allSaved().then((done) => (done ? window.location.assign(href) : toast(gettext("Not saved yet, so that the other page would show an older draft. Try again in a moment."), true)));
}

export function Topbar() {
  const save = useBuilder((state) => state.save);
  const words = useBuilder((state) => state.saveWords);
  const past = useBuilder((state) => state.history.past.length);
  const future = useBuilder((state) => state.history.future.length);
  const draft = useBuilder((state) => state.draft);
  const { urls } = frame();
  const measuring = useFigures((state) => state.on);
  const locked = save === "readonly";
  const tool = (icon: string, label: string, keys: string, act: () => void, disabled = false) => (
    <button type="button" className="fb-tool" title={keys ? `${label} (${keys})` : label} aria-label={label} disabled={disabled} onClick={act}>
      <span className="material-symbols-outlined" aria-hidden="true">{icon}</span>
    </button>
  );
  return (
    <header className="fb-top">
      <a className="fb-tool" href={urls["form"]} title={gettext("Back to the scenario")} aria-label={gettext("Back to the scenario")}><span className="material-symbols-outlined" aria-hidden="true">arrow_back</span></a>
      <div className="fb-top-name">
        <h1>{draft.name}</h1>
        <span>{draft.bot}{draft.published ? ` · ${gettext("version %(number)s runs", { number: draft.published })}${draft.differs ? ` · ${gettext("the draft differs")}` : ""}` : ` · ${gettext("not published yet")}`}</span>
      </div>
      <span className={`fb-save fb-save-${save}`} role="status" title={saveText(save, words)}>
        <span className="material-symbols-outlined" aria-hidden="true">{SAVE_ICONS[save]}</span>
        <span>{saveText(save, words)}</span>
      </span>
      <Others />
      <span className="fb-space" />
      {tool("undo", gettext("Undo"), "Ctrl+Z", undo, locked || !past)}
      {tool("redo", gettext("Redo"), "Ctrl+Y", redo, locked || !future)}
      {tool("account_tree", gettext("Put in order"), "Shift+L", arrange, locked)}
      {tool("content_paste", gettext("Insert blocks from text"), "Ctrl+V", () => set({ pasting: true }), locked)}
      {tool("search", gettext("Search"), "Ctrl+F", () => set({ search: true }))}
      {tool("keyboard", gettext("Keys"), "?", () => set({ help: true }))}
      {mayMeasure() ? (
        <button type="button" className="fb-tool" aria-pressed={measuring} title={gettext("Figures")} aria-label={gettext("Figures")} onClick={toggleFigures}>
          <span className="material-symbols-outlined" aria-hidden="true">monitoring</span>
        </button>
      ) : null}
      {draft.published ? tool("difference", gettext("Differences between versions"), "", () => void showDifferences()) : null}
      {pages().map(([name, icon, label]) =>
        urls[name] ? (
          <a key={name} className="fb-tool" href={urls[name]} onClick={savedFirst} title={label} aria-label={label}><span className="material-symbols-outlined" aria-hidden="true">{icon}</span></a>
        ) : null,
      )}
      {urls["preview"] ? <a className="fb-button" href={urls["preview"]} onClick={savedFirst}>{gettext("Try it")}</a> : null}
      {locked ? null : <button type="button" className="fb-button fb-primary" onClick={() => void saveNow().then(() => set({ publishing: true }))}>{gettext("Publish…")}</button>}
    </header>
  );
}

/** Who else is here and at which block; a press goes there. */
function Others() {
  const others = useBuilder((state) => state.others);
  const definition = useBuilder((state) => state.doc.definition);
  if (!others.length) return null;
  const blocks = new Map(nodesOf(definition).map((node) => [node.id, node.title || node.id]));
  const name = (other: Other): string => (other.mine ? gettext("you, in another window") : other.name);
  const where = (other: Other): string => (blocks.has(other.node) ? gettext("%(name)s at “%(block)s”", { name: name(other), block: blocks.get(other.node) ?? "" }) : name(other));
  return (
    <span className="fb-others">
      {others.slice(0, 4).map((other) => (
        <button key={other.window} type="button" className="fb-avatar" title={where(other)} aria-label={where(other)} onClick={() => goTo(other.node)}>{(other.mine ? "+" : other.name).slice(0, 2)}</button>
      ))}
      <span className="fb-others-text">{others.length > 2 ? ngettext("%(count)s other here", "%(count)s others here", others.length) : others.map(where).join(", ")}</span>
    </span>
  );
}
