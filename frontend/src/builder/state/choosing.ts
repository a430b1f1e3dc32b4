// What is shown and chosen; the canvas listens to `looking` for where to look.
import { sectionOf } from "../model/reading.ts";
import type { Problem } from "../model/types.ts";
import { get, set, type Panel } from "./store.ts";

type Look = (ids: readonly string[]) => void;
let look: Look = () => undefined;
let wanted: readonly string[] | null = null;

/** The canvas says how it brings blocks into view; a wish from before is fulfilled. */
export function onLook(handler: Look): () => void {
  look = handler;
  if (wanted) handler(wanted);
  wanted = null;
  return () => {
    look = (ids) => {
      wanted = ids;
    };
  };
}

export function choose(ids: Iterable<string>, panel?: Panel): void {
  const selected = new Set(ids);
  const shown = panel ?? (selected.size ? "block" : get().panel);
  set({ selected, selectedEdges: new Set(), panel: shown, field: "" });
}

export function showSection(id: string): void {
  if (get().section !== id) set({ section: id, selected: new Set(), selectedEdges: new Set(), field: "", panel: get().panel === "block" ? "section" : get().panel });
}

/** Choose a block wherever it lies and bring it into view. */
export function goTo(id: string, field = ""): void {
  const section = sectionOf(get().doc.definition, id);
  if (!section) return;
  set({ section: section.id, selected: new Set([id]), selectedEdges: new Set(), panel: "block", field });
  look([id]);
}

export function goToProblem(problem: Problem): void {
  if (problem.node) goTo(problem.node, problem.field);
  else if (problem.section) {
    showSection(problem.section);
    set({ panel: "section", field: problem.field });
  } else set({ panel: "scenario", field: problem.field });
}
