// Figures on the canvas: switched on and off, asked once for each choice of period, version and language, and turned into marks.
import { useSyncExternalStore } from "react";
import type { Figures } from "../../api/types.ts";
import { ApiError, readFigures } from "../api.ts";
import { frame } from "../frame.ts";
import { gettext } from "../texts.ts";
import { count, markOf, noFigures, percent, scaleOf, valueOf, type Heat } from "./heat.ts";
import { canvasMarks, NO_MARKS, wayId, type Mark, type Marks } from "./marks.ts";

export type Filter = { since: string; until: string; version: string; language: string };
/** Which number somebody wants to see the people of; `words` says it. */
export type Asked = { node: string; exit: string; to: string; counted: string; words: string };

export type FiguresState = {
  on: boolean;
  /** Whether the side panel shows them; its other tabs go on to work. */
  side: boolean;
  filter: Filter;
  heat: Heat;
  data: Figures | null;
  status: "loading" | "ready" | "failed";
  why: string;
  asked: Asked | null;
};

// Connections are up to half so many pixels thicker; few different ones are drawn faster from afar.
const WEIGHTS = 10;
const FRESH = 60_000;
const USUAL_DAYS = 30;
const DAY = 86_400_000;
const day = (at: Date): string => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
export const daysAgo = (days: number): string => day(new Date(Date.now() - days * DAY));
const usual = (): Filter => ({ since: daysAgo(USUAL_DAYS), until: "", version: "", language: "" });

let state: FiguresState = { on: false, side: false, filter: usual(), heat: "visits", data: null, status: "loading", why: "", asked: null };
const listeners = new Set<() => void>();
const known = new Map<string, { data: Figures; at: number }>();
let wanted = "";

function set(change: Partial<FiguresState>): void {
  const before = state;
  state = { ...state, ...change };
  if (before.on !== state.on || before.data !== state.data || before.heat !== state.heat) canvasMarks.set(state.on && state.data ? marksOf(state.data, state.heat) : NO_MARKS);
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useFigures<T>(pick: (state: FiguresState) => T): T {
  return useSyncExternalStore(subscribe, () => pick(state));
}

export const mayMeasure = (): boolean => Boolean(frame().urls["figures"]);

// --- what people do --------------------------------------------------------------------------------------------------------

export function showFigures(filter: Partial<Filter> = {}): void {
  if (!mayMeasure()) return;
  set({ on: true, side: true });
  void choose({ ...state.filter, ...filter });
}

export const hideFigures = (): void => set({ on: false, side: false, asked: null });
export const toggleFigures = (): void => (state.on ? hideFigures() : showFigures());
export const showSide = (side: boolean): void => set({ side });
export const colourBy = (heat: Heat): void => set({ heat });
export const askPeople = (asked: Asked | null): void => set({ asked });

/** What was asked a moment ago is not asked once more, unless `again`. */
export async function choose(filter: Filter, again = false): Promise<void> {
  const query = windowOf(filter);
  const key = JSON.stringify(query);
  wanted = key;
  const old = known.get(key);
  if (old && !again && Date.now() - old.at < FRESH) return set({ filter, data: old.data, status: "ready", why: "" });
  set({ filter, status: "loading", why: "" });
  try {
    const data = await readFigures(query);
    known.set(key, { data, at: Date.now() });
    if (wanted === key) set({ data, status: "ready" });
  } catch (error) {
    if (wanted === key) set({ data: null, status: "failed", why: whyOf(error) });
  }
}

export const countAgain = (): void => void choose(state.filter, true);

export function whyOf(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) return gettext("The server did not answer. Check the connection and try again.");
  if (error.status === 401) return gettext("You are signed out. Sign in again in another tab and try again.");
  return error.message || gettext("The server could not tell it just now. Try again in a minute.");
}

/** The address's parameters: days of the reader become moments. */
export function windowOf(filter: Filter): Record<string, string> {
  const since = moment(filter.since);
  const until = moment(filter.until, DAY);
  return { since, until, version: filter.version, language: filter.language };
}

function moment(text: string, later = 0): string {
  const at = text ? new Date(`${text}T00:00:00`) : null;
  return at && Number.isFinite(at.getTime()) && at.getFullYear() >= 1970 && at.getFullYear() < 9000 ? new Date(at.getTime() + later).toISOString() : "";
}

// --- marks -----------------------------------------------------------------------------------------------------------------

export const blockScale = (data: Figures, heat: Heat): number[] => scaleOf(data.nodes.map((node) => valueOf(node, heat)), heat);

function marksOf(data: Figures, heat: Heat): Marks {
  const scale = blockScale(data, heat);
  const blocks = new Map(data.nodes.map((node) => [node.node, markOf(node, heat, scale)]));
  return { blocks, edges: waysOf(data), otherwise: noFigures() };
}

/** Connections are always told by how often they were taken: the colours are those of blocks. */
function waysOf(data: Figures): ReadonlyMap<string, Mark> {
  const known = ways.get(data) ?? madeWays(data);
  ways.set(data, known);
  return known;
}

const ways = new WeakMap<Figures, ReadonlyMap<string, Mark>>();

function madeWays(data: Figures): ReadonlyMap<string, Mark> {
  const visits = new Map(data.nodes.map((node) => [node.node, node.visits]));
  const most = Math.max(1, ...data.edges.map((edge) => edge.visits));
  const found = new Map<string, Mark>();
  for (const edge of data.edges) {
    for (const way of edge.to) {
      const of = visits.get(edge.node) ?? edge.visits;
      const [taken, share] = [count(way.visits), percent(of ? way.visits / of : 0)];
      found.set(wayId(edge.node, edge.exit, way.node), {
        colour: "var(--fb-taken)", ink: "var(--db-strong)", icon: "", label: `${taken} · ${share}`, title: gettext("Taken %(count)s times, by %(share)s of the visits", { count: taken, share }),
        tone: "figure", weight: Math.round((WEIGHTS * way.visits) / most) / 2, figures: null,
      });
    }
  }
  return found;
}
