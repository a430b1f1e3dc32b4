// What a JSON Schema of our server means for a form.
import { isObject, type Json, type JsonObject } from "./types.ts";

export type Schema = {
  [key: string]: unknown;
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  title?: string;
  description?: string;
  default?: Json;
  enum?: Json[];
  const?: Json;
  examples?: Json[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  minItems?: number;
  "x-role"?: string;
  "x-more"?: boolean;
  "x-hidden"?: boolean;
  "x-when"?: Record<string, Json[]>;
};
export type Resolved = Schema & { nullable: boolean };

/** The schema with references followed and "or nothing" taken out; what stands beside a reference wins. */
export function resolve(schema: Schema, root: Schema): Resolved {
  let found = schema;
  let nullable = false;
  for (let depth = 0; depth < 10; depth += 1) {
    const options = found.anyOf?.filter((option) => option.type !== "null");
    if (found.anyOf && options && options.length < found.anyOf.length) nullable = true;
    if (options?.length === 1 && !found["x-role"]?.match(/^text$/)) {
      const { anyOf: _gone, ...rest } = found;
      found = { ...options[0], ...rest };
      continue;
    }
    if (found.$ref) {
      const { $ref, ...rest } = found;
      found = { ...(root.$defs?.[$ref.slice($ref.lastIndexOf("/") + 1)] ?? {}), ...rest };
      continue;
    }
    break;
  }
  return { ...found, nullable };
}

export type FieldKind =
  | "text" | "template" | "value" | "expression" | "reference" | "variable" | "duration" | "condition" | "action" | "action-params"
  | "section" | "entry" | "output" | "file" | "id" | "choice" | "boolean" | "number" | "grid" | "list" | "map" | "object" | "union" | "line";

const ROLES = new Set<string>(["text", "template", "value", "expression", "reference", "variable", "duration", "condition", "action", "action-params", "section", "entry", "output", "file", "id"]);

export function kindOf(schema: Resolved, root: Schema): FieldKind {
  const role = schema["x-role"];
  if (role && ROLES.has(role)) return role as FieldKind;
  if (schema.oneOf) return "union";
  if (schema.enum || schema.const !== undefined) return "choice";
  switch (schema.type) {
    case "boolean":
      return "boolean";
    case "integer":
    case "number":
      return "number";
    case "array":
      return resolve(schema.items ?? {}, root).type === "array" ? "grid" : "list";
    case "object":
      return schema.properties ? "object" : "map";
    case "string":
      return "line";
    default:
      return "value";
  }
}

export const isShown = (schema: Schema, values: JsonObject, siblings: Record<string, Schema>): boolean => {
  if (schema["x-hidden"]) return false;
  return Object.entries(schema["x-when"] ?? {}).every(([name, wanted]) => wanted.includes(values[name] ?? siblings[name]?.default ?? null));
};

/** What a new value begins with: as little as the schema demands. */
export function starting(schema: Schema, root: Schema, fresh: (base: string) => string): Json {
  const found = resolve(schema, root);
  if (found.const !== undefined) return found.const;
  if (found.default !== undefined) return structuredClone(found.default);
  const kind = kindOf(found, root);
  switch (kind) {
    case "id":
      return fresh("option");
    case "choice":
      return found.enum?.[0] ?? null;
    case "variable":
      return (found.examples?.[0] as string | undefined) ?? "";
    case "boolean":
      return false;
    case "number":
      return Number(found["minimum"] ?? 0);
    case "grid":
    case "list":
      return Array.from({ length: found.minItems ?? 0 }, () => starting(found.items ?? {}, root, fresh));
    case "duration":
      return { amount: 10, unit: "minutes" };
    case "condition":
      return { variable: "", operator: "equals", value: "" };
    case "object":
      return startingObject(found, root, fresh);
    case "union":
      return starting(found.oneOf?.[0] ?? {}, root, fresh);
    case "map":
    case "action-params":
      return {};
    default:
      return found.nullable ? null : "";
  }
}

export function startingObject(schema: Schema, root: Schema, fresh: (base: string) => string): JsonObject {
  const required = schema.required ?? [];
  const entries = Object.entries(schema.properties ?? {}).filter(([name, part]) => required.includes(name) || part.const !== undefined);
  return Object.fromEntries(entries.map(([name, part]) => [name, starting(part, root, fresh)]));
}

/** `values` with one field set; a field that has its default or nothing is left out, so that stored drafts stay short. */
export function withField(values: JsonObject, name: string, value: Json | undefined, schema: Schema, required: boolean): JsonObject {
  const { [name]: _old, ...rest } = values;
  const blank = value === undefined || (!required && (JSON.stringify(value) === JSON.stringify(schema.default ?? null) || value === null));
  if (blank) return rest;
  return name in values ? { ...values, [name]: value } : { ...rest, [name]: value };
}

/** Every text inside a value, for the search. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}
