// What the fields of one form share: the block's world, its problems, the language that is edited.
import { createContext, useContext } from "react";
import type { KnownName } from "../model/names.ts";
import type { BuilderMetadata, Definition, Problem } from "../model/types.ts";

export type FormWorld = {
  id: string;
  metadata: BuilderMetadata;
  definition: Definition;
  names: readonly KnownName[];
  problems: readonly Problem[];
  languages: readonly string[];
  language: string;
  disabled: boolean;
  focus: string;
};

export const FormContext = createContext<FormWorld | null>(null);

export function useForm(): FormWorld {
  const found = useContext(FormContext);
  if (!found) throw new Error("a field outside a form");
  return found;
}

/** What the check says of exactly this field; a text's language belongs to the text. */
export function useFieldProblems(path: string): readonly Problem[] {
  const { problems } = useForm();
  return problems.filter((problem) => problem.field === path || (problem.field.startsWith(`${path}.`) && /^[a-z]{2,3}(-\w+)?$/i.test(problem.field.slice(path.length + 1))));
}

export type FieldProps = {
  schema: import("../model/schema.ts").Resolved;
  root: import("../model/schema.ts").Schema;
  value: import("../model/types.ts").Json | undefined;
  onChange: (value: import("../model/types.ts").Json | undefined) => void;
  path: string;
  label: string;
  required: boolean;
};
