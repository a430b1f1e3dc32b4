// The check while people write: asked a moment after the last change; an answer that is overtaken is dropped.
import { ApiError, lint } from "../api.ts";
import type { Definition } from "../model/types.ts";
import { get, set, subscribe } from "./store.ts";

const PAUSE = 450;
const RETRY = 5000;

export function startChecking(): void {
  let checked: Definition | null = null;
  let timer = 0;
  let asked = 0;

  const check = async (): Promise<void> => {
    const { definition } = get().doc;
    asked += 1;
    const mine = asked;
    checked = definition;
    try {
      const answer = await lint(definition);
      if (mine !== asked) return;
      const facts = new Map(get().facts);
      for (const [id, found] of Object.entries(answer.nodes)) {
        const old = facts.get(id);
        if (!old || JSON.stringify(old) !== JSON.stringify(found)) facts.set(id, found);
      }
      set({ facts, problems: answer.problems, checked: true });
    } catch (error) {
      if (mine === asked && error instanceof ApiError && (error.status === 0 || error.status >= 500)) timer = window.setTimeout(() => void check(), RETRY);
    }
  };
  subscribe(() => {
    if (get().doc.definition === checked) return;
    checked = get().doc.definition;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void check(), PAUSE);
  });
  void check();
}
