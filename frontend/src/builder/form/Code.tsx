// A text with placeholders: CodeMirror with completion of names and filters. Undo belongs to the page, so that it is one for all.
import { acceptCompletion, autocompletion, closeBrackets, startCompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { Decoration, EditorView, keymap, MatchDecorator, placeholder, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { KnownName } from "../model/names.ts";
import { gettext } from "../texts.ts";
import { useForm, type FormWorld } from "./context.ts";

export type CodeMode = "text" | "line" | "reference" | "expression" | "json";
type Props = { value: string; onChange: (value: string) => void; mode: CodeMode; label: string; hint?: string; invalid?: boolean; focus?: boolean };

const marker = new MatchDecorator({ regexp: /\{\{.*?\}\}|\{%.*?%\}/g, decoration: Decoration.mark({ class: "fb-placeholder" }) });
const placeholders = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = marker.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = marker.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
const oneLine = EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [] : change));

export function Code({ value, onChange, mode, label, hint, invalid, focus }: Props) {
  const world = useForm();
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const now = useRef({ world, onChange, mode });
  now.current = { world, onChange, mode };
  const locked = useRef(new Compartment());

  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const made = new EditorView({ parent, state: EditorState.create({ doc: value, extensions: extensions(mode, label, hint ?? "", now, locked.current) }) });
    view.current = made;
    return () => made.destroy();
    // The editor lives as long as the field; later values come through the next effect.
  }, []); // eslint-disable-line

  useEffect(() => {
    const found = view.current;
    if (found && found.state.doc.toString() !== value) found.dispatch({ changes: { from: 0, to: found.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    view.current?.dispatch({ effects: locked.current.reconfigure(EditorView.editable.of(!world.disabled)) });
  }, [world.disabled]);

  useEffect(() => {
    if (focus) view.current?.focus();
  }, [focus]);

  const insert = (): void => {
    const found = view.current;
    if (!found) return;
    const { from, to } = found.state.selection.main;
    const open = mode === "text" || mode === "line" || mode === "json" ? "{{ " : "";
    found.dispatch({ changes: { from, to, insert: open }, selection: { anchor: from + open.length } });
    found.focus();
    startCompletion(found);
  };

  return (
    <div className={`fb-code fb-code-${mode}${invalid ? " fb-invalid" : ""}`}>
      <div ref={box} />
      {world.disabled ? null : (
        <button type="button" className="fb-insert" title={gettext("Insert a variable")} aria-label={gettext("Insert a variable")} onClick={insert}>
          {"{ }"}
        </button>
      )}
    </div>
  );
}

type Now = { current: { world: FormWorld; onChange: (value: string) => void; mode: CodeMode } };

function extensions(mode: CodeMode, label: string, hint: string, now: Now, locked: Compartment): Extension[] {
  return [
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: mode === "text" ? "true" : "false" }),
    locked.of(EditorView.editable.of(!now.current.world.disabled)),
    placeholders,
    ...(mode === "json" ? [json(), closeBrackets()] : []),
    ...(mode === "line" || mode === "reference" || mode === "expression" ? [oneLine] : []),
    ...(hint ? [placeholder(hint)] : []),
    autocompletion({ override: [(context) => complete(context, now.current.world, now.current.mode)], icons: false, optionClass: () => "fb-option" }),
    Prec.highest(keymap.of([{ key: "Tab", run: acceptCompletion }])),
    keymap.of(defaultKeymap.filter((binding) => binding.key !== "Mod-Enter")),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        const text = update.state.doc.toString();
        now.current.onChange(text);
      }
    }),
  ];
}

function complete(context: CompletionContext, world: FormWorld, mode: CodeMode): CompletionResult | null {
  const before = context.state.sliceDoc(Math.max(0, context.pos - 300), context.pos);
  const bare = mode === "reference" || mode === "expression";
  const inside = /\{\{-?\s*([^{}]*)$/.exec(before);
  if (!inside && !bare) return null;
  const part = inside ? (inside[1] ?? "") : before;
  const filter = /\|\s*(\w*)$/.exec(part);
  if (filter) return { from: context.pos - (filter[1] ?? "").length, options: filterOptions(world), validFor: /^\w*$/ };
  const word = /[\p{L}\d_.]*$/u.exec(part)?.[0] ?? "";
  if (bare && !word && !context.explicit) return null;
  const after = context.state.sliceDoc(context.pos, context.pos + 20);
  return { from: context.pos - word.length, options: world.names.map((name) => nameOption(name, !bare && !/^[^{]*\}\}/.test(after))), validFor: /^[\p{L}\d_.]*$/u };
}

function nameOption(name: KnownName, closes: boolean): Completion {
  return {
    label: name.name,
    apply: closes ? `${name.name} }}` : name.name,
    detail: name.from.length > 42 ? `${name.from.slice(0, 40)}…` : name.from,
    boost: 10 - name.rank * 4,
    section: { name: [gettext("Set before this block"), gettext("Parameters of the section"), gettext("About the person"), gettext("Always there"), gettext("Set elsewhere")][name.rank] ?? "", rank: name.rank },
  };
}

const filterOptions = (world: FormWorld): Completion[] => world.metadata.filters.map((filter) => ({ label: filter.name, detail: filter.example, info: filter.help }));
