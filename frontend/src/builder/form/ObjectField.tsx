// The fields of an object in the order of its schema; what few authors need lies under "More settings".
import { isShown, kindOf, resolve, starting, startingObject, withField, type Schema } from "../model/schema.ts";
import { isObject, type Json, type JsonObject } from "../model/types.ts";
import { gettext, plain } from "../texts.ts";
import { useForm, type FieldProps } from "./context.ts";
import { Field } from "./Field.tsx";

type FieldsProps = { schema: Schema; root: Schema; values: JsonObject; onChange: (values: JsonObject) => void; path: string; without?: readonly string[]; first?: readonly string[] };

export function Fields({ schema, root, values, onChange, path, without = [], first = [] }: FieldsProps) {
  const { focus, problems } = useForm();
  const properties = schema.properties ?? {};
  const required = new Set(schema.required ?? []);
  const isOwn = (name: string, part: Schema): boolean => name in values && JSON.stringify(values[name]) !== JSON.stringify(part.default);
  const shown = Object.entries(properties).filter(([name, part]) => !without.includes(name) && part.const === undefined && (isOwn(name, part) ? !part["x-hidden"] : isShown(part, values, properties)));
  const joined = (name: string): string => (path ? `${path}.${name}` : name);
  const isMore = ([name, part]: [string, Schema]): boolean => Boolean(part["x-more"] ?? (resolve(part, root)["x-role"] === "id")) && !(name in values && part["x-role"] !== "id");
  const field = ([name, part]: [string, Schema]) => (
    <Field key={name} name={name} schema={part} root={root} path={joined(name)} required={required.has(name)} value={values[name] ?? (part.default as Json | undefined)}
      onChange={(value) => onChange(withField(values, name, value, part, required.has(name)))} />
  );
  const main = shown.filter((entry) => !isMore(entry)).sort(([one], [other]) => Number(first.includes(other)) - Number(first.includes(one)));
  const more = shown.filter(isMore);
  const inMore = more.some(([name]) => (focus && focus.startsWith(joined(name))) || problems.some((problem) => problem.field.startsWith(joined(name))));
  return (
    <>
      {main.map(field)}
      {more.length ? (
        <details className="fb-more" open={inMore || undefined}>
          <summary>{gettext("More settings")}</summary>
          {more.map(field)}
        </details>
      ) : null}
    </>
  );
}

export function ObjectField({ schema, root, value, onChange, path, required, label }: FieldProps) {
  const { disabled } = useForm();
  if (schema.nullable && !isObject(value)) {
    return (
      <button type="button" className="fb-add" disabled={disabled} onClick={() => onChange(startingObject(schema, root, (base) => base))}>
        + {gettext("Add: %(what)s", { what: label })}
      </button>
    );
  }
  return (
    <div className="fb-object">
      <Fields schema={schema} root={root} values={isObject(value) ? value : {}} onChange={onChange} path={path} />
      {schema.nullable && !required && !disabled ? (
        <button type="button" className="fb-remove" onClick={() => onChange(null)}>
          {gettext("Remove")}
        </button>
      ) : null}
    </div>
  );
}

/** One of several forms, told apart by a field with a fixed value. */
export function UnionField({ schema, root, value, onChange, path }: FieldProps) {
  const { disabled } = useForm();
  const forms = (schema.oneOf ?? []).map((option) => resolve(option, root));
  const mark = Object.keys(forms[0]?.properties ?? {}).find((name) => kindOf(resolve(forms[0]?.properties?.[name] ?? {}, root), root) === "choice" && forms[0]?.properties?.[name]?.const !== undefined) ?? "kind";
  const values = isObject(value) ? value : {};
  const chosen = forms.find((form) => form.properties?.[mark]?.const === values[mark]);
  return (
    <div className="fb-object">
      <select disabled={disabled} value={String(values[mark] ?? "")} aria-label={gettext("Kind")}
        onChange={(event) => onChange(starting(forms.find((form) => form.properties?.[mark]?.const === event.target.value) ?? {}, root, (base) => base))}>
        {chosen ? null : <option value="" />}
        {forms.map((form) => {
          const name = String(form.properties?.[mark]?.const);
          return <option key={name} value={name}>{plain(name)}</option>;
        })}
      </select>
      {chosen ? <Fields schema={chosen} root={root} values={values} onChange={onChange} path={path} /> : null}
    </div>
  );
}
