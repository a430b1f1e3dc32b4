// A scenario's definition and layout as the server stores them. Drafts may be unfinished, so that almost everything may be missing.
import type { BuilderMetadata, Draft, Exit, Lint, Problem } from "../../api/types.ts";

export type { BuilderMetadata, Draft, Exit, Lint, Problem };
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type BlockData = {
  id: string;
  kind: string;
  title?: string;
  params?: JsonObject;
  exits?: Record<string, string>;
  note?: string;
};

export type SectionData = {
  id: string;
  name?: string;
  params?: Json;
  outputs?: Json;
  macro?: boolean;
  nodes: BlockData[];
  note?: string;
};

export type Definition = {
  schema_version?: number;
  name?: string;
  default_language?: string;
  languages?: string[];
  policies?: JsonObject;
  error_section?: string | null;
  sections: SectionData[];
  triggers?: Json;
};

/** A free note on the canvas. */
export type Sticky = { id: string; section: string; x: number; y: number; width: number; height: number; text: string };

export type Layout = { nodes?: Record<string, [number, number]>; notes?: Sticky[] };

/** What is edited, saved and undone as one. */
export type Doc = { definition: Definition; layout: Layout };

export type Place = { x: number; y: number };

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
