// Forms outside blocks: the shown section, and the scenario as a whole.
import { useMemo } from "react";
import { FormContext } from "../form/context.ts";
import { Fields } from "../form/ObjectField.tsx";
import { changeDefinition, changeSection } from "../model/edits.ts";
import type { Schema } from "../model/schema.ts";
import type { Definition, JsonObject, SectionData } from "../model/types.ts";
import { sectionNow } from "../state/acting.ts";
import { edit, useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";
import { useWorld } from "./BlockForm.tsx";
import { Copies } from "./Copies.tsx";

export function SectionForm() {
  const state = useBuilder((found) => found);
  const section = sectionNow(state);
  const problems = useMemo(() => state.problems.filter((problem) => problem.section === section?.id && !problem.node), [state.problems, section?.id]);
  const world = useWorld("", problems);
  const root = state.metadata.definition_schema as Schema;
  if (!section) return null;
  const { nodes, ...values } = section;
  return (
    <FormContext.Provider value={world}>
      <div className="fb-form" key={section.id}>
        <div className="fb-form-head"><div><h2>{gettext("Section")}</h2><p>{gettext("A part of the scenario with its own blocks. Others lead here by an Exit point or call it and come back.")}</p></div></div>
        {problems.map((problem) => <div key={problem.message} className={`fb-problem fb-${problem.level}`}>{problem.message}</div>)}
        <Fields schema={root.$defs?.["Section"] ?? {}} root={root} values={values as unknown as JsonObject} path="" without={["id", "nodes"]}
          onChange={(next) => edit((doc) => changeSection(doc, section.id, { ...blank(values), ...(next as unknown as Partial<SectionData>), nodes, id: section.id }), `section.${section.id}`)} />
        <code>{section.id}</code>
      </div>
    </FormContext.Provider>
  );
}

/** Fields that the form has left out must go, not stay as they were. */
const blank = (values: object): Record<string, undefined> => Object.fromEntries(Object.keys(values).map((key) => [key, undefined]));

export function ScenarioForm() {
  const state = useBuilder((found) => found);
  const problems = useMemo(() => state.problems.filter((problem) => !problem.node && !problem.section), [state.problems]);
  const world = useWorld("", problems);
  const root = state.metadata.definition_schema as Schema;
  const { sections, ...values } = state.doc.definition;
  return (
    <FormContext.Provider value={world}>
      <div className="fb-form">
        <div className="fb-form-head"><div><h2>{gettext("Scenario")}</h2><p>{gettext("What starts it, its languages, and how it behaves when two things happen at once.")}</p></div></div>
        {problems.map((problem) => <div key={problem.message} className={`fb-problem fb-${problem.level}`}>{problem.message}</div>)}
        <Fields schema={root} root={root} values={values as unknown as JsonObject} path="" without={["schema_version", "sections", "name"]} first={["triggers"]}
          onChange={(next) => edit((doc) => changeDefinition(doc, { ...blank(values), ...(next as unknown as Partial<Definition>), ...(values.schema_version === undefined ? {} : { schema_version: values.schema_version }), ...(values.name === undefined ? {} : { name: values.name }), sections }), "scenario")} />
        <Copies />
      </div>
    </FormContext.Provider>
  );
}
