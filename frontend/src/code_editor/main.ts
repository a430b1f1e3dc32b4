// The code editor of the Action Jail: takes the place of a text field marked data-code-editor, and keeps that field up to date.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript, javascriptLanguage, scopeCompletionSource } from "@codemirror/lang-javascript";
import { bracketMatching, defaultHighlightStyle, foldGutter, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { hostCompletions } from "./completing.ts";
import { type Wrong, check } from "./checking.ts";

const setWrong = StateEffect.define<number>();

/** The line of the last run's error, marked until the text changes. */
const wrongLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marked, transaction) {
    const asked = transaction.effects.find((effect) => effect.is(setWrong));
    if (asked) {
      const line = asked.value as number;
      if (line < 1 || line > transaction.state.doc.lines) return Decoration.none;
      return Decoration.set([Decoration.line({ class: "cm-wrong" }).range(transaction.state.doc.line(line).from)]);
    }
    return transaction.docChanged ? Decoration.none : marked;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function open(area: HTMLTextAreaElement, checkUrl: string): void {
  const readOnly = area.readOnly;
  const view = new EditorView({
    parent: box(area),
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), indentUnit.of("  "), bracketMatching(), closeBrackets(),
        highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(),
        syntaxHighlighting(defaultHighlightStyle, { fallback: true }), javascript(), autocompletion(),
        javascriptLanguage.data.of({ autocomplete: hostCompletions }),
        javascriptLanguage.data.of({ autocomplete: scopeCompletionSource({ Array, Date, JSON, Math, Number, Object, Promise, String }) }),
        linter((editor) => check(editor.state.doc, checkUrl), { delay: 400 }), lintGutter(), wrongLine,
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap, indentWithTab, ...defaultKeymap]),
        EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly), EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": document.querySelector("label[for=id_code]")?.textContent ?? "Code" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  area.addEventListener("jail:wrong", (event) => {
    const wrong = (event as CustomEvent<Wrong | null>).detail;
    const line = wrong?.line ?? 0;
    view.dispatch({ effects: setWrong.of(line) });
    if (line > 0 && line <= view.state.doc.lines) view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.line(line).from, { y: "center" }) });
  });
}

function box(area: HTMLTextAreaElement): HTMLElement {
  const made = document.createElement("div");
  made.className = "jail-code";
  area.hidden = true;
  area.style.display = "none";
  area.after(made);
  return made;
}

const area = document.querySelector<HTMLTextAreaElement>("textarea[data-code-editor]");
const data = document.getElementById("jail-data");
if (area && data) open(area, (JSON.parse(data.textContent ?? "{}") as { urls: { check: string } }).urls.check);
