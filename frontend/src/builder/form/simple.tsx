// Controls for plain values.
import { isObject, type Json } from "../model/types.ts";
import { gettext, plain } from "../texts.ts";
import { Code } from "./Code.tsx";
import { useFieldProblems, useForm, type FieldProps } from "./context.ts";

const textOf = (value: Json | undefined): string => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

export function LineField({ schema, value, onChange, label, path }: FieldProps) {
  const { disabled, focus } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const long = (schema["maxLength"] as number | undefined) ?? 1000;
  // Parameters of actions are plain texts to their schema, and take placeholders all the same.
  if (path.startsWith("params.params.")) return <Code mode="line" label={label} value={textOf(value)} onChange={onChange} focus={focus === path} invalid={invalid} />;
  return <input type="text" disabled={disabled} aria-label={label} aria-invalid={invalid} maxLength={long} value={textOf(value)} placeholder={textOf(schema.examples?.[0])} onChange={(event) => onChange(event.target.value)} />;
}

export function NumberField({ schema, value, onChange, label, path }: FieldProps) {
  const { disabled } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const limits = { min: schema["minimum"] as number | undefined, max: schema["maximum"] as number | undefined };
  return (
    <input type="number" className="fb-short" disabled={disabled} aria-label={label} aria-invalid={invalid} {...limits} step={schema.type === "integer" ? 1 : "any"}
      value={typeof value === "number" ? value : ""} placeholder={textOf(schema.default)}
      onChange={(event) => onChange(event.target.value === "" ? undefined : Number(event.target.value))} />
  );
}

export function BooleanField({ schema, value, onChange, label }: FieldProps) {
  const { disabled } = useForm();
  return (
    <label className="fb-check">
      <input type="checkbox" disabled={disabled} checked={value === true} onChange={(event) => onChange(event.target.checked)} />
      <span>
        {label}
        {schema.description ? <span className="fb-help">{schema.description}</span> : null}
      </span>
    </label>
  );
}

export function ChoiceField({ schema, value, onChange, label, required }: FieldProps) {
  const { disabled } = useForm();
  const options = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  const known = options.includes(value ?? null);
  if (options.length <= 3 && options.every((option) => String(option).length <= 12) && known) {
    return (
      <div className="fb-segments" role="radiogroup" aria-label={label}>
        {options.map((option) => (
          <button key={String(option)} type="button" role="radio" aria-checked={option === value} disabled={disabled} onClick={() => onChange(option)}>
            {option === "" ? gettext("No") : plain(String(option))}
          </button>
        ))}
      </div>
    );
  }
  return (
    <select disabled={disabled} aria-label={label} value={known ? JSON.stringify(value) : ""} onChange={(event) => onChange(event.target.value ? (JSON.parse(event.target.value) as Json) : undefined)}>
      {known && (required || !schema.nullable) ? null : <option value="">{known ? "–" : textOf(value)}</option>}
      {options.map((option) => (
        <option key={String(option)} value={JSON.stringify(option)}>{option === "" ? "–" : plain(String(option))}</option>
      ))}
    </select>
  );
}

/** Routes and is kept: shown, and changed only by those who ask for it. */
export function IdField({ value, onChange, label }: FieldProps) {
  const { disabled } = useForm();
  return <input type="text" className="fb-mono" disabled={disabled} aria-label={label} value={textOf(value)} onChange={(event) => onChange(event.target.value)} />;
}

const UNITS = ["seconds", "minutes", "hours", "days", "weeks"];

export function DurationField({ schema, value, onChange, label, required }: FieldProps) {
  const { disabled } = useForm();
  if (value === null || value === undefined) {
    return (
      <button type="button" className="fb-add" disabled={disabled} onClick={() => onChange({ amount: 10, unit: "minutes" })}>
        + {gettext("Set a time")}
      </button>
    );
  }
  const found = isObject(value) ? value : typeof value === "number" ? { amount: value, unit: "seconds" } : null;
  if (!found) return <input type="text" disabled={disabled} aria-label={label} value={textOf(value)} onChange={(event) => onChange(event.target.value)} />;
  return (
    <div className="fb-row">
      <input type="number" className="fb-short" min={0} step="any" disabled={disabled} aria-label={label} value={textOf(found["amount"])} onChange={(event) => onChange({ ...found, amount: Number(event.target.value) })} />
      <select disabled={disabled} aria-label={gettext("Unit")} value={textOf(found["unit"] ?? "minutes")} onChange={(event) => onChange({ ...found, unit: event.target.value })}>
        {UNITS.map((unit) => (
          <option key={unit} value={unit}>{gettext(unit)}</option>
        ))}
      </select>
      {schema.nullable && !required && !disabled ? <button type="button" className="fb-icon" title={gettext("Remove")} aria-label={gettext("Remove")} onClick={() => onChange(null)}>×</button> : null}
    </div>
  );
}
