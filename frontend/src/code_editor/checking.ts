// Errors of syntax as people type: asked of the very engine that will run the code.
import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";

export interface Wrong {
  line: number;
  column: number;
  message: string;
}

/** The one place that keeps the code from being JavaScript, as the editor shows it; nothing when the server does not answer. */
export async function check(text: Text, url: string): Promise<Diagnostic[]> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      body: JSON.stringify({ code: text.toString() }),
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    });
    return answer.ok ? told((await answer.json()) as Partial<Wrong>, text) : [];
  } catch {
    return [];
  }
}

export function told(wrong: Partial<Wrong>, text: Text): Diagnostic[] {
  if (!wrong.message) return [];
  const line = text.line(Math.min(Math.max(wrong.line || text.lines, 1), text.lines));
  const from = Math.min(line.from + Math.max((wrong.column || 1) - 1, 0), line.to);
  return [{ from, to: Math.min(from + 1, line.to), severity: "error", message: wrong.message }];
}

function token(): string {
  return document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
}
