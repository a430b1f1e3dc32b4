// The people behind a number, page by page, each with the way to what was said at that moment.
import { useEffect, useState } from "react";
import type { Visit, Visits } from "../../api/types.ts";
import { readVisits } from "../api.ts";
import { Dialog } from "../panels/dialogs.tsx";
import { gettext, ngettext } from "../texts.ts";
import { askPeople, useFigures, whyOf, windowOf, type Asked, type Filter } from "./figures.ts";
import { span } from "./heat.ts";

export function PeopleDialog() {
  const asked = useFigures((state) => state.asked);
  const filter = useFigures((state) => state.filter);
  return asked ? <People key={JSON.stringify(asked)} asked={asked} filter={filter} /> : null;
}

function People({ asked, filter }: { asked: Asked; filter: Filter }) {
  const [page, setPage] = useState(1);
  const [tries, setTries] = useState(0);
  const [found, setFound] = useState<{ of: number; answer: Visits } | null>(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    let current = true;
    const { node, exit, to, counted } = asked;
    setWhy("");
    readVisits({ ...windowOf(filter), node, exit, to, counted, page: String(page) })
      .then((answer) => current && setFound({ of: page, answer }))
      .catch((error: unknown) => current && setWhy(whyOf(error)));
    return () => {
      current = false;
    };
  }, [asked, filter, page, tries]);
  const close = (): void => askPeople(null);
  const visits = found?.answer.visits ?? [];
  const loading = !why && found?.of !== page;
  return (
    <Dialog title={asked.words} onClose={close}>
      {why ? (
        <p className="fb-problem fb-error" role="alert">
          <span>{why}</span>
          <button type="button" className="fb-button" onClick={() => setTries(tries + 1)}>{gettext("Try again")}</button>
        </p>
      ) : null}
      {loading ? <p className="fb-empty" role="status">{gettext("Looking for the people…")}</p> : null}
      {!loading && !why && !visits.length ? <p className="fb-empty">{gettext("Nobody of the chosen period, version and language.")}</p> : null}
      {visits.length && !why ? (
        <ul className="fb-visits" aria-busy={loading}>{visits.map((visit) => <Row key={`${visit.session}.${visit.visit}`} visit={visit} each={asked.counted === "people"} />)}</ul>
      ) : null}
      {visits.some((visit) => visit.name === null) ? <p className="fb-help">{gettext("Names are shown to those who have the right to see people; transcripts to those who see operations. Ask whoever gives the rights.")}</p> : null}
      <div className="fb-row fb-dialog-acts">
        {page > 1 ? <button type="button" className="fb-button" onClick={() => setPage(page - 1)}>{gettext("Back")}</button> : null}
        {found?.answer.more ? <button type="button" className="fb-button" disabled={loading} onClick={() => setPage(page + 1)}>{gettext("More")}</button> : null}
        <span className="fb-space" />
        <button type="button" className="fb-button" autoFocus onClick={close}>{gettext("Close")}</button>
      </div>
    </Dialog>
  );
}

function Row({ visit, each }: { visit: Visit; each: boolean }) {
  const fate = {
    left: ["arrow_forward", gettext("went on")], ended: ["flag", gettext("ended here")], waiting: ["pending", gettext("waits")], dropped: ["trending_down", gettext("dropped")],
  }[visit.fate] as [string, string];
  const at = new Date(visit.at).toLocaleString(document.documentElement.lang || undefined, { dateStyle: "medium", timeStyle: "short" });
  return (
    <li>
      <div className="fb-visit-who">
        <strong>{visit.name ?? gettext("Name hidden")}</strong>
        {each && visit.visits > 1 ? <span className="fb-count">{ngettext("%(count)s visit", "%(count)s visits", visit.visits)}</span> : null}
        {visit.failed ? <span className="fb-badge fb-error">{gettext("error")}</span> : null}
      </div>
      <div className="fb-visit-what">
        <span className="material-symbols-outlined" aria-hidden="true">{fate[0]}</span>
        {fate[1]}{visit.seconds === null ? "" : ` · ${span(visit.seconds)}`} · {at} · v{visit.version}
      </div>
      <div className="fb-visit-ways">
        {visit.transcript ? <a href={visit.transcript} target="_blank" rel="noopener">{gettext("Transcript")}</a> : null}
        {visit.session_page ? <a href={visit.session_page} target="_blank" rel="noopener">{gettext("Session")}</a> : null}
        {visit.way ? <a href={visit.way} target="_blank" rel="noopener">{gettext("Trace")}</a> : null}
      </div>
    </li>
  );
}
