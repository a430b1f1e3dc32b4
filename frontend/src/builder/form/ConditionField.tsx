// Conditions as rows: variable, operator, value; in groups of "all" or "any", or one free expression.
import { resolve, type Schema } from "../model/schema.ts";
import { isObject, type Json, type JsonObject } from "../model/types.ts";
import { gettext } from "../texts.ts";
import { Code } from "./Code.tsx";
import { useForm, type FieldProps } from "./context.ts";
import { FieldProblems } from "./Field.tsx";
import { ValueField } from "./texts.tsx";

const ROW: JsonObject = { variable: "", operator: "equals", value: "" };
const GROUPS = ["all", "any"] as const;

export function ConditionField({ schema, root, value, onChange, path, required }: FieldProps) {
  const { disabled } = useForm();
  if (!isObject(value)) {
    return (
      <button type="button" className="fb-add" disabled={disabled} onClick={() => onChange({ all: [{ ...ROW }] })}>
        + {gettext("Add a condition")}
      </button>
    );
  }
  return (
    <div className="fb-condition">
      <Condition value={value} onChange={onChange} path={path} root={root} depth={0} />
      {schema.nullable && !required && !disabled ? <button type="button" className="fb-remove" onClick={() => onChange(null)}>{gettext("Remove the condition")}</button> : null}
    </div>
  );
}

type PartProps = { value: JsonObject; onChange: (value: Json) => void; path: string; root: Schema; depth: number; onRemove?: () => void };

function Condition(props: PartProps) {
  const { value, path } = props;
  const group = GROUPS.find((name) => Array.isArray(value[name]));
  return (
    <>
      {group ? <Group {...props} name={group} /> : typeof value["expression"] === "string" ? <FreeExpression {...props} /> : <Row {...props} />}
      <FieldProblems path={path} />
    </>
  );
}

function Group({ value, onChange, path, root, depth, onRemove, name }: PartProps & { name: "all" | "any" }) {
  const { disabled } = useForm();
  const items = (value[name] as Json[]).map((item) => (isObject(item) ? item : { ...ROW }));
  const change = (next: Json[]): void => onChange({ [name]: next });
  return (
    <div className="fb-group">
      <div className="fb-row">
        <select disabled={disabled} aria-label={gettext("How conditions are joined")} value={name} onChange={(event) => onChange({ [event.target.value]: items })}>
          <option value="all">{gettext("All of these hold")}</option>
          <option value="any">{gettext("Any of these holds")}</option>
        </select>
        {onRemove && !disabled ? <RemoveButton onClick={onRemove} /> : null}
      </div>
      {items.map((item, index) => (
        <Condition key={index} value={item} path={`${path}.${name}.${index}`} root={root} depth={depth + 1} onChange={(next) => change(items.map((old, place) => (place === index ? next : old)))} onRemove={() => change(items.filter((_, place) => place !== index))} />
      ))}
      {disabled ? null : (
        <div className="fb-row">
          <button type="button" className="fb-add fb-inline" onClick={() => change([...items, { ...ROW }])}>+ {gettext("Condition")}</button>
          {depth < 3 ? <button type="button" className="fb-add fb-inline" onClick={() => change([...items, { [name === "all" ? "any" : "all"]: [{ ...ROW }] }])}>+ {gettext("Group")}</button> : null}
          <button type="button" className="fb-add fb-inline" onClick={() => change([...items, { expression: "" }])}>+ {gettext("Expression")}</button>
        </div>
      )}
    </div>
  );
}

function FreeExpression({ value, onChange, onRemove }: PartProps) {
  const { disabled } = useForm();
  return (
    <div className="fb-row">
      <Code mode="expression" label={gettext("Expression")} value={String(value["expression"])} hint={'amount > 100 and status == "paid"'} onChange={(expression) => onChange({ expression })} />
      {onRemove && !disabled ? <RemoveButton onClick={onRemove} /> : null}
    </div>
  );
}

function Row({ value, onChange, path, root, onRemove }: PartProps) {
  const { metadata, disabled, focus } = useForm();
  const operator = metadata.operators.find((found) => found.name === (value["operator"] ?? "equals"));
  const withOperator = (name: string): void => {
    const takes = metadata.operators.find((found) => found.name === name)?.takes;
    const { value: _old, ...rest } = value;
    onChange(takes === "none" ? { ...rest, operator: name } : { ...rest, operator: name, value: takes === "two" ? ["", ""] : Array.isArray(value["value"]) ? "" : (value["value"] ?? "") });
  };
  const pair = operator?.takes === "two" ? (Array.isArray(value["value"]) ? value["value"] : ["", ""]) : null;
  const empty = resolve({}, root);
  const input = (item: Json | undefined, change: (next: Json) => void, label: string, place: string) => (
    <ValueField schema={empty} root={root} value={item} onChange={(next) => change(next ?? null)} path={place} label={label} required />
  );
  return (
    <div className="fb-condition-row">
      <div className="fb-row">
        <Code mode="reference" label={gettext("Variable")} hint={gettext("variable")} value={String(value["variable"] ?? "")} onChange={(variable) => onChange({ ...value, variable })} focus={focus === `${path}.variable`} />
        <select disabled={disabled} aria-label={gettext("Operator")} value={String(value["operator"] ?? "equals")} onChange={(event) => withOperator(event.target.value)}>
          {metadata.operators.map((found) => <option key={found.name} value={found.name}>{found.label}</option>)}
        </select>
        {onRemove && !disabled ? <RemoveButton onClick={onRemove} /> : null}
      </div>
      {pair ? pair.slice(0, 2).map((item, index) => <div key={index}>{input(item, (next) => onChange({ ...value, value: pair.map((old, place) => (place === index ? next : old)) }), index ? gettext("To") : gettext("From"), `${path}.value.${index}`)}</div>) : null}
      {!pair && operator?.takes !== "none" ? input(value["value"], (next) => onChange({ ...value, value: next }), operator?.takes === "list" ? gettext("Values, separated by commas") : gettext("Value"), `${path}.value`) : null}
    </div>
  );
}

function RemoveButton({ onClick }: { onClick: () => void }) {
  return <button type="button" className="fb-icon" title={gettext("Remove")} aria-label={gettext("Remove the condition")} onClick={onClick}>×</button>;
}
