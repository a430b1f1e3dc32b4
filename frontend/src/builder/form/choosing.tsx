// Controls that offer what the scenario has: variables, sections, entries, outputs, files.
import { useId } from "react";
import { nodesOf } from "../model/reading.ts";
import { isObject, type Definition } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { useFieldProblems, useForm, type FieldProps } from "./context.ts";

export function VariableField({ schema, value, onChange, label, path }: FieldProps) {
  const { disabled, names } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const list = useId();
  return (
    <>
      <input type="text" className="fb-mono" list={list} disabled={disabled} aria-label={label} aria-invalid={invalid} maxLength={64} value={typeof value === "string" ? value : ""}
        placeholder={String(schema.examples?.[0] ?? "")} onChange={(event) => onChange(event.target.value)} />
      <datalist id={list}>
        {names.filter((name) => name.rank === 0 || name.rank === 4).map((name) => <option key={name.name} value={name.name} />)}
      </datalist>
    </>
  );
}

type Option = { value: string; label: string };

/** Sections, entry aliases or outputs of this scenario. */
export function TargetField({ schema, value, onChange, label, path }: FieldProps) {
  const { definition, disabled } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const options = OFFERED[schema["x-role"] ?? ""]?.(definition) ?? [];
  const shown = typeof value === "string" ? value : "";
  return (
    <select disabled={disabled} aria-label={label} aria-invalid={invalid} value={shown} onChange={(event) => onChange(event.target.value || null)}>
      <option value="">–</option>
      {shown && !options.some((option) => option.value === shown) ? <option value={shown}>{gettext("%(name)s (missing)", { name: shown })}</option> : null}
      {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
    </select>
  );
}

const OFFERED: Record<string, (definition: Definition) => Option[]> = {
  section: (definition) => definition.sections.map((section) => ({ value: section.id, label: section.name || section.id })),
  entry: (definition) => nodesOf(definition).flatMap((node) => (typeof node.params?.["alias"] === "string" ? [{ value: node.params["alias"], label: node.params["alias"] }] : [])),
  output: (definition) =>
    [...new Set(definition.sections.flatMap((section) => (Array.isArray(section.outputs) ? section.outputs : [])).flatMap((output) => (isObject(output) ? String(output["name"] ?? "") : String(output))))]
      .filter(Boolean)
      .map((name) => ({ value: name, label: name })),
};

export function FileField({ value, onChange, label, path }: FieldProps) {
  const { metadata, disabled } = useForm();
  const invalid = useFieldProblems(path).some((problem) => problem.level === "error");
  const shown = typeof value === "string" ? value : "";
  const files = shown && !metadata.files.includes(shown) ? [shown, ...metadata.files] : metadata.files;
  return (
    <select disabled={disabled} aria-label={label} aria-invalid={invalid} value={shown} onChange={(event) => onChange(event.target.value)}>
      <option value="">{files.length ? "–" : gettext("No files yet: upload some under Settings, Files")}</option>
      {files.map((file) => <option key={file} value={file}>{file}</option>)}
    </select>
  );
}
