// The form of the chosen block: name, parameters from its schema, exits with their targets, a note, what the check says.
import { useEffect, useMemo, useRef } from "react";
import { preview } from "../canvas/BlockNode.tsx";
import { labelOf } from "../canvas/drawing.ts";
import { FormContext, type FormWorld } from "../form/context.ts";
import { Fields } from "../form/ObjectField.tsx";
import { changeNode, connect, disconnect, setParams } from "../model/edits.ts";
import { knownNames } from "../model/names.ts";
import { nodesOf } from "../model/reading.ts";
import type { Schema } from "../model/schema.ts";
import type { BlockData, Problem } from "../model/types.ts";
import { arrange, copyChosen, copyToClipboard, duplicateChosen, exitsOf, removeChosen, sectionNow } from "../state/acting.ts";
import { goTo, goToProblem } from "../state/choosing.ts";
import { edit, useBuilder } from "../state/store.ts";
import { gettext, ngettext } from "../texts.ts";

export function BlockForm() {
  const state = useBuilder((found) => found);
  const chosen = nodesOf(state.doc.definition).filter((node) => state.selected.has(node.id));
  const node = chosen[0];
  if (!node || chosen.length > 1) return <Several count={state.selected.size} />;
  return <OneBlock key={node.id} node={node} />;
}

function Several({ count }: { count: number }) {
  const locked = useBuilder((state) => state.save === "readonly");
  if (!count) return <p className="fb-empty">{gettext("Choose a block on the canvas to change it, or drag one from the list on the left.")}</p>;
  return (
    <div className="fb-form">
      <p>{ngettext("%(count)s item is chosen.", "%(count)s items are chosen.", count)}</p>
      <div className="fb-row">
        <button type="button" className="fb-button" onClick={() => void copyToClipboard(copyChosen())}>{gettext("Copy as text")}</button>
        {locked ? null : <button type="button" className="fb-button" onClick={arrange}>{gettext("Put these in order")}</button>}
      </div>
      {locked ? null : (
        <div className="fb-row">
          <button type="button" className="fb-button" onClick={duplicateChosen}>{gettext("Duplicate")}</button>
          <button type="button" className="fb-button fb-danger" onClick={removeChosen}>{gettext("Delete")}</button>
        </div>
      )}
    </div>
  );
}

export function useWorld(id: string, problems: readonly Problem[]): FormWorld {
  const state = useBuilder((found) => found);
  const { definition } = state.doc;
  const names = useMemo(() => knownNames(definition, state.facts, state.metadata, id), [definition, state.facts, state.metadata, id]);
  const languages = [...new Set([definition.default_language || "en", ...(Array.isArray(definition.languages) ? definition.languages : [])])];
  const language = languages.includes(state.language) ? state.language : (languages[0] ?? "en");
  return { id, metadata: state.metadata, definition, names, problems, languages, language, disabled: state.save === "readonly", focus: state.field };
}

function OneBlock({ node }: { node: BlockData }) {
  const state = useBuilder((found) => found);
  const problems = useMemo(() => state.problems.filter((problem) => problem.node === node.id), [state.problems, node.id]);
  const world = useWorld(node.id, problems);
  const kind = state.metadata.blocks.find((found) => found.kind === node.kind);
  const schema = (kind?.schema ?? {}) as Schema;
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!state.field) return;
    const parts = state.field.split(".");
    for (let length = parts.length; length > 0; length -= 1) {
      const found = form.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(parts.slice(0, length).join("."))}"]`);
      if (!found) continue;
      found.scrollIntoView({ block: "center" });
      found.querySelector<HTMLElement>("input,select,textarea,[contenteditable=true]")?.focus();
      return;
    }
  }, [state.field]);
  const general = problems.filter((problem) => !problem.field.startsWith("params.") && !problem.field.startsWith("exits."));
  return (
    <FormContext.Provider value={world}>
      <div className="fb-form" ref={form}>
        <div className={`fb-form-head fb-group-${kind?.group ?? "unknown"}`}>
          <span className="material-symbols-outlined fb-block-icon" aria-hidden="true">{kind?.icon ?? "help"}</span>
          <div>
            <h2>{labelOf(state, node)}</h2>
            <p>{kind?.help ?? gettext("No block of this kind is installed here.")}</p>
          </div>
        </div>
        {general.map((problem) => <div key={problem.message} className={`fb-problem fb-${problem.level}`}>{problem.message}</div>)}
        <label className="fb-field">
          <span className="fb-label">{gettext("Title")}</span>
          <input type="text" id="fb-title" maxLength={200} disabled={world.disabled} value={node.title ?? ""} placeholder={gettext("How you call it, for example: Ask for the phone")}
            onChange={(event) => edit((doc) => changeNode(doc, node.id, { title: event.target.value }), `${node.id}.title`)} />
        </label>
        <Fields schema={schema} root={schema} values={node.params ?? {}} path="params" onChange={(params) => edit((doc) => setParams(doc, node.id, params), `${node.id}.params`)} />
        <Exits node={node} problems={problems} />
        <label className="fb-field">
          <span className="fb-label">{gettext("Note for colleagues")}</span>
          <textarea rows={2} disabled={world.disabled} value={node.note ?? ""} onChange={(event) => edit((doc) => changeNode(doc, node.id, { note: event.target.value || undefined }), `${node.id}.note`)} />
        </label>
        <div className="fb-row fb-form-foot">
          <code title={gettext("Stable name; the trace and files use it")}>{node.id}</code>
          {world.disabled ? null : (
            <>
              <button type="button" className="fb-icon" title={gettext("Copy as text")} aria-label={gettext("Copy as text")} onClick={() => void copyToClipboard(copyChosen())}><span className="material-symbols-outlined" aria-hidden="true">content_copy</span></button>
              <button type="button" className="fb-button" onClick={duplicateChosen}>{gettext("Duplicate")}</button>
              <button type="button" className="fb-button fb-danger" onClick={removeChosen}>{gettext("Delete")}</button>
            </>
          )}
        </div>
      </div>
    </FormContext.Provider>
  );
}

/** Where the block goes on; the way of connecting for those who use no mouse. */
function Exits({ node, problems }: { node: BlockData; problems: readonly Problem[] }) {
  const state = useBuilder((found) => found);
  const exits = exitsOf(state, node);
  const locked = state.save === "readonly";
  const others = (sectionNow(state)?.nodes ?? []).filter((other) => other.id !== node.id);
  if (!exits.length) return null;
  const join = (exit: string, target: string): void => edit((doc) => (target ? connect(doc, node.id, exit, target) : disconnect(doc, [{ source: node.id, exit }])));
  return (
    <fieldset className="fb-exits">
      <legend>{gettext("Where it goes on")}</legend>
      {exits.map((exit) => {
        const target = node.exits?.[exit.name] ?? "";
        const bad = problems.filter((problem) => problem.field === `exits.${exit.name}`);
        return (
          <div key={exit.name} className="fb-exit-row" data-path={`exits.${exit.name}`}>
            <span className={exit.failure ? "fb-failure" : ""} title={exit.failure ? gettext("Taken on failure; without a connection the error section runs") : ""}>
              {exit.label}{exit.required && !exit.leads ? <span className="fb-required" title={gettext("Must be connected")}>*</span> : null}
            </span>
            {exit.leads ? <span className="fb-help">{exit.leads === "caller" ? gettext("back to the caller") : exit.entry || exit.section || "?"}</span> : (
              <span className="fb-row">
                <select disabled={locked} aria-label={gettext("“%(exit)s” goes to", { exit: exit.label })} value={target} onChange={(event) => join(exit.name, event.target.value)}>
                  <option value="">{exit.failure ? gettext("– error section –") : gettext("– nothing –")}</option>
                  {others.map((other) => <option key={other.id} value={other.id}>{other.title || preview(other).slice(0, 50) || labelOf(state, other)}</option>)}
                </select>
                {target ? <button type="button" className="fb-icon" title={gettext("Go there")} aria-label={gettext("Go there")} onClick={() => goTo(target)}>→</button> : null}
              </span>
            )}
            {bad.map((problem) => <button key={problem.message} type="button" className={`fb-problem fb-${problem.level}`} onClick={() => goToProblem(problem)}>{problem.message.replace(/^[^:]*: /, "")}</button>)}
          </div>
        );
      })}
    </fieldset>
  );
}
