// Our API as the page uses it. Every failure is an `ApiError`; without an answer its status is 0.
import type { BuilderMetadata, Conflict, Differences, Draft, Figures, Lint, Presence, Visits } from "../api/types.ts";
import { frame } from "./frame.ts";
import type { Doc } from "./model/types.ts";

/** As much of a version as a list of them shows. */
export type PublishedVersion = { number: number; note: string; published_at: string; published_by: string };

export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, message: string, body: unknown = null) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

type Query = Record<string, string>;

async function ask<T>(name: string, method: string, body?: unknown, headers: Record<string, string> = {}, query: Query = {}): Promise<T> {
  let answer: Response;
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  try {
    answer = await fetch(`${frame().urls[name] ?? ""}${asked ? `?${asked}` : ""}`, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json", "X-CSRFToken": token() }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "");
  }
  const data: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, detail(data), data);
  if (data === null || answer.redirected) throw new ApiError(401, "");
  return data as T;
}

const token = (): string => document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
function detail(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  return "detail" in data ? String(data.detail) : "message" in data ? String(data.message) : "";
}

const read = <T>(name: string, query: Query): Promise<T> => ask(name, "GET", undefined, {}, query);

export const readMetadata = (): Promise<BuilderMetadata> => ask("metadata", "GET");
export const readDraft = (): Promise<Draft> => ask("draft", "GET");
export const lint = (definition: unknown): Promise<Lint> => ask("lint", "POST", { definition });
export const saveDraft = (doc: Doc, revision: number): Promise<Draft> => ask("draft", "PUT", doc, { "If-Match": `"${revision}"` });
/** What a save on that revision collides with, in words; null when nothing stands against it or nobody answers. */
export async function askConflict(mine: Doc, revision: number, base: Doc): Promise<Conflict | null> {
  try {
    await ask("draft", "PUT", { ...mine, base }, { "If-Match": `"${revision}"` });
    return null;
  } catch (error) {
    return error instanceof ApiError ? conflictOf(error) : null;
  }
}
export const meet = (window: string, node: string, leave = false): Promise<Presence> => ask("presence", "POST", { window, node, leave });
export const conflictOf = (error: ApiError): Conflict | null => (error.status === 412 ? (error.body as Conflict) : null);
export const readFigures = (window: Query): Promise<Figures> => read("figures", window);
export const readVisits = (asked: Query): Promise<Visits> => read("visits", asked);
export const readDifferences = (old: string, next: string): Promise<Differences> => read("differences", { old, new: next, drawn: "1" });
export const readVersions = (): Promise<{ versions: PublishedVersion[] }> => read("published", {});
