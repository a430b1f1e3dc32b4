// Two versions on one canvas, over the page: nothing can be changed here, and below it the editing stays as it was.
import { applyNodeChanges, Background, BackgroundVariant, Controls, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow, type Edge } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ChangedPlace, Differences } from "../../api/types.ts";
import { lint, readDifferences, readVersions, type PublishedVersion } from "../api.ts";
import { Afar, Picture, useAfar } from "../canvas/afar.tsx";
import { BlockNode } from "../canvas/BlockNode.tsx";
import { drawnEdges, drawnNodes, type CanvasNode } from "../canvas/drawing.ts";
import { canvasWords, colourMode, MANY } from "../canvas/frame.ts";
import { NoteNode } from "../canvas/NoteNode.tsx";
import { frame } from "../frame.ts";
import { withPlaces } from "../model/arranging.ts";
import type { Facts } from "../model/names.ts";
import { nodesOf, readDoc, sectionOf } from "../model/reading.ts";
import type { Doc } from "../model/types.ts";
import { exitsOf } from "../state/acting.ts";
import { get, type State } from "../state/store.ts";
import { gettext } from "../texts.ts";
import { blockMarks, bothFacts, drawing, ICONS, toneName, tonesOf, wayMarks, type Drawing, type Tone } from "./differing.ts";
import { whyOf } from "./figures.ts";
import { markStore, MarksContext } from "./marks.ts";
import { compare, DRAFT, hideDifferences, usePair, type Pair } from "./opening.ts";
import { useMarkedEdges, useMini } from "./ways.ts";

const NODE_TYPES = { block: BlockNode, note: NoteNode };
const TONES: readonly Tone[] = ["added", "changed", "removed", "moved"];
const NO_EDGES: Edge[] = [];
const NO_FACTS: Facts = new Map();

type Shown = { found: Differences; drawn: Drawing; facts: Facts; tones: ReadonlyMap<string, Tone> };
type Answer = { shown: Shown; why: "" } | { shown: null; why: string };

export function DifferencesLayer() {
  const pair = usePair();
  return pair ? <Layer pair={pair} /> : null;
}

function Layer({ pair }: { pair: Pair }) {
  const box = useRef<HTMLDialogElement>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => box.current?.showModal(), []);
  useEffect(() => {
    let current = true;
    setAnswer(null);
    void ask(pair).then((found) => current && setAnswer(found));
    return () => {
      current = false;
    };
  }, [pair, tries]);
  return (
    <dialog ref={box} className="fb-differences" aria-label={gettext("Differences on the canvas")} onCancel={hideDifferences} onClose={hideDifferences}>
      <Bar pair={pair} shown={answer?.shown ?? null} />
      {answer?.shown ? (
        <ReactFlowProvider key={`${pair.old}\n${pair.next}`}><Compared shown={answer.shown} /></ReactFlowProvider>
      ) : (
        <div className="fb-differences-wait" role="status">
          {answer ? (
            <div className="fb-problem fb-error">
              <span>{answer.why}</span>
              <button type="button" className="fb-button" onClick={() => setTries(tries + 1)}>{gettext("Try again")}</button>
            </div>
          ) : <p className="fb-empty fb-busy"><span className="material-symbols-outlined" aria-hidden="true">progress_activity</span>{gettext("Comparing…")}</p>}
        </div>
      )}
    </dialog>
  );
}

async function ask(pair: Pair): Promise<Answer> {
  try {
    const found = await readDifferences(pair.old, pair.next);
    const [before, after] = [sideOf(found, "old"), sideOf(found, "new")];
    if (!before || !after) return { shown: null, why: gettext("One of the two is no definition that can be drawn. Compare them on the page of differences.") };
    const [was, is] = await Promise.all([factsOf(before), factsOf(after)]);
    const drawn = drawing(found, placed(before, was), placed(after, is));
    return { shown: { found, drawn, facts: bothFacts(was, is, drawn), tones: tonesOf(found) }, why: "" };
  } catch (error) {
    return { shown: null, why: whyOf(error) };
  }
}

const sideOf = (found: Differences, side: "old" | "new"): Doc | null => readDoc(found.drawn?.[side].definition, found.drawn?.[side].layout).doc;

/** Exits as the check tells them; without an answer those of each kind stand in. */
const factsOf = (doc: Doc): Promise<Facts> => lint(doc.definition).then((answer): Facts => new Map(Object.entries(answer.nodes)), () => NO_FACTS);

const placed = (doc: Doc, facts: Facts): Doc => withPlaces(doc, (node) => exitsOf({ ...get(), facts }, node).length);

// --- the bar ---------------------------------------------------------------------------------------------------------------

function Bar({ pair, shown }: { pair: Pair; shown: Shown | null }) {
  const [versions, setVersions] = useState<PublishedVersion[]>([]);
  useEffect(() => void readVersions().then((answer) => setVersions(answer.versions), () => undefined), []);
  const names = [DRAFT, ...new Set([...versions.map((version) => String(version.number)), ...[pair.old, pair.next].filter((name) => name !== DRAFT)])];
  const notes = new Map(versions.map((version) => [String(version.number), version.note]));
  const counts = Map.groupBy([...(shown?.tones ?? [])], ([, tone]) => tone);
  const pick = (label: string, value: string, change: (name: string) => void) => (
    <label className="fb-side-choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => change(event.target.value)}>
        {names.map((name) => <option key={name} value={name}>{name === DRAFT ? gettext("the draft") : `v${name}${notes.get(name) ? ` – ${(notes.get(name) ?? "").slice(0, 40)}` : ""}`}</option>)}
      </select>
    </label>
  );
  return (
    <header className="fb-top">
      <button type="button" className="fb-button" autoFocus onClick={hideDifferences}><span aria-hidden="true">←</span>{gettext("Back to editing")}</button>
      <h2>{gettext("Differences")}</h2>
      {pick(gettext("From"), pair.old, (old) => compare({ ...pair, old }))}
      {pick(gettext("to"), pair.next, (next) => compare({ ...pair, next }))}
      <button type="button" className="fb-tool" title={gettext("Swap both")} aria-label={gettext("Swap both")} onClick={() => compare({ old: pair.next, next: pair.old })}>
        <span className="material-symbols-outlined" aria-hidden="true">swap_horiz</span>
      </button>
      <span className="fb-space" />
      <ul className="fb-tones" aria-label={gettext("What the colours mean")}>
        {TONES.map((tone) => <li key={tone} className={`fb-tone-${tone}`}><span className="material-symbols-outlined" aria-hidden="true">{ICONS[tone]}</span>{counts.get(tone)?.length ?? 0} {toneName(tone)}</li>)}
      </ul>
      {frame().urls["versions"] ? <a className="fb-button" href={`${frame().urls["versions"]}?old=${pair.old === DRAFT ? "" : pair.old}&new=${pair.next === DRAFT ? "" : pair.next}`}>{gettext("As a page")}</a> : null}
    </header>
  );
}

// --- canvas and list -------------------------------------------------------------------------------------------------------

function Compared({ shown }: { shown: Shown }) {
  const { found, drawn, tones } = shown;
  const flow = useReactFlow();
  const first = found.changes.find((change) => change.node)?.node ?? "";
  const [section, setSection] = useState(sectionOf(drawn.doc.definition, first)?.id ?? drawn.doc.definition.sections[0]?.id ?? "");
  const [chosen, setChosen] = useState("");
  const [marks] = useState(markStore);
  useEffect(() => marks.set({ blocks: blockMarks(tones), edges: wayMarks(found), otherwise: null }), [marks, found, tones]);
  const go = useCallback((node: string) => {
    const home = sectionOf(drawn.doc.definition, node);
    if (home) setSection(home.id);
    setChosen(node);
    window.setTimeout(() => void flow.fitView({ nodes: [{ id: node }], duration: 250, maxZoom: Math.max(0.9, flow.getZoom()), minZoom: 0.5, padding: 0.4 }), 60);
  }, [drawn, flow]);
  return (
    <MarksContext.Provider value={marks}>
      <nav className="fb-left fb-sections" aria-label={gettext("Sections")}>
        <ul>
          {drawn.doc.definition.sections.map((found) => {
            const differs = found.nodes.filter((node) => tones.has(node.id) && tones.get(node.id) !== "moved").length;
            return (
              <li key={found.id} className={found.id === section ? "fb-shown" : ""}>
                <button type="button" className="fb-section" aria-current={found.id === section} onClick={() => setSection(found.id)}>
                  <span className="material-symbols-outlined" aria-hidden="true">segment</span>
                  <span className="fb-section-name">{found.name || found.id}</span>
                  {differs ? <span className="fb-badge fb-warning" title={gettext("Blocks that differ")}>{differs}</span> : null}
                </button>
              </li>
            );
          })}
        </ul>
      </nav>
      <main className="fb-canvas" aria-label={gettext("Canvas of differences")}><Plan shown={shown} section={section} chosen={chosen} onChoose={setChosen} /></main>
      <aside className="fb-right"><List shown={shown} chosen={chosen} onGo={go} /></aside>
    </MarksContext.Provider>
  );
}

function Plan({ shown, section, chosen, onChoose }: { shown: Shown; section: string; chosen: string; onChoose: (node: string) => void }) {
  const flow = useReactFlow();
  const { drawn, facts, tones } = shown;
  const [nodes, setNodes] = useState<CanvasNode[]>([]);
  const state = useMemo((): State => ({ ...get(), doc: drawn.doc, facts, section, selected: new Set(chosen ? [chosen] : []), selectedEdges: new Set(), problems: [], others: [], save: "readonly" }), [drawn, facts, section, chosen]);
  useEffect(() => setNodes((old) => drawnNodes(state, old)), [state]);
  const edges = useMemo(() => [...drawnEdges(state, []), ...oldEdges(state, drawn)], [state, drawn]);
  const shownEdges = useMarkedEdges(edges);
  const mini = useMini(sameClass);
  const afar = useAfar(nodes.length);
  useEffect(() => {
    const here = drawn.doc.definition.sections.find((found) => found.id === section)?.nodes ?? [];
    const differing = here.filter((node) => tones.has(node.id)).map((node) => ({ id: node.id }));
    const timer = window.setTimeout(() => void flow.fitView({ padding: 0.15, maxZoom: 1, minZoom: 0.12, ...(here.length > MANY && differing.length ? { nodes: differing } : {}) }), 80);
    return () => window.clearTimeout(timer);
  }, [section, flow, drawn, tones]);
  return (
    <Afar value={afar}>
    <ReactFlow<CanvasNode>
      className={afar ? "fb-from-afar" : ""} nodes={nodes} edges={afar ? NO_EDGES : shownEdges} nodeTypes={NODE_TYPES} colorMode={colourMode()}
      nodesDraggable={false} nodesConnectable={false} elementsSelectable deleteKeyCode={null} onlyRenderVisibleElements={nodes.length > MANY} minZoom={0.1} maxZoom={1.8}
      onNodesChange={(changes) => {
        const sizes = changes.filter((change) => change.type === "dimensions");
        if (sizes.length) setNodes((old) => applyNodeChanges(sizes, old));
        const picked = changes.find((change) => change.type === "select" && change.selected);
        if (picked && picked.type === "select") onChoose(picked.id);
      }}
      onPaneClick={() => onChoose("")}
      ariaLabelConfig={canvasWords()}
    >
      {afar ? <Picture nodes={nodes} edges={shownEdges} /> : <Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />}
      <Controls showInteractive={false} position="bottom-left" />
      <MiniMap pannable zoomable position="bottom-right" {...mini} nodeBorderRadius={6} style={{ width: 160, height: 110 }} />
    </ReactFlow>
    </Afar>
  );
}

const sameClass = (): string => "fb-mini-same";

function oldEdges(state: State, { doc, old }: Drawing): Edge[] {
  const here = new Set(doc.definition.sections.find((section) => section.id === state.section)?.nodes.map((node) => node.id));
  return old.filter((way) => here.has(way.source) && here.has(way.target)).map(({ source, exit, target }) => ({ id: `${source}\n${exit}\nold`, source, sourceHandle: exit, target, targetHandle: "in", className: "fb-edge" }));
}

function List({ shown, chosen, onGo }: { shown: Shown; chosen: string; onGo: (node: string) => void }) {
  const { found, drawn } = shown;
  const titles = useMemo(() => new Map(nodesOf(drawn.doc.definition).map((node) => [node.id, node.title || node.id])), [drawn]);
  const moved = found.moved.filter((id) => !found.nodes[id]);
  return (
    <div className="fb-form fb-changed-list">
      <h3>{gettext("What differs")}</h3>
      {found.changes.length ? (
        <ul>{found.changes.map((change) => <Change key={`${change.node}\n${change.place}`} change={change} open={Boolean(change.node) && change.node === chosen} titles={titles} onGo={onGo} />)}</ul>
      ) : <p className="fb-empty">{moved.length ? gettext("Nothing but places on the canvas.") : gettext("No differences. Choose other versions above.")}</p>}
      {chosen && !found.nodes[chosen] ? <p className="fb-help">{gettext("“%(block)s” says and does the same in both.", { block: titles.get(chosen) ?? chosen })}</p> : null}
      {moved.length ? (
        <details className="fb-more">
          <summary>{gettext("Only moved on the canvas (%(count)s)", { count: moved.length })}</summary>
          <ul>{moved.map((id) => <li key={id}><button type="button" className="fb-moved" onClick={() => onGo(id)}><span className="material-symbols-outlined" aria-hidden="true">{ICONS.moved}</span>{titles.get(id) ?? id}</button></li>)}</ul>
        </details>
      ) : null}
    </div>
  );
}

function Change({ change, open, titles, onGo }: { change: ChangedPlace; open: boolean; titles: ReadonlyMap<string, string>; onGo: (node: string) => void }) {
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  // Exits lead to blocks, which people know by their titles.
  const said = (path: string, value: string): string => (path.startsWith("exits.") ? (titles.get(value) ?? value) : value || "“”");
  const head = (
    <>
      <span className={`fb-tone fb-tone-${change.kind}`}><span className="material-symbols-outlined" aria-hidden="true">{ICONS[change.kind]}</span>{toneName(change.kind)}</span>
      <span>{change.place}</span>
    </>
  );
  return (
    <li ref={row} className={open ? "fb-shown" : ""} data-node={change.node}>
      {change.node ? <button type="button" className="fb-changed" aria-expanded={open} onClick={() => onGo(change.node)}>{head}</button> : <div className="fb-changed">{head}</div>}
      {open || !change.node ? (
        <dl>
          {change.fields.map((field) => (
            <div key={field.path}>
              <dt title={field.path}>{field.label || field.path}</dt>
              <dd>
                {field.old === null ? null : <del><span className="fb-sign" aria-label={gettext("before")}>−</span>{said(field.path, field.old)}</del>}
                {field.new === null ? null : <ins><span className="fb-sign" aria-label={gettext("now")}>+</span>{said(field.path, field.new)}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </li>
  );
}
