// What decisions about conflicts left out, kept in this browser until somebody needs it no more.
import { useState } from "react";
import { copyDocument, drawable } from "../state/acting.ts";
import { copies, dropCopy, type Copy } from "../state/keeping.ts";
import { edit, get, useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";

export function Copies() {
  const scenario = useBuilder((state) => state.draft.id);
  useBuilder((state) => state.draft.revision); // a decision has just been saved
  const [, again] = useState(0);
  const found = copies(scenario);
  if (!found.length) return null;
  const time = new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "short", timeStyle: "short" });
  const drop = (copy: Copy): void => {
    dropCopy(scenario, copy);
    again(Date.now());
  };
  return (
    <section className="fb-copies">
      <h3>{gettext("Kept in this browser")}</h3>
      <p className="fb-help">{gettext("What was left out when two drafts met.")}</p>
      <ul>
        {found.map((copy) => (
          <li key={`${copy.at} ${copy.of}`}>
            <span>{copy.of ? gettext("Draft of %(name)s", { name: copy.of }) : gettext("Your draft")}, {time.format(new Date(copy.at))}</span>
            <span className="fb-row">
              {get().save === "readonly" ? null : <button type="button" className="fb-button" onClick={() => edit(() => drawable(copy.doc))}>{gettext("Bring back")}</button>}
              <button type="button" className="fb-button" onClick={() => void copyDocument(copy.doc)}>{gettext("Copy as JSON")}</button>
              <button type="button" className="fb-icon" title={gettext("Forget this copy")} aria-label={gettext("Forget this copy")} onClick={() => drop(copy)}>×</button>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
