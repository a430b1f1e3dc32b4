// The bar over everything: back, state of saving, who else is here, tools, publishing.
import { arrange } from "../state/acting.ts";
import { saveNow } from "../state/saving.ts";
import { redo, set, undo, useBuilder, type SaveState } from "../state/store.ts";
import { frame } from "../frame.ts";
import { t, tn } from "../texts.ts";

const SAVE_ICONS: Record<SaveState, string> = { saved: "cloud_done", unsaved: "cloud_upload", saving: "cloud_sync", offline: "cloud_off", conflict: "group", refused: "error", readonly: "lock" };

/** Pages of the scenario beside the builder, as far as this installation has them. */
const PAGES: ReadonlyArray<readonly [string, string, string]> = [
  ["languages", "translate", "Languages"],
  ["analytics", "monitoring", "Figures"],
  ["tests", "checklist", "Saved tests"],
  ["versions", "difference", "Versions and differences"],
];

function saveText(state: SaveState, words: string): string {
  if (words) return words;
  return {
    saved: t("Saved"), unsaved: t("Saving…"), saving: t("Saving…"), offline: t("Offline: kept in this browser, saved as soon as the server answers"),
    conflict: t("Not saved: changed by somebody else too"), refused: t("Not saved"), readonly: t("You may only look"),
  }[state]; // prettier-ignore
}

export function Topbar() {
  const save = useBuilder((state) => state.save);
  const words = useBuilder((state) => state.saveWords);
  const past = useBuilder((state) => state.history.past.length);
  const future = useBuilder((state) => state.history.future.length);
  const draft = useBuilder((state) => state.draft);
  const others = useBuilder((state) => state.others);
  const { urls } = frame();
  const locked = save === "readonly";
  const tool = (icon: string, label: string, keys: string, act: () => void, disabled = false) => (
    <button type="button" className="fb-tool" title={keys ? `${label} (${keys})` : label} aria-label={label} disabled={disabled} onClick={act}>
      <span className="material-symbols-outlined" aria-hidden="true">{icon}</span>
    </button>
  );
  return (
    <header className="fb-top">
      <a className="fb-tool" href={urls["form"]} title={t("Back to the scenario")} aria-label={t("Back to the scenario")}><span className="material-symbols-outlined" aria-hidden="true">arrow_back</span></a>
      <div className="fb-top-name">
        <h1>{draft.name}</h1>
        <span>{draft.bot}{draft.published ? ` · ${t("version %(number)s runs", { number: draft.published })}${draft.differs ? ` · ${t("the draft differs")}` : ""}` : ` · ${t("not published yet")}`}</span>
      </div>
      <span className={`fb-save fb-save-${save}`} role="status" title={saveText(save, words)}>
        <span className="material-symbols-outlined" aria-hidden="true">{SAVE_ICONS[save]}</span>
        <span>{saveText(save, words)}</span>
      </span>
      {others.length ? (
        <span className="fb-others" title={others.map((other) => (other.mine ? t("you, in another window") : other.name)).join(", ")}>
          {others.slice(0, 4).map((other) => <span key={other.window} className="fb-avatar">{(other.mine ? "+" : other.name).slice(0, 2)}</span>)}
          <span className="fb-others-text">{tn("%(count)s other here", "%(count)s others here", others.length)}</span>
        </span>
      ) : null}
      <span className="fb-space" />
      {tool("undo", t("Undo"), "Ctrl+Z", undo, locked || !past)}
      {tool("redo", t("Redo"), "Ctrl+Y", redo, locked || !future)}
      {tool("account_tree", t("Put in order"), "Shift+L", arrange, locked)}
      {tool("search", t("Search"), "Ctrl+F", () => set({ search: true }))}
      {tool("keyboard", t("Keys"), "?", () => set({ help: true }))}
      {PAGES.map(([name, icon, label]) =>
        urls[name] && (name !== "versions" || draft.published) ? (
          <a key={name} className="fb-tool" href={urls[name]} title={t(label)} aria-label={t(label)}><span className="material-symbols-outlined" aria-hidden="true">{icon}</span></a>
        ) : null,
      )}
      {urls["preview"] ? <a className="fb-button" href={urls["preview"]}>{t("Try it")}</a> : null}
      {locked ? null : <button type="button" className="fb-button fb-primary" onClick={() => void saveNow().then(() => set({ publishing: true }))}>{t("Publish…")}</button>}
    </header>
  ); // prettier-ignore
}
