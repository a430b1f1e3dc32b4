// Our API as the page uses it. Every failure is an `ApiError`; without an answer its status is 0.
import type { BuilderMetadata, Conflict, Draft, Lint, Presence } from "../api/types.ts";
import { frame } from "./frame.ts";
import type { Doc } from "./model/types.ts";

export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, message: string, body: unknown = null) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

async function ask<T>(name: string, method: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(frame().urls[name] ?? "", {
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
const detail = (data: unknown): string => (typeof data === "object" && data !== null && "detail" in data ? String(data.detail) : "");

export const readMetadata = (): Promise<BuilderMetadata> => ask("metadata", "GET");
export const readDraft = (): Promise<Draft> => ask("draft", "GET");
export const lint = (definition: unknown): Promise<Lint> => ask("lint", "POST", { definition });
export const saveDraft = (doc: Doc, revision: number): Promise<Draft> => ask("draft", "PUT", doc, { "If-Match": `"${revision}"` });
export const meet = (window: string, node: string, leave = false): Promise<Presence> => ask("presence", "POST", { window, node, leave });
export const conflictOf = (error: ApiError): Conflict | null => (error.status === 412 ? (error.body as Conflict) : null);
