// Somebody else has saved: who, what they and we have changed in words, where both have, and what is to become of it.
import { useState, type ReactNode } from "react";
import type { ChangedPlace, Conflict } from "../../api/types.ts";
import type { Clash } from "../model/merging.ts";
import { copyDocument } from "../state/acting.ts";
import { settleConflict } from "../state/saving.ts";
import { get, useBuilder, type ConflictState } from "../state/store.ts";
import { gettext } from "../texts.ts";
import { Dialog } from "./dialogs.tsx";

const SHOWN = 40;

export function ConflictDialog() {
  const found = useBuilder((state) => state.conflict);
  return found ? <Choices key={found.theirs.revision} found={found} /> : null;
}

function Choices({ found }: { found: ConflictState }) {
  const { theirs, clashes, told } = found;
  const [mine, setMine] = useState<ReadonlySet<Clash>>(new Set(clashes.filter((clash) => clash.lost === "theirs")));
  const [sure, setSure] = useState(false);
  const who = theirs.saved_by || gettext("Somebody else");
  const both = (): void => {
    const ids = new Set([...mine].map((clash) => `${clash.what} ${clash.id}`));
    settleConflict("both", (clash) => ids.has(`${clash.what} ${clash.id}`));
  };
  return (
    <Dialog title={gettext("%(name)s has saved this scenario meanwhile", { name: who })} onClose={null}>
      <p>{gettext("Your changes are not lost, and nothing of theirs is written over before you choose.")} {savedBy(told)}</p>
      <Changes title={told.compared === "base" ? gettext("Changed by %(name)s", { name: who }) : gettext("Theirs differs from yours in")} changes={told.changes} collides={told.collides} />
      {told.yours.length ? <Changes title={gettext("Changed by you")} changes={told.yours} collides={told.collides} /> : null}
      {clashes.length ? (
        <fieldset className="fb-clashes">
          <legend>{gettext("Both of you have changed these. Which is to stay when both are brought together?")}</legend>
          {clashes.map((clash) => (
            <div key={`${clash.what} ${clash.id}`} className="fb-row">
              <span>{nameOf(clash)}</span>
              <span className="fb-segments" role="radiogroup" aria-label={nameOf(clash)}>
                <button type="button" role="radio" aria-checked={!mine.has(clash)} onClick={() => setMine(new Set([...mine].filter((other) => other !== clash)))}>{clash.lost === "theirs" ? gettext("Remove it, as they did") : gettext("Theirs")}</button>
                <button type="button" role="radio" aria-checked={mine.has(clash)} onClick={() => setMine(new Set([...mine, clash]))}>{clash.lost === "mine" ? gettext("Remove it, as I did") : gettext("Mine")}</button>
              </span>
            </div>
          ))}
        </fieldset>
      ) : null}
      <div className="fb-row fb-dialog-acts">
        <button type="button" className="fb-button" onClick={() => void copyDocument(get().doc)}>{gettext("Copy mine as JSON")}</button>
        <span className="fb-space" />
        <button type="button" className="fb-button" onClick={() => settleConflict("theirs")}>{gettext("Take theirs, drop mine")}</button>
        <button type="button" className="fb-button fb-danger" onClick={() => (sure ? settleConflict("mine") : setSure(true))}>{sure ? gettext("Yes, write over what %(name)s has saved", { name: who }) : gettext("Write over theirs with mine…")}</button>
        <button type="button" className="fb-button fb-primary" autoFocus onClick={both}>{gettext("Bring both together")}</button>
      </div>
    </Dialog>
  );
}

function savedBy(told: Conflict): string {
  const time = new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "short", timeStyle: "short" });
  const saves = told.saves.map((save) => `${save.by || gettext("a program")}, ${time.format(new Date(save.at))}`);
  return saves.length ? gettext("Saved since you began: %(saves)s.", { saves: saves.join("; ") }) : "";
}

const nameOf = (clash: Clash): string =>
  clash.what === "settings" ? gettext("Settings of the scenario") : clash.what === "section" ? gettext("Section “%(name)s”", { name: clash.title }) : clash.title;

function Changes({ title, changes, collides }: { title: string; changes: readonly ChangedPlace[]; collides: readonly string[] }) {
  return (
    <section className="fb-side">
      <h3>{title}</h3>
      {changes.length ? null : <p className="fb-help">{gettext("Only places on the canvas, or nothing that the dialogue depends on.")}</p>}
      <ul className="fb-changes">
        {changes.slice(0, SHOWN).map((change) => (
          <li key={`${change.node} ${change.place}`}>
            <strong>{change.place}</strong> {{ added: gettext("added"), removed: gettext("removed"), changed: gettext("changed") }[change.kind]}
            {collides.includes(change.node || change.place) ? <span className="fb-badge fb-warning">{gettext("both")}</span> : null}
            {change.kind === "removed" ? null : <Fields change={change} />}
          </li>
        ))}
        {changes.length > SHOWN ? <li>{gettext("… and %(count)s more", { count: changes.length - SHOWN })}</li> : null}
      </ul>
    </section>
  );
}

function Fields({ change }: { change: ChangedPlace }): ReactNode {
  return change.fields.slice(0, 8).map((field) => (
    <div key={field.path} className="fb-change">
      <span>{field.label || field.path}:</span> {field.old === null ? null : <><del>{field.old.slice(0, 120)}</del> → </>}
      {field.new === null ? <em>{gettext("nothing")}</em> : <ins>{field.new.slice(0, 120)}</ins>}
    </div>
  ));
}
