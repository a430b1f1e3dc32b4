// Figures as colours: which value of a block counts, the five steps of its scale, and how values are written.
import type { BlockFigures, ExitFigures } from "../../api/types.ts";
import { gettext } from "../texts.ts";
import type { Mark } from "./marks.ts";

export type Heat = "visits" | "drop_off" | "time" | "errors";
export type Measured = BlockFigures | ExitFigures;
export const HEATS: readonly Heat[] = ["visits", "drop_off", "time", "errors"];
export const LEVELS = 5;
const LONG = 60;
const WIDE = 20;

export const heatName = (heat: Heat): string => ({ visits: gettext("Visits"), drop_off: gettext("Drop-off"), time: gettext("Time"), errors: gettext("Errors") })[heat];

/** Null where there is nothing to measure. */
export function valueOf(figures: Measured, heat: Heat): number | null {
  return { visits: figures.visits, drop_off: figures.drop_off, time: figures.median_seconds, errors: figures.error_rate }[heat];
}

/** The upper bounds of the steps, equal ones where a small range has fewer; empty when no value is above zero. Visits and times that differ
 *  by far are spread by ratio, else all but a few blocks would look alike. */
export function scaleOf(values: ReadonlyArray<number | null>, heat: Heat): number[] {
  const found = values.filter((value): value is number => value !== null && value > 0);
  if (!found.length) return [];
  const [least, most] = [Math.min(...found), Math.max(...found)];
  const spread = (share: number): number => ((heat === "time" || heat === "visits") && most > least * WIDE ? least * (most / least) ** share : most * share);
  return steps((share) => (heat === "visits" ? Math.ceil(spread(share) - 1e-9) : spread(share)));
}

const steps = (at: (share: number) => number): number[] => Array.from({ length: LEVELS }, (_, index) => at((index + 1) / LEVELS));

/** 0 for nothing, then 1 to 5. */
export function levelOf(value: number | null, scale: readonly number[]): number {
  if (value === null || value <= 0 || !scale.length) return 0;
  const bound = scale.find((found) => value <= found * 1.000001);
  return bound === undefined ? LEVELS : scale.lastIndexOf(bound) + 1;
}

export const heatIcon = (heat: Heat): string => ({ visits: "visibility", drop_off: "trending_down", time: "timer", errors: "error" })[heat];
export const levelColour = (level: number): string => (level ? `var(--fb-heat-${level})` : "var(--fb-heat-0)");
const inkOf = (level: number): string => (level === LEVELS ? "var(--fb-heat-ink-strong)" : "var(--fb-heat-ink)");

// --- words -----------------------------------------------------------------------------------------------------------------

const language = (): string => (typeof document === "undefined" ? "en" : document.documentElement.lang || "en");
export const count = (value: number): string => new Intl.NumberFormat(language()).format(value);
export const percent = (share: number): string => new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: share > 0 && share < 0.1 ? 1 : 0 }).format(share);

const unit = (value: number, name: string, digits = 0): string => new Intl.NumberFormat(language(), { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits }).format(value);
const SPANS: ReadonlyArray<readonly [string, number]> = [["day", 86400], ["hour", 3600], ["minute", LONG]];

/** Seconds in the two largest units: 45 sec, 4 min 10 sec, 2 hr 5 min. */
export function span(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 10) return unit(seconds, "second", 1);
  if (seconds < LONG) return unit(Math.round(seconds), "second");
  const place = SPANS.findIndex(([, size]) => seconds >= size);
  const [name, size] = SPANS[place] as readonly [string, number];
  const [less, smaller] = SPANS[place + 1] ?? (["second", 1] as const);
  const rest = Math.floor((seconds % size) / smaller);
  return rest ? `${unit(Math.floor(seconds / size), name)} ${unit(rest, less)}` : unit(Math.floor(seconds / size), name);
}

export function written(value: number | null, heat: Heat): string {
  if (value === null) return "–";
  return { visits: count, drop_off: percent, time: span, errors: percent }[heat](value);
}

/** A block's or an exit's figure as a mark; `share` is added to the words of an exit. */
export function markOf(figures: Measured, heat: Heat, scale: readonly number[]): Mark {
  const value = valueOf(figures, heat);
  const level = levelOf(value, scale);
  const label = written(value, heat);
  return { colour: levelColour(level), ink: inkOf(level), icon: heatIcon(heat), label, title: `${heatName(heat)}: ${label}`, tone: level ? "figure" : "none", weight: level, figures: "title" in figures ? figures : null };
}

export const noFigures = (): Mark => ({ colour: "var(--fb-heat-0)", ink: "var(--db-muted)", icon: "remove", label: gettext("no figures yet"), title: gettext("Nobody of the chosen period, version and language was here."), tone: "none", weight: 0, figures: null });
