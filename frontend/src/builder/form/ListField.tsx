// A list of things in order: each can be opened, moved by drag or keyboard, and removed.
import { useState, type DragEvent } from "react";
import { resolve, starting, textsIn } from "../model/schema.ts";
import { isObject, type Json, type JsonObject } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { useForm, type FieldProps } from "./context.ts";
import { Field, FieldProblems } from "./Field.tsx";
import { Fields } from "./ObjectField.tsx";

export const takenIn = (value: unknown): Set<string> => new Set(textsIn(value));

export function freshIn(value: unknown, base: string): string {
  const taken = takenIn(value);
  for (let number = 1; ; number += 1) if (!taken.has(`${base}_${number}`)) return `${base}_${number}`;
}

export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const next = [...items];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(Math.max(0, Math.min(next.length, to)), 0, item);
  return next;
}

export function ListField({ schema, root, value, onChange, path }: FieldProps) {
  const { disabled } = useForm();
  const [dragged, setDragged] = useState<number | null>(null);
  const items = Array.isArray(value) ? value : [];
  const part = resolve(schema.items ?? {}, root);
  const simple = !part.properties && !part.oneOf;
  const most = schema["maxItems"] as number | undefined;
  const change = (index: number, item: Json | undefined): void => onChange(items.map((old, place) => (place === index ? (item ?? null) : old)));
  const add = (): void => onChange([...items, starting(schema.items ?? {}, root, (base) => freshIn(items, base))]);
  const remove = (index: number): void => onChange(items.filter((_, place) => place !== index));
  const handlers = (index: number) => ({
    onDragOver: (event: DragEvent) => dragged !== null && event.preventDefault(),
    onDrop: () => {
      if (dragged !== null && dragged !== index) onChange(moved(items, dragged, index));
      setDragged(null);
    },
  });
  return (
    <div className="fb-list">
      {items.map((item, index) => (
        <div key={keyOf(item, index)} className={`${simple ? "fb-line" : "fb-item"}${dragged === index ? " fb-dragged" : ""}`} {...handlers(index)}>
          <div className="fb-item-head">
            <button type="button" className="fb-grip" draggable={!disabled} disabled={disabled} title={gettext("Drag to move; arrow keys move too")} aria-label={gettext("Move item %(number)s", { number: index + 1 })}
              onDragStart={() => setDragged(index)} onDragEnd={() => setDragged(null)}
              onKeyDown={(event) => {
                const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                if (by) {
                  event.preventDefault();
                  onChange(moved(items, index, index + by));
                }
              }}>⠿</button>
            {simple ? <Field name={gettext("Item %(number)s", { number: index + 1 })} schema={{ ...(schema.items ?? {}), title: "" }} root={root} value={item} path={`${path}.${index}`} required onChange={(next) => change(index, next)} />
              : <span className="fb-item-title">{titleOf(item, index)}</span>}
            {disabled ? null : <button type="button" className="fb-icon" title={gettext("Remove")} aria-label={gettext("Remove item %(number)s", { number: index + 1 })} onClick={() => remove(index)}>×</button>}
          </div>
          {simple ? null : part.oneOf ? <Field name="" schema={{ ...(schema.items ?? {}), title: "" }} root={root} value={item} path={`${path}.${index}`} required onChange={(next) => change(index, next)} />
            : <Fields schema={part} root={root} values={isObject(item) ? item : asObject(item)} path={`${path}.${index}`} onChange={(next) => change(index, next)} />}
          {simple || part.oneOf ? null : <FieldProblems path={`${path}.${index}`} />}
        </div>
      ))}
      {disabled || (most !== undefined && items.length >= most) ? null : <button type="button" className="fb-add" onClick={add}>+ {gettext("Add")}</button>}
    </div>
  );
}

/** A bare name stands for an object with that name (outputs of a section). */
const asObject = (item: Json): JsonObject => (typeof item === "string" ? { name: item } : {});
const keyOf = (item: Json, index: number): string => (isObject(item) && typeof item["id"] === "string" ? item["id"] : String(index));

function titleOf(item: Json, index: number): string {
  if (isObject(item)) {
    for (const key of ["title", "label", "name", "text", "words", "url"]) {
      const text = textsIn(item[key]).join(", ");
      if (text) return text.slice(0, 60);
    }
  }
  return `${index + 1}`;
}
