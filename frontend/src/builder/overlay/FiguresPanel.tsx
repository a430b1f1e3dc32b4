// The side panel of figures: what is counted, what the colours mean, the chosen block, and those that the draft no longer has.
import { useMemo } from "react";
import type { BlockFigures, ExitFigures, Figures } from "../../api/types.ts";
import { frame } from "../frame.ts";
import type { BlockData } from "../model/types.ts";
import { endsOf, exitsOf } from "../state/acting.ts";
import { choose as chooseBlocks, goTo } from "../state/choosing.ts";
import { useBuilder } from "../state/store.ts";
import { gettext, ngettext } from "../texts.ts";
import { blockScale, daysAgo, choose, colourBy, hideFigures, countAgain, useFigures, type Filter } from "./figures.ts";
import { count, heatName, HEATS, LEVELS, levelColour, levelOf, percent, valueOf, written, type Heat } from "./heat.ts";
import { blockName, drawnBlocks, exitName, nameOf } from "./naming.ts";
import { NumberButton, NumberTable } from "./Numbers.tsx";

const LISTED = 12;
const PERIODS = [7, 30, 90] as const;

export function FiguresPanel() {
  const { data, status, why } = useFigures((state) => state);
  return (
    <div className="fb-form fb-figures">
      <div className="fb-form-head">
        <div>
          <h2>{gettext("Figures")}</h2>
          <p>{gettext("What happened at each block and connection. A number leads to the people behind it.")}</p>
        </div>
        <button type="button" className="fb-icon" title={gettext("Count again")} aria-label={gettext("Count again")} onClick={countAgain}><span className="material-symbols-outlined" aria-hidden="true">refresh</span></button>
        <button type="button" className="fb-icon" title={gettext("Take the figures off the canvas")} aria-label={gettext("Take the figures off the canvas")} onClick={hideFigures}>×</button>
      </div>
      <FilterForm data={data} />
      <div role="status" aria-live="polite">
        {status === "loading" ? <p className="fb-empty fb-busy"><span className="material-symbols-outlined" aria-hidden="true">progress_activity</span>{gettext("Counting…")}</p> : null}
        {status === "failed" ? (
          <div className="fb-problem fb-error">
            <span className="material-symbols-outlined" aria-hidden="true">error</span>
            <span>{why}</span>
            <button type="button" className="fb-button" onClick={countAgain}>{gettext("Try again")}</button>
          </div>
        ) : null}
      </div>
      {data && status !== "failed" ? data.nodes.length ? <Measured data={data} /> : <Nobody /> : null}
      {frame().urls["analytics"] ? <a className="fb-link" href={frame().urls["analytics"]}>{gettext("All figures as a table")}</a> : null}
    </div>
  );
}

function FilterForm({ data }: { data: Figures | null }) {
  const filter = useFigures((state) => state.filter);
  const change = (part: Partial<Filter>): void => void choose({ ...filter, ...part });
  const versions = [...new Set([...(data?.versions ?? []).map(String), ...(filter.version ? [filter.version] : [])])];
  const languages = [...new Set([...(data?.languages ?? []), ...(filter.language ? [filter.language] : [])])];
  const period = (since: string, words: string) => <button key={words} type="button" aria-pressed={!filter.until && filter.since === since} onClick={() => change({ since, until: "" })}>{words}</button>;
  return (
    <div className="fb-filter">
      <div className="fb-segments fb-periods" role="group" aria-label={gettext("Period")}>
        {PERIODS.map((days) => period(daysAgo(days), ngettext("%(count)s day", "%(count)s days", days)))}
        {period("", gettext("All time"))}
      </div>
      <label><span className="fb-label">{gettext("From")}</span><input type="date" value={filter.since} max={filter.until || undefined} onChange={(event) => change({ since: event.target.value })} /></label>
      <label><span className="fb-label">{gettext("To")}</span><input type="date" value={filter.until} min={filter.since || undefined} onChange={(event) => change({ until: event.target.value })} /></label>
      <label><span className="fb-label">{gettext("Version")}</span>
        <select value={filter.version} onChange={(event) => change({ version: event.target.value })}>
          <option value="">{gettext("all versions")}</option>
          {versions.map((number) => <option key={number} value={number}>v{number}</option>)}
        </select>
      </label>
      <label><span className="fb-label">{gettext("Language")}</span>
        <select value={filter.language} onChange={(event) => change({ language: event.target.value })}>
          <option value="">{gettext("all languages")}</option>
          {languages.map((code) => <option key={code} value={code}>{code}</option>)}
        </select>
      </label>
    </div>
  );
}

function Nobody() {
  const published = useBuilder((state) => state.draft.published);
  return (
    <p className="fb-empty">
      {published
        ? gettext("Nobody was here in this time. Choose an earlier day, another version or all languages.")
        : gettext("There are no figures yet, because the scenario has not been published. Publish it; figures appear with the first people. Chat previews are not counted.")}
    </p>
  );
}

function Measured({ data }: { data: Figures }) {
  const heat = useFigures((state) => state.heat);
  const selected = useBuilder((state) => state.selected);
  const edges = useBuilder((state) => state.selectedEdges);
  const definition = useBuilder((state) => state.doc.definition);
  const drawn = drawnBlocks(definition);
  const chosen = [...selected][0] ?? "";
  const way = selected.size || edges.size !== 1 ? null : endsOf([...edges][0] ?? "");
  const node = selected.size < 2 ? drawn.get(chosen) : undefined;
  const gone = data.nodes.filter((found) => !drawn.has(found.node));
  return (
    <>
      <Legend data={data} heat={heat} />
      {way ? <ChosenWay source={way.source} exit={way.exit} data={data} /> : node ? <Chosen node={node} data={data} /> : <Ranked data={data} heat={heat} drawn={drawn} />}
      {gone.length ? <Gone gone={gone} heat={heat} /> : null}
    </>
  );
}

/** What is coloured and what each colour means; each block also tells its value. */
function Legend({ data, heat }: { data: Figures; heat: Heat }) {
  const scale = useMemo(() => blockScale(data, heat), [data, heat]);
  return (
    <fieldset className="fb-legend">
      <legend className="fb-label">{gettext("Colour by")}</legend>
      <div className="fb-segments" role="radiogroup" aria-label={gettext("Colour by")}>
        {HEATS.map((name) => <button key={name} type="button" role="radio" aria-checked={name === heat} onClick={() => colourBy(name)}>{heatName(name)}</button>)}
      </div>
      <ol>
        {scale.length ? Array.from({ length: LEVELS }, (_, index) => index + 1).filter((level) => scale[level - 1] !== scale[level]).map((level) => (
          <li key={level}>
            <span className="fb-swatch" style={{ background: levelColour(level) }} />
            {gettext("up to %(value)s", { value: written(scale[level - 1] ?? 0, heat) })}
          </li>
        )) : <li>{{ visits: gettext("No visits in this time"), drop_off: gettext("Nobody dropped off"), time: gettext("No times yet: nobody has gone on"), errors: gettext("No errors") }[heat]}</li>}
      </ol>
      <p className="fb-help">{gettext("The thicker a connection, the more often it was taken.")}</p>
    </fieldset>
  );
}

// --- one block -------------------------------------------------------------------------------------------------------------

function Chosen({ node, data }: { node: BlockData; data: Figures }) {
  const state = useBuilder((found) => found);
  const figures = data.nodes.find((found) => found.node === node.id);
  return (
    <section className="fb-chosen" aria-label={nameOf(state, node)}>
      <header className="fb-row">
        <h3>{nameOf(state, node)}</h3>
        <button type="button" className="fb-icon" title={gettext("All blocks")} aria-label={gettext("All blocks")} onClick={() => chooseBlocks([])}>←</button>
      </header>
      {figures ? <NumberTable figures={figures} /> : <p className="fb-empty">{gettext("No figures yet: nobody of the chosen period, version and language was here.")}</p>}
      {figures ? <Exits node={node} of={figures} taken={data.edges.filter((edge) => edge.node === node.id)} /> : null}
    </section>
  );
}

function ChosenWay({ source, exit, data }: { source: string; exit: string; data: Figures }) {
  const definition = useBuilder((state) => state.doc.definition);
  const name = `${blockName(source)} → ${exitName(source, exit)}`;
  const figures = data.edges.find((edge) => edge.node === source && edge.exit === exit);
  return (
    <section className="fb-chosen" aria-label={name}>
      <header className="fb-row">
        <h3>{name}</h3>
        <button type="button" className="fb-icon" title={gettext("The block")} aria-label={gettext("The block")} onClick={() => chooseBlocks([source])}>←</button>
      </header>
      {figures ? <Ways figures={figures} now={drawnBlocks(definition).get(source)?.exits?.[exit] ?? ""} /> : null}
      {figures ? <NumberTable figures={figures} name={name} /> : <p className="fb-empty">{gettext("Nobody of the chosen period, version and language went this way.")}</p>}
    </section>
  );
}

/** Where an exit has led, when that is more than what the canvas shows. */
function Ways({ figures, now }: { figures: ExitFigures; now: string }) {
  const [name, exit] = [blockName(figures.node), exitName(figures.node, figures.exit)];
  return figures.to.filter((way) => way.node && (way.node !== now || figures.to.length > 1)).map((way) => (
    <small key={way.node}>
      → {blockName(way.node)}{way.node === now ? "" : ` ${gettext("(in another version)")}`}: <NumberButton node={figures.node} exit={figures.exit} to={way.node} counted="visits" label={`${exit} → ${blockName(way.node)}`} of={name}>{count(way.visits)}</NumberButton>
    </small>
  ));
}

function Exits({ node, of, taken }: { node: BlockData; of: BlockFigures; taken: readonly ExitFigures[] }) {
  const state = useBuilder((found) => found);
  const exits = exitsOf(state, node);
  const rows = [
    ...exits.map((exit) => ({ name: exit.name, label: exit.label, figures: taken.find((edge) => edge.exit === exit.name) })),
    ...taken.filter((edge) => !exits.some((exit) => exit.name === edge.exit)).map((edge) => ({ name: edge.exit, label: gettext("%(exit)s (no longer there)", { exit: edge.exit }), figures: edge })),
  ];
  if (!rows.length) return null;
  return (
    <table className="fb-ways">
      <thead><tr><th>{gettext("Exit")}</th><th>{gettext("Taken")}</th><th>{gettext("Share")}</th></tr></thead>
      <tbody>
        {rows.map(({ name, label, figures }) => (
          <tr key={name}>
            <td>
              {label}
              {figures ? <Ways figures={figures} now={node.exits?.[name] ?? ""} /> : null}
            </td>
            <td>{figures ? <NumberButton node={node.id} exit={name} counted="visits" label={label} of={nameOf(state, node)}>{count(figures.visits)}</NumberButton> : "0"}</td>
            <td>{percent(figures && of.visits ? figures.visits / of.visits : 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// --- all blocks ------------------------------------------------------------------------------------------------------------

const ranked = (nodes: readonly BlockFigures[], heat: Heat): BlockFigures[] =>
  nodes.filter((found) => (valueOf(found, heat) ?? 0) > 0).sort((one, other) => (valueOf(other, heat) ?? 0) - (valueOf(one, heat) ?? 0)).slice(0, LISTED);

function Ranked({ data, heat, drawn }: { data: Figures; heat: Heat; drawn: ReadonlyMap<string, BlockData> }) {
  const state = useBuilder((found) => found);
  const scale = useMemo(() => blockScale(data, heat), [data, heat]);
  const here = data.nodes.filter((found) => drawn.has(found.node));
  const unseen = drawn.size - here.length;
  const found = ranked(here, heat);
  return (
    <section>
      <h3>{{ visits: gettext("Most visited"), drop_off: gettext("Where most people drop off"), time: gettext("Where it takes longest"), errors: gettext("Where most goes wrong") }[heat]}</h3>
      {found.length ? (
        <ol className="fb-ranked">
          {found.map((figures) => (
            <li key={figures.node}>
              <button type="button" onClick={() => goTo(figures.node)}>
                <span className="fb-swatch" style={{ background: levelColour(levelOf(valueOf(figures, heat), scale)) }} />
                <span>{nameOf(state, drawn.get(figures.node) as BlockData)}</span>
                {heat === "drop_off" || heat === "errors" ? <small>{gettext("of %(count)s", { count: count(figures.visits) })}</small> : null}
                <strong>{written(valueOf(figures, heat), heat)}</strong>
              </button>
            </li>
          ))}
        </ol>
      ) : <p className="fb-empty">{gettext("Nothing to show by this figure.")}</p>}
      {unseen > 0 ? <p className="fb-help">{ngettext("%(count)s block has no figures yet.", "%(count)s blocks have no figures yet.", unseen)}</p> : null}
    </section>
  );
}

function Gone({ gone, heat }: { gone: readonly BlockFigures[]; heat: Heat }) {
  return (
    <section className="fb-gone">
      <h3>{gettext("No longer in the draft")}</h3>
      <ul>
        {gone.slice(0, 100).map((figures) => (
          <li key={figures.node}>
            <span>{figures.title} <small>{figures.kind}</small></span>
            <NumberButton node={figures.node} counted="visits" label={gettext("Visits")} of={figures.title}>{count(figures.visits)}</NumberButton>
            {heat === "visits" ? null : <strong>{written(valueOf(figures, heat), heat)}</strong>}
          </li>
        ))}
      </ul>
    </section>
  );
}
