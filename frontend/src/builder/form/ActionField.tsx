// What an action block runs: chosen by name, explained, with the parameters that the chosen action declares.
import { isObject } from "../model/types.ts";
import type { Schema } from "../model/schema.ts";
import { nodesOf } from "../model/reading.ts";
import { gettext } from "../texts.ts";
import { useForm, type FieldProps } from "./context.ts";
import { Fields } from "./ObjectField.tsx";

export function ActionField({ value, onChange, label }: FieldProps) {
  const { metadata, disabled } = useForm();
  const chosen = metadata.actions.find((action) => action.kind === value);
  return (
    <>
      <select disabled={disabled} aria-label={label} value={typeof value === "string" ? value : ""} onChange={(event) => onChange(event.target.value)}>
        {chosen ? null : <option value={typeof value === "string" ? value : ""}>{value ? gettext("%(name)s (missing)", { name: String(value) }) : gettext("Choose…")}</option>}
        {metadata.actions.map((action) => <option key={action.kind} value={action.kind}>{action.label}</option>)}
      </select>
      {chosen ? (
        <div className="fb-explained">
          <code>{chosen.kind}</code>
          {chosen.help ? <p>{chosen.help}</p> : null}
          <p>{gettext("Goes on by:")} {chosen.exits.map((exit) => exit.label).join(" · ")}</p>
        </div>
      ) : null}
    </>
  );
}

export function ActionParamsField({ value, onChange, path }: FieldProps) {
  const { metadata, definition, id } = useForm();
  const name = nodesOf(definition).find((node) => node.id === id)?.params?.["action"];
  const action = metadata.actions.find((found) => found.kind === name);
  if (!action) return <div className="fb-help">{gettext("Choose an action first.")}</div>;
  const schema = action.schema as Schema;
  return (
    <div className="fb-object">
      <Fields schema={schema} root={schema} values={isObject(value) ? value : {}} onChange={onChange} path={path} />
    </div>
  );
}
