// The scenario's sections: shown, added, named, put in order.
import { addSection, moveSection, removeSection } from "../model/edits.ts";
import { showSection } from "../state/choosing.ts";
import { edit, get, set, useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";

export function Sections() {
  const sections = useBuilder((state) => state.doc.definition.sections);
  const shown = useBuilder((state) => state.section);
  const problems = useBuilder((state) => state.problems);
  const locked = useBuilder((state) => state.save === "readonly");
  const add = (): void => {
    const start = get().metadata.blocks.find((block) => block.begins === "section")?.kind ?? "";
    const made = addSection(get().doc, gettext("New section"), start);
    edit(() => made.doc);
    showSection(made.id);
    set({ panel: "section" });
  };
  const remove = (id: string, name: string, count: number): void => {
    if (count > 1 && !window.confirm(gettext("Delete the section “%(name)s” with its %(count)s blocks?", { name, count }))) return;
    edit((doc) => removeSection(doc, id));
    const first = get().doc.definition.sections[0];
    if (first && !get().doc.definition.sections.some((section) => section.id === get().section)) showSection(first.id);
  };
  return (
    <section className="fb-sections" aria-label={gettext("Sections")}>
      <header>
        <h2>{gettext("Sections")}</h2>
        {locked ? null : <button type="button" className="fb-icon" title={gettext("New section")} aria-label={gettext("New section")} onClick={add}><span className="material-symbols-outlined">add</span></button>}
      </header>
      <ul>
        {sections.map((section, index) => {
          const bad = problems.filter((problem) => problem.section === section.id);
          const level = bad.some((problem) => problem.level === "error") ? "error" : "warning";
          const name = section.name || section.id;
          return (
            <li key={section.id} className={section.id === shown ? "fb-shown" : ""}>
              <button type="button" className="fb-section" aria-current={section.id === shown} onClick={() => {
                showSection(section.id);
                set({ panel: "section", selected: new Set(), selectedEdges: new Set() });
              }}>
                <span className="material-symbols-outlined" aria-hidden="true">{section.macro ? "play_shapes" : index === 0 ? "flag" : "segment"}</span>
                <span className="fb-section-name">{name}</span>
                {bad.length ? <span className={`fb-badge fb-${level}`}>{bad.length}</span> : <span className="fb-count">{section.nodes.length}</span>}
              </button>
              {locked || section.id !== shown || sections.length < 2 ? null : (
                <span className="fb-section-acts">
                  <button type="button" className="fb-icon" disabled={index === 0} title={gettext("Move up")} aria-label={gettext("Move up")} onClick={() => edit((doc) => moveSection(doc, section.id, -1))}>↑</button>
                  <button type="button" className="fb-icon" disabled={index === sections.length - 1} title={gettext("Move down")} aria-label={gettext("Move down")} onClick={() => edit((doc) => moveSection(doc, section.id, 1))}>↓</button>
                  <button type="button" className="fb-icon" title={gettext("Delete")} aria-label={gettext("Delete the section")} onClick={() => remove(section.id, name, section.nodes.length)}>×</button>
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
