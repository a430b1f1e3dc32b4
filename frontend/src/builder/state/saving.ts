// Saves as the author types. Never over a colleague: a save that is refused shows what they changed and offers both together.
import type { Conflict } from "../../api/types.ts";
import { ApiError, askConflict, conflictOf, meet, readDraft, saveDraft } from "../api.ts";
import { merge, same, type Clash } from "../model/merging.ts";
import { readDoc } from "../model/reading.ts";
import type { Doc, Draft } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { drawable } from "./acting.ts";
import { addCopy, forget, keep, kept } from "./keeping.ts";
import { get, replaceDoc, set, subscribe, toast } from "./store.ts";

const PAUSE = 900;
const LONGEST = 5000;
const RETRY = 4000;
const MEET = 5000;
const SOON = 600;

/** The document as the server has it, and its revision. */
let base: Doc;
let revision = 0;
let timer = 0;
let dirtySince = 0;
let busy = false;
let safe = true;
let greeting = 0;
const windowId = crypto.randomUUID?.() ?? `window-${Date.now()}-${Math.floor(Math.random() * 1e9)}`;

export function startSaving(draft: Draft, stored: Doc): void {
  base = stored;
  revision = draft.revision;
  restore(draft);
  let [seen, chosen] = [get().doc, get().selected];
  subscribe(() => {
    const { doc, selected } = get();
    if (selected !== chosen && greeting) {
      // Colleagues see soon where one is.
      window.clearTimeout(greeting);
      greeting = window.setTimeout(() => void greet(), SOON);
    }
    chosen = selected;
    if (doc === seen) return;
    seen = doc;
    changed();
  });
  window.addEventListener("online", () => schedule(0));
  window.addEventListener("beforeunload", (event) => {
    if (get().save !== "saved" && get().save !== "readonly" && !safe) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") schedule(0);
  });
  window.addEventListener("pagehide", () => void meet(windowId, "", true).catch(() => undefined));
  void greet();
}

/** What an earlier visit could not save comes back, together with what others have saved since. */
function restore(draft: Draft): void {
  const found = kept(draft.id);
  if (!found || !draft.may_edit) return;
  const [mine, old] = [readDoc(found.doc.definition, found.doc.layout).doc, readDoc(found.base.definition, found.base.layout).doc];
  if (!mine || !old || same(mine, base)) return forget(draft.id);
  if (found.revision === draft.revision) {
    replaceDoc(mine, { save: "unsaved" });
    toast(gettext("Changes of your last visit that were not saved are back."));
    return schedule(PAUSE);
  }
  set({ doc: mine, save: "conflict" });
  void askConflict(mine, found.revision, old).then((told) => conflict(told ?? untold(draft), old));
}

function changed(): void {
  const { save, doc, draft } = get();
  if (save === "readonly" || save === "saved") return;
  safe = keep(draft.id, { revision, base, doc, at: Date.now() });
  if (save === "conflict") return;
  dirtySince ||= Date.now();
  schedule(Date.now() - dirtySince > LONGEST ? 0 : PAUSE);
}

function schedule(pause: number): void {
  if (get().save === "readonly" || get().save === "conflict") return;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void saveNow(), pause);
}

/** Whether everything is saved afterwards. */
export async function saveNow(): Promise<boolean> {
  window.clearTimeout(timer);
  const { doc, save } = get();
  if (save === "readonly" || save === "conflict") return false;
  if (doc === base || same(doc, base)) {
    settle(doc, get().draft);
    return true;
  }
  if (busy) {
    schedule(PAUSE);
    return false;
  }
  busy = true;
  set({ save: "saving" });
  try {
    settle(doc, await saveDraft(doc, revision));
    return get().save === "saved";
  } catch (error) {
    failed(error instanceof ApiError ? error : new ApiError(0, ""), doc);
    return false;
  } finally {
    busy = false;
  }
}

/** Saves, and waits for a save that is on its way; false when it cannot be done now. */
export async function allSaved(): Promise<boolean> {
  for (let tries = 0; tries < 20; tries += 1) {
    if (await saveNow()) return true;
    if (!["saving", "unsaved"].includes(get().save)) return false;
    await new Promise((done) => window.setTimeout(done, 150));
  }
  return false;
}

function settle(doc: Doc, draft: Draft): void {
  base = doc;
  revision = draft.revision;
  dirtySince = 0;
  const all = get().doc === doc;
  set({ draft, save: all ? "saved" : "unsaved", saveWords: "" });
  if (all) {
    forget(draft.id);
    safe = true;
  } else changed();
}

function failed(error: ApiError, doc: Doc): void {
  const refused = conflictOf(error);
  if (refused) {
    set({ save: "conflict" });
    return void askConflict(doc, revision, base).then((told) => conflict(told ?? refused, base));
  }
  if (error.status === 401) return set({ save: "refused", saveWords: gettext("You are signed out. Sign in again in another tab; your changes are kept in this browser.") });
  if (error.status >= 400 && error.status < 500) return set({ save: "refused", saveWords: error.message || gettext("The server refused the draft. Your changes are kept in this browser.") });
  set({ save: "offline", saveWords: "" });
  safe = keep(get().draft.id, { revision, base, doc, at: Date.now() });
  timer = window.setTimeout(() => void saveNow(), RETRY);
}

/** Nobody could say what differs; the documents themselves still can be brought together. */
const untold = (theirs: Draft): Conflict => ({ detail: "", theirs, saves: [], compared: "yours", changes: [], yours: [], collides: [] });

/** Their draft and ours have both grown out of `old`. */
function conflict(told: Conflict, old: Doc): void {
  const { theirs } = told;
  const mine = get().doc;
  const read = readDoc(theirs.definition, theirs.layout);
  const their = read.doc && drawable(read.doc);
  if (!their) return set({ save: "refused", saveWords: gettext("Somebody else has saved a draft that cannot be drawn. Open the JSON editor.") });
  if (same(their, mine)) {
    replaceDoc(their);
    return settle(get().doc, theirs);
  }
  set({ save: "conflict", conflict: { old, theirs, theirDoc: their, clashes: merge(old, mine, their).clashes, told } });
}

/**
 * The author's decision about a conflict; `takeMine` decides clashes when both are brought together. Both documents can be had again: by undo,
 * and what was left out also as a copy in this browser.
 */
export function settleConflict(take: "both" | "mine" | "theirs", takeMine: (clash: Clash) => boolean = () => false): void {
  const { conflict: found, doc: mine, history, draft } = get();
  if (!found) return;
  const { theirDoc, theirs, old, clashes } = found;
  base = theirDoc;
  revision = theirs.revision;
  const doc = { both: () => drawable(merge(old, mine, theirDoc, takeMine).doc), mine: () => mine, theirs: () => theirDoc }[take]();
  if (take !== "mine" && (take === "theirs" || clashes.length)) addCopy(draft.id, { at: Date.now(), of: "", doc: mine });
  if (take !== "theirs" && (take === "mine" || clashes.length)) addCopy(draft.id, { at: Date.now(), of: theirs.saved_by || gettext("Somebody else"), doc: theirDoc });
  const past = [...history.past, ...[theirDoc, mine].filter((side) => side !== doc)];
  replaceDoc(doc, { conflict: null, save: "unsaved", draft: theirs, history: { past, future: [], key: "", at: 0 } });
  toast({ both: gettext("Both are together now."), mine: gettext("Yours is saved over theirs."), theirs: gettext("Theirs is shown.") }[take] + " " + gettext("Undo brings back what was before; copies lie under “Scenario”."));
  schedule(0);
}

// --- colleagues --------------------------------------------------------------------------------------------------------

async function greet(): Promise<void> {
  greeting = 0;
  try {
    const node = [...get().selected][0] ?? "";
    const answer = await meet(windowId, node.slice(0, 100));
    if (JSON.stringify(answer.others) !== JSON.stringify(get().others)) set({ others: answer.others });
    if (answer.revision > revision && !busy && (get().save === "saved" || get().save === "readonly")) await follow();
  } catch {
    if (get().others.length) set({ others: [] });
  } finally {
    greeting = window.setTimeout(() => void greet(), document.visibilityState === "hidden" ? MEET * 4 : MEET);
  }
}

/** A colleague has saved while we had nothing of our own: show it. */
async function follow(): Promise<void> {
  const before = get().doc;
  const draft = await readDraft();
  const read = readDoc(draft.definition, draft.layout);
  if (!read.doc || get().doc !== before || draft.revision <= revision) return;
  base = drawable(read.doc);
  revision = draft.revision;
  replaceDoc(base, { draft });
  toast(draft.saved_by ? gettext("%(name)s has saved changes; they are shown now.", { name: draft.saved_by }) : gettext("The draft was changed elsewhere; it is shown as it is now."));
}
