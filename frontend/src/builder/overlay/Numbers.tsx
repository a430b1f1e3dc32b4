// Figures as numbers that lead to the people behind them: a strip on a block, a table in the side panel.
import type { ReactNode } from "react";
import type { BlockFigures } from "../../api/types.ts";
import { gettext } from "../texts.ts";
import { askPeople } from "./figures.ts";
import { count, percent, span, type Measured } from "./heat.ts";
import { blockName } from "./naming.ts";

type Shown = { counted: string; icon: string; label: string; text: string };

/** `counted` is what the server calls the visits behind the number. */
export const numbersOf = (figures: Measured): Shown[] => [
  { counted: "visits", icon: "visibility", label: gettext("Visits"), text: count(figures.visits) },
  { counted: "people", icon: "person", label: gettext("Different people"), text: count(figures.people) },
  { counted: "dropped", icon: "trending_down", label: gettext("Drop-off"), text: percent(figures.drop_off) },
  { counted: "left", icon: "timer", label: gettext("Median time"), text: span(figures.median_seconds) },
  { counted: "slowest", icon: "hourglass_bottom", label: gettext("95 % within"), text: span(figures.p95_seconds) },
  { counted: "errors", icon: "error", label: gettext("Errors"), text: percent(figures.error_rate) },
];

export function NumberButton({ node, exit = "", to = "", counted, label, of, quiet = false, children }: { node: string; exit?: string; to?: string; counted: string; label: string; of: string; quiet?: boolean; children: ReactNode }) {
  const words = gettext("%(figure)s of “%(block)s”", { figure: label, block: of });
  return (
    <button type="button" className="fb-number nodrag nopan" data-counted={counted} tabIndex={quiet ? -1 : 0} title={gettext("%(what)s: show the people", { what: words })} aria-label={gettext("%(what)s: show the people", { what: words })}
      onClick={(event) => {
        event.stopPropagation();
        askPeople({ node, exit, to, counted, words });
      }}>
      {children}
    </button>
  );
}

/** On the block itself. The keyboard finds the same numbers in the side panel, so that Tab goes from block to block here. */
export function Strip({ figures }: { figures: BlockFigures }) {
  const name = blockName(figures.node, figures.title);
  return (
    <div className="fb-strip">
      {numbersOf(figures).map((number) => (
        <NumberButton key={number.counted} node={figures.node} counted={number.counted} label={number.label} of={name} quiet>
          <span className="material-symbols-outlined" aria-hidden="true">{number.icon}</span>
          {number.text}
        </NumberButton>
      ))}
    </div>
  );
}

/** Of a block, or with `name` of one of its exits, by which nobody was dropped. */
export function NumberTable({ figures, name = blockName(figures.node) }: { figures: Measured; name?: string }) {
  const exit = "exit" in figures ? figures.exit : "";
  const more: Shown[] = [
    { counted: "left", icon: "arrow_forward", label: gettext("Went on"), text: count(figures.left) },
    { counted: "ended", icon: "flag", label: gettext("Ended here"), text: count(figures.ended) },
    { counted: "waiting", icon: "pending", label: gettext("Still wait"), text: count(figures.waiting) },
  ];
  const [visits, people, ...rest] = numbersOf(figures) as [Shown, Shown, ...Shown[]];
  const shown = exit ? [visits, people, ...rest.filter((number) => number.counted !== "dropped")] : [visits, people, ...more, ...rest];
  return (
    <dl className="fb-numbers">
      {shown.map((number) => (
        <div key={number.label}>
          <dt><span className="material-symbols-outlined" aria-hidden="true">{number.icon}</span>{number.label}</dt>
          <dd>
            <NumberButton node={figures.node} exit={exit} counted={number.counted} label={number.label} of={name}>{number.text}</NumberButton>
            {number.counted === "dropped" ? <small>{count(figures.dropped)}</small> : number.counted === "errors" ? <small>{count(figures.errors)}</small> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}
