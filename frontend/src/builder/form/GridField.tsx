// Rows of things, as buttons stand under a message: dragged within and between rows, opened by a click.
import { useState } from "react";
import { resolve, starting, textsIn } from "../model/schema.ts";
import { isObject, type Json, type JsonObject } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { useForm, type FieldProps } from "./context.ts";
import { FieldProblems } from "./Field.tsx";
import { freshIn } from "./ListField.tsx";
import { Fields } from "./ObjectField.tsx";

type Spot = { row: number; place: number };
type Rows = Json[][];

/** The rows with one thing at another spot; a row that becomes empty is gone. `row` beyond the last makes a new one. */
export function rearranged(rows: Rows, from: Spot, to: Spot): Rows {
  const next = rows.map((row) => [...row]);
  const [item] = next[from.row]?.splice(from.place, 1) ?? [];
  if (item === undefined) return rows;
  const target = next[to.row];
  if (target) target.splice(to.row === from.row && to.place > from.place ? to.place - 1 : to.place, 0, item);
  else next.push([item]);
  return next.filter((row) => row.length);
}

export function GridField({ schema, root, value, onChange, path }: FieldProps) {
  const { disabled, problems, focus } = useForm();
  const [open, setOpen] = useState<string | null>(null);
  const [dragged, setDragged] = useState<Spot | null>(null);
  const rows: Rows = Array.isArray(value) ? value.map((row) => (Array.isArray(row) ? row : [])) : [];
  const part = resolve(resolve(schema.items ?? {}, root).items ?? {}, root);
  const drop = (to: Spot): void => {
    if (dragged) onChange(rearranged(rows, dragged, to));
    setDragged(null);
  };
  const add = (row: number): void => {
    const item = starting(part, root, (base) => freshIn(rows, base.replace("option", "button")));
    const next = rows.map((old, index) => (index === row ? [...old, item] : old));
    onChange(row < rows.length ? next : [...rows, [item]]);
    setOpen(idOf(item));
  };
  const change = (spot: Spot, item: Json): void => onChange(rows.map((row, index) => (index === spot.row ? row.map((old, place) => (place === spot.place ? item : old)) : row)));
  const remove = (spot: Spot): void => onChange(rows.map((row, index) => (index === spot.row ? row.filter((_, place) => place !== spot.place) : row)).filter((row) => row.length));
  const move = (spot: Spot, key: string): boolean => {
    const to = { ArrowLeft: { row: spot.row, place: spot.place - 1 }, ArrowRight: { row: spot.row, place: spot.place + 2 }, ArrowUp: { row: spot.row - 1, place: 0 }, ArrowDown: { row: spot.row + 1, place: 0 } }[key];
    if (!to || to.row < 0 || to.place < 0) return false;
    onChange(rearranged(rows, spot, to));
    return true;
  };
  const pathOf = (spot: Spot): string => `${path}.${spot.row}.${spot.place}`;
  const opened = rows.flatMap((row, index) => row.map((item, place) => ({ item, spot: { row: index, place } }))).find(({ item, spot }) => (open !== null && idOf(item) === open) || (open === null && focus.startsWith(`${pathOf(spot)}.`)));
  return (
    <div className="fb-grid">
      {rows.map((row, index) => (
        <div key={index} className="fb-grid-row" onDragOver={(event) => dragged && event.preventDefault()} onDrop={() => drop({ row: index, place: row.length })}>
          {row.map((item, place) => {
            const wrong = problems.filter((problem) => problem.field.startsWith(`${pathOf({ row: index, place })}.`));
            const bad = wrong.some((problem) => problem.level === "error") ? " fb-bad" : wrong.length ? " fb-warned" : "";
            return (
              <button key={idOf(item)} type="button" draggable={!disabled} className={`fb-chip${opened?.item === item ? " fb-open" : ""}${bad}`} aria-expanded={opened?.item === item}
                title={gettext("Click to edit, drag to move; Alt and arrow keys move too")}
                onClick={() => setOpen(opened?.item === item ? "" : idOf(item))}
                onDragStart={() => setDragged({ row: index, place })} onDragEnd={() => setDragged(null)}
                onDrop={(event) => {
                  event.stopPropagation();
                  // Forwards in its row it comes behind the one on which it is dropped.
                  drop({ row: index, place: dragged && dragged.row === index && dragged.place < place ? place + 1 : place });
                }}
                onKeyDown={(event) => event.altKey && !disabled && move({ row: index, place }, event.key) && event.preventDefault()}>
                {chipText(item)}
              </button>
            );
          })}
          {disabled ? null : <button type="button" className="fb-chip fb-plus" title={gettext("Add to this row")} aria-label={gettext("Add to row %(number)s", { number: index + 1 })} onClick={() => add(index)}>+</button>}
        </div>
      ))}
      {disabled ? null : (
        <button type="button" className="fb-add" onDragOver={(event) => dragged && event.preventDefault()} onDrop={() => drop({ row: rows.length, place: 0 })} onClick={() => add(rows.length)}>
          + {rows.length ? gettext("New row") : gettext("Add")}
        </button>
      )}
      {opened ? (
        <div className="fb-item">
          <Fields key={idOf(opened.item)} schema={part} root={root} values={isObject(opened.item) ? opened.item : {}} path={pathOf(opened.spot)} onChange={(next: JsonObject) => {
            change(opened.spot, next);
            setOpen(idOf(next));
          }} />
          <FieldProblems path={pathOf(opened.spot)} />
          {disabled ? null : <button type="button" className="fb-remove" onClick={() => remove(opened.spot)}>{gettext("Remove")}</button>}
        </div>
      ) : null}
    </div>
  );
}

const idOf = (item: Json): string => (isObject(item) ? String(item["id"] ?? "") : String(item));
const chipText = (item: Json): string => (isObject(item) ? textsIn(item["label"])[0] || gettext("(no label)") : String(item));
