// Texts: said to people in several languages, addresses, and values of any type.
import { useState } from "react";
import { isObject, type Json } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { set } from "../state/store.ts";
import { Code } from "./Code.tsx";
import { useFieldProblems, useForm, type FieldProps } from "./context.ts";

/** One text for all, or one for each language of the scenario; the first language is the one that others fall back to. */
export function TextField({ value, onChange, label, path }: FieldProps) {
  const { languages, language, focus } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const base = languages[0] ?? "en";
  const many = languages.length > 1 || isObject(value);
  const here = many ? language : base;
  const shown = typeof value === "string" ? (here === base ? value : "") : isObject(value) ? String(value[here] ?? "") : "";
  const change = (text: string): void => {
    if (!many || (typeof value !== "object" && here === base)) return onChange(text);
    const texts: Record<string, Json> = isObject(value) ? { ...value } : { [base]: typeof value === "string" ? value : "" };
    if (text) texts[here] = text;
    else delete texts[here];
    const left = Object.keys(texts);
    onChange(left.length === 1 && left[0] === base ? (texts[base] as Json) : texts);
  };
  const fallback = here !== base ? (typeof value === "string" ? value : isObject(value) ? String(value[base] ?? "") : "") : "";
  return (
    <div>
      {many ? <Languages value={value} /> : null}
      <Code key={here} mode="text" label={many ? `${label} (${here})` : label} value={shown} onChange={change} hint={fallback} focus={focus === path || focus === `${path}.${here}`} invalid={invalid} />
    </div>
  );
}

function Languages({ value }: { value: Json | undefined }) {
  const { languages, language } = useForm();
  const all = [...new Set([...languages, ...(isObject(value) ? Object.keys(value) : [])])];
  const has = (code: string): boolean => (isObject(value) ? Boolean(value[code]) : code === languages[0] && Boolean(value));
  return (
    <div className="fb-tabs" role="tablist" aria-label={gettext("Language")}>
      {all.map((code) => (
        <button key={code} type="button" role="tab" aria-selected={code === language} className={has(code) ? "" : "fb-missing"} title={has(code) ? code : gettext("No translation yet")} onClick={() => set({ language: code })}>
          {code}
        </button>
      ))}
    </div>
  );
}

export function TemplateField({ schema, value, onChange, label, path }: FieldProps) {
  const { focus } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const role = schema["x-role"];
  const mode = role === "reference" || role === "expression" ? role : "line";
  return <Code mode={mode} label={label} value={typeof value === "string" ? value : ""} onChange={(text) => onChange(schema.nullable && !text ? null : text)} hint={String(schema.examples?.[0] ?? "")} focus={focus === path} invalid={invalid} />;
}

type ValueKind = "text" | "number" | "boolean" | "json" | "empty";
const kindOfValue = (value: Json | undefined): ValueKind =>
  value === null || value === undefined ? "empty" : typeof value === "string" ? "text" : typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "json";
const FIRST: Record<ValueKind, Json> = { text: "", number: 0, boolean: true, json: {}, empty: null };

/** Any JSON: most often a text, which keeps the type of a lone placeholder. */
export function ValueField({ value, onChange, label, path }: FieldProps) {
  const { disabled, focus } = useForm();
  const kind = kindOfValue(value);
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const choose = (next: ValueKind): void => onChange(next === "text" && typeof value === "number" ? String(value) : next === "json" && typeof value === "string" && value ? [value] : FIRST[next]);
  return (
    <div className="fb-value">
      <select className="fb-type" disabled={disabled} aria-label={gettext("Type of the value")} title={gettext("Type of the value")} value={kind} onChange={(event) => choose(event.target.value as ValueKind)}>
        <option value="text">{gettext("Text")}</option>
        <option value="number">{gettext("Number")}</option>
        <option value="boolean">{gettext("Yes/no")}</option>
        <option value="json">{gettext("List or object")}</option>
        <option value="empty">{gettext("Nothing")}</option>
      </select>
      {kind === "text" ? <Code mode="text" label={label} value={value as string} onChange={onChange} focus={focus === path} invalid={invalid} /> : null}
      {kind === "number" ? <input type="number" step="any" disabled={disabled} aria-label={label} value={value as number} onChange={(event) => onChange(Number(event.target.value))} /> : null}
      {kind === "boolean" ? (
        <select disabled={disabled} aria-label={label} value={String(value)} onChange={(event) => onChange(event.target.value === "true")}>
          <option value="true">{gettext("Yes")}</option>
          <option value="false">{gettext("No")}</option>
        </select>
      ) : null}
      {kind === "json" ? <JsonText value={value as Json} onChange={onChange} label={label} /> : null}
    </div>
  );
}

export function JsonText({ value, onChange, label }: { value: Json; onChange: (value: Json) => void; label: string }) {
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState("");
  const change = (text: string): void => {
    setTyped(text);
    try {
      const read = JSON.parse(text) as Json;
      setWrong("");
      if (JSON.stringify(read) !== JSON.stringify(value)) onChange(read);
    } catch {
      setWrong(gettext("This is no JSON yet. Texts stand in double quotes; it is stored when it is complete."));
    }
  };
  const stored = JSON.stringify(value, null, 2);
  const shown = typed !== null && (wrong || same(typed, value)) ? typed : stored;
  return (
    <div>
      <Code mode="json" label={label} value={shown} onChange={change} invalid={Boolean(wrong)} />
      {wrong ? <div className="fb-problem fb-warning">{wrong}</div> : null}
    </div>
  );
}

function same(text: string, value: Json): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(value);
  } catch {
    return false;
  }
}
