// Which names a text of a block may use: what blocks before it set first, then what the world knows.
import { nodesOf, sectionOf } from "./reading.ts";
import { isObject, type BlockData, type BuilderMetadata, type Definition, type Exit } from "./types.ts";

export type Facts = ReadonlyMap<string, { exits: readonly Exit[]; sets: readonly string[] }>;
export type KnownName = { name: string; from: string; rank: number };

/** Blocks from which the block can be reached, through sections and calls too. */
export function upstream(definition: Definition, facts: Facts, id: string): Set<string> {
  const before = predecessors(definition, facts);
  const found = new Set<string>();
  const waiting = [...(before.get(id) ?? [])];
  while (waiting.length) {
    const next = waiting.pop() as string;
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...(before.get(next) ?? []));
  }
  return found;
}

function predecessors(definition: Definition, facts: Facts): Map<string, Set<string>> {
  const before = new Map<string, Set<string>>();
  const lead = (from: string, to: string | undefined): void => {
    if (to) before.set(to, (before.get(to) ?? new Set()).add(from));
  };
  const aliases = new Map(nodesOf(definition).flatMap((node) => (typeof node.params?.["alias"] === "string" ? [[node.params["alias"], node.id] as const] : [])));
  for (const node of nodesOf(definition)) {
    for (const target of Object.values(node.exits ?? {})) lead(node.id, target);
    for (const exit of facts.get(node.id)?.exits ?? []) {
      if (exit.leads !== "section") continue;
      const begin = exit.entry ? aliases.get(exit.entry) : definition.sections.find((section) => section.id === exit.section)?.nodes[0]?.id;
      lead(node.id, begin);
      // What a called section sets is known after the call.
      const section = begin ? sectionOf(definition, begin) : undefined;
      if (Object.keys(node.exits ?? {}).length) for (const inner of section?.nodes ?? []) for (const target of Object.values(node.exits ?? {})) lead(inner.id, target);
    }
  }
  return before;
}

export function knownNames(definition: Definition, facts: Facts, metadata: BuilderMetadata, id: string): KnownName[] {
  const found = new Map<string, KnownName>();
  const add = (name: string, from: string, rank: number): void => {
    if (name && name !== "*" && !found.has(name)) found.set(name, { name, from, rank });
  };
  const ahead = id ? upstream(definition, facts, id) : new Set<string>();
  const section = id ? sectionOf(definition, id) : undefined;
  for (const name of paramNames(section?.params)) add(name, "", 1);
  const title = (node: BlockData): string => node.title || node.id;
  for (const node of nodesOf(definition)) if (ahead.has(node.id)) for (const name of facts.get(node.id)?.sets ?? []) add(name, title(node), 0);
  for (const name of metadata.names) add(name.name, name.help, name.kind === "person" ? 2 : 3);
  for (const node of nodesOf(definition)) for (const name of facts.get(node.id)?.sets ?? []) add(name, title(node), 4);
  for (const other of definition.sections) for (const name of paramNames(other.params)) add(name, other.name || other.id, 4);
  return [...found.values()];
}

const paramNames = (params: unknown): string[] =>
  Array.isArray(params) ? params.flatMap((param) => (isObject(param) && typeof param["name"] === "string" ? [param["name"]] : [])) : [];
