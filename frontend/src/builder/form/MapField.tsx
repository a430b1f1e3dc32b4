// Names with values: headers, variables, parameters of a section.
import { useState } from "react";
import type { Schema } from "../model/schema.ts";
import { isObject, type Json, type JsonObject } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { useForm, type FieldProps } from "./context.ts";
import { Field } from "./Field.tsx";

export function MapField({ schema, root, value, onChange, path, label }: FieldProps) {
  const { disabled } = useForm();
  const [draft, setDraft] = useState("");
  const values: JsonObject = isObject(value) ? value : {};
  const inner: Schema = Object.values(schema.patternProperties ?? {})[0] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : {});
  const rename = (old: string, name: string): void => {
    if (!name || (name !== old && name in values)) return;
    onChange(Object.fromEntries(Object.entries(values).map(([key, item]) => [key === old ? name : key, item])));
  };
  const add = (): void => {
    const name = draft.trim();
    if (name && !(name in values)) onChange({ ...values, [name]: "" });
    setDraft("");
  };
  return (
    <div className="fb-map">
      {Object.entries(values).map(([name, item]) => (
        <div key={name} className="fb-pair">
          <div className="fb-row">
            <input type="text" className="fb-mono" disabled={disabled} aria-label={gettext("Name")} defaultValue={name} onBlur={(event) => rename(name, event.target.value.trim())} />
            {disabled ? null : <button type="button" className="fb-icon" title={gettext("Remove")} aria-label={gettext("Remove %(name)s", { name })} onClick={() => onChange(without(values, name))}>×</button>}
          </div>
          <Field name={name} schema={{ ...inner, title: " " }} root={root} value={item} path={`${path}.${name}`} required onChange={(next) => onChange({ ...values, [name]: next ?? null })} />
        </div>
      ))}
      {disabled ? null : (
        <div className="fb-row">
          <input type="text" className="fb-mono" aria-label={`${label}: ${gettext("new name")}`} placeholder={gettext("new name")} value={draft} onChange={(event) => setDraft(event.target.value)} onKeyDown={(event) => event.key === "Enter" && add()} />
          <button type="button" className="fb-add fb-inline" disabled={!draft.trim()} onClick={add}>+ {gettext("Add")}</button>
        </div>
      )}
    </div>
  );
}

function without(values: JsonObject, name: string): Record<string, Json> {
  const { [name]: _gone, ...rest } = values;
  return rest;
}
