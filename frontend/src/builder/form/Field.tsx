// One parameter: its label, the control that its schema asks for, its help, and what the check says of it.
import type { ReactNode } from "react";
import { kindOf, resolve, type Schema } from "../model/schema.ts";
import type { Json, Problem } from "../model/types.ts";
import { gettext, plain } from "../texts.ts";
import { ActionField, ActionParamsField } from "./ActionField.tsx";
import { ConditionField } from "./ConditionField.tsx";
import { useFieldProblems, type FieldProps } from "./context.ts";
import { GridField } from "./GridField.tsx";
import { ListField } from "./ListField.tsx";
import { MapField } from "./MapField.tsx";
import { ObjectField, UnionField } from "./ObjectField.tsx";
import { BooleanField, ChoiceField, DurationField, IdField, LineField, NumberField } from "./simple.tsx";
import { FileField, TargetField, VariableField } from "./choosing.tsx";
import { TemplateField, TextField, ValueField } from "./texts.tsx";

const CONTROLS: Record<string, (props: FieldProps) => ReactNode> = {
  text: TextField, template: TemplateField, expression: TemplateField, reference: TemplateField, value: ValueField, variable: VariableField,
  duration: DurationField, condition: ConditionField, action: ActionField, "action-params": ActionParamsField, section: TargetField,
  entry: TargetField, output: TargetField, file: FileField, id: IdField, choice: ChoiceField, boolean: BooleanField, number: NumberField,
  grid: GridField, list: ListField, map: MapField, object: ObjectField, union: UnionField, line: LineField,
};

type Props = { name: string; schema: Schema; root: Schema; value: Json | undefined; onChange: (value: Json | undefined) => void; path: string; required: boolean };

export function Field({ name, schema, root, value, onChange, path, required }: Props) {
  const found = resolve(schema, root);
  const kind = kindOf(found, root);
  const label = String(schema.title ?? found.title ?? plain(name));
  const problems = useFieldProblems(path);
  const Control = CONTROLS[kind] ?? LineField;
  const props: FieldProps = { schema: found, root, value, onChange, path, label, required };
  const worst = problems.some((problem) => problem.level === "error") ? "fb-error" : problems.length ? "fb-warning" : "";
  return (
    <div className={`fb-field fb-field-${kind} ${worst}`} data-path={path}>
      {kind === "boolean" ? (
        <Control {...props} />
      ) : (
        <>
          {label.trim() ? (
            <div className="fb-label">
              {label}
              {required ? <span className="fb-required" title={gettext("Required")}>*</span> : null}
            </div>
          ) : null}
          <Control {...props} />
        </>
      )}
      {schema.description && kind !== "boolean" ? <div className="fb-help">{schema.description}</div> : null}
      <FieldProblems path={path} />
    </div>
  );
}

export function FieldProblems({ path }: { path: string }) {
  const problems = useFieldProblems(path);
  return (
    <>
      {problems.map((problem) => (
        <div key={problem.message} className={`fb-problem fb-${problem.level}`} role={problem.level === "error" ? "alert" : undefined}>
          {withoutPlace(problem)}
        </div>
      ))}
    </>
  );
}

/** Beside its field a message need not say where it belongs: neither the block nor the parameter. */
function withoutPlace(problem: Problem): string {
  const text = problem.message.replace(/^[^“]*“[^”]*”(?:,[^:]*)?: /, "");
  const place = text.slice(0, text.indexOf(": "));
  return place && problem.field.endsWith(place) ? text.slice(place.length + 2) : text;
}
