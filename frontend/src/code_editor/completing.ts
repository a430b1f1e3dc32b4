// What a script may use, offered while typing.
import { type Completion, type CompletionContext, type CompletionResult, snippetCompletion } from "@codemirror/autocomplete";

const GLOBALS: Completion[] = [
  { label: "ctx", type: "variable", detail: "who and what it is about" },
  snippetCompletion('callApi({ url: "${url}", method: "${GET}" })', { label: "callApi", type: "function", detail: "call another system" }),
  snippetCompletion('table("${name}")', { label: "table", type: "function", detail: "records of custom data" }),
  { label: "memory", type: "variable", detail: "attributes of the person" },
  snippetCompletion("log(${value})", { label: "log", type: "function", detail: "a line of the log" }),
  snippetCompletion('emit("${event}", { ${data} })', { label: "emit", type: "function", detail: "tell an event" }),
  snippetCompletion('exit("${name}")', { label: "exit", type: "function", detail: "end by this exit" }),
];

const MEMBERS: Record<string, Completion[]> = {
  ctx: ["params", "user", "data", "bot", "lead", "channel", "constants", "session", "language", "timezone"].map((label) => ({ label, type: "property" })),
  memory: [
    snippetCompletion('get("${key}")', { label: "get", type: "method" }),
    snippetCompletion('set("${key}", ${value})', { label: "set", type: "method" }),
  ],
  table: [
    snippetCompletion("get(${id})", { label: "get", type: "method", detail: "one record" }),
    snippetCompletion("find({ ${field}: ${value} })", { label: "find", type: "method", detail: "records that fit" }),
    snippetCompletion("insert({ ${field}: ${value} })", { label: "insert", type: "method", detail: "a new record" }),
    snippetCompletion("update(${id}, { ${field}: ${value} })", { label: "update", type: "method", detail: "change a record" }),
  ],
};

export function hostCompletions(context: CompletionContext): CompletionResult | null {
  const member = context.matchBefore(/\b(ctx|memory|table\([^()]*\))\.\w*$/);
  if (member) {
    const owner = /^\w+/.exec(member.text)?.[0] ?? "";
    return { from: member.from + member.text.lastIndexOf(".") + 1, options: MEMBERS[owner] ?? [], validFor: /^\w*$/ };
  }
  const word = context.matchBefore(/(?<![.\w])[A-Za-z_]\w*$/);
  if (!word && !context.explicit) return null;
  return { from: word ? word.from : context.pos, options: GLOBALS, validFor: /^\w*$/ };
}
