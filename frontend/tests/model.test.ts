// The document's logic without a page: reading, editing, undo, clipboard, merging, names, schemas.
import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, withPlaces } from "../src/builder/model/arranging.ts";
import { copied, MAX_CHARS, pasted } from "../src/builder/model/clipboard.ts";
import { addNode, addSection, connect, disconnect, moveNodes, moveSection, removeNodes, removeSection } from "../src/builder/model/edits.ts";
import { emptyHistory, redone, remembered, undone } from "../src/builder/model/history.ts";
import { merge, same } from "../src/builder/model/merging.ts";
import { knownNames, upstream } from "../src/builder/model/names.ts";
import { freshId, nodesOf, readDoc } from "../src/builder/model/reading.ts";
import { isShown, kindOf, resolve, starting, startingObject, withField, type Schema } from "../src/builder/model/schema.ts";
import type { BlockData, BuilderMetadata, Doc, Exit } from "../src/builder/model/types.ts";

const block = (id: string, exits: Record<string, string> = {}, more: Partial<BlockData> = {}): BlockData => ({ id, kind: "message", params: {}, exits, ...more });
const doc = (...nodes: BlockData[]): Doc => ({ definition: { sections: [{ id: "main", nodes }] }, layout: { nodes: {}, notes: [] } });
const ids = (found: Doc): string[] => nodesOf(found.definition).map((node) => node.id);

// --- reading ---------------------------------------------------------------------------------------------------------------

test("what cannot be drawn is told", () => {
  const wrong = (definition: unknown): string => readDoc(definition, {}).wrong;
  for (const bad of [null, 1, "x", [], {}, { sections: [] }, { sections: "x" }]) assert.notEqual(wrong(bad), "", JSON.stringify(bad));
  assert.equal(wrong({ sections: [{ nodes: [] }] }), "a section without id");
  assert.equal(wrong({ sections: [{ id: "a", nodes: [block("x"), block("x")] }] }), "two blocks with one id");
  assert.equal(wrong({ sections: [{ id: "a", nodes: [{ id: "x" }] }] }), "a block without id or kind");
  assert.equal(wrong({ sections: [{ id: "a", nodes: [{ id: "x", kind: "m", exits: { next: 1 } }] }] }), "exits that are no texts");
  assert.equal(wrong({ sections: [{ id: "a", nodes: [block("x", { next: "gone" })] }] }), "");
});

test("a layout keeps what can be a place and drops the rest", () => {
  const read = readDoc({ sections: [{ id: "a" }] }, { nodes: { x: [1, 2], y: ["a", 2], z: [1], n: [null, NaN] }, notes: [{ id: "n" }, 1], zoom: 2 });
  assert.deepEqual(read.doc?.layout, { nodes: { x: [1, 2] }, notes: [], zoom: 2 });
});

test("new names are free and made of letters that ids may have", () => {
  assert.equal(freshId("message", new Set(["message", "message_2"])), "message_3");
  assert.equal(freshId("Привет мир", new Set()), "__________");
});

// --- editing ---------------------------------------------------------------------------------------------------------------

test("a removed block takes the connections to it along", () => {
  const made = connect(connect(doc(block("a"), block("b"), block("c")), "a", "next", "b"), "c", "yes", "b");
  assert.deepEqual(removeNodes(made, new Set(["b"])).definition.sections[0]?.nodes.map((node) => node.exits), [{}, {}]);
  assert.deepEqual(nodesOf(made.definition)[0]?.exits, { next: "b" }, "the old document is as it was");
  assert.deepEqual(nodesOf(disconnect(made, [{ source: "c", exit: "yes" }]).definition)[2]?.exits, {});
});

test("blocks that an edit does not concern stay the same objects", () => {
  const before = doc(block("a"), block("b"));
  const after = connect(before, "a", "next", "b");
  assert.equal(nodesOf(after.definition)[1], nodesOf(before.definition)[1]);
  assert.notEqual(nodesOf(after.definition)[0], nodesOf(before.definition)[0]);
});

test("places lie on the grid", () => {
  assert.deepEqual(moveNodes(doc(block("a")), { a: { x: 13.7, y: -4 } }).layout.nodes, { a: [10, 0] });
});

test("sections come, go and change places; the last one stays", () => {
  const one = doc(block("a"));
  const made = addSection(one, "New section", "start");
  assert.deepEqual([made.id, ids(made.doc)], ["new_section", ["a", "new_section_start"]]);
  assert.deepEqual(moveSection(made.doc, "new_section", -1).definition.sections.map((section) => section.id), ["new_section", "main"]);
  assert.deepEqual(ids(removeSection(made.doc, "main")), ["new_section_start"]);
  assert.equal(removeSection(one, "main"), one);
});

test("undo takes back what was typed at once, redo brings it again", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => doc(block(id))) as [Doc, Doc, Doc, Doc];
  let history = remembered(emptyHistory(), a, "title", 1000);
  history = remembered(history, b, "title", 1500);
  history = remembered(history, c, "", 1600);
  const first = undone(history, d);
  assert.equal(first?.doc, c);
  const second = undone(first?.history ?? emptyHistory(), c);
  assert.equal(second?.doc, a, "b was part of the same typing");
  assert.equal(redone(second?.history ?? emptyHistory(), a)?.doc, c);
  assert.equal(undone(emptyHistory(), a), null);
});

// --- clipboard -------------------------------------------------------------------------------------------------------------

test("blocks are pasted with names of their own and joined as they were", () => {
  const from = moveNodes(doc(block("a", { next: "b" }), block("b", { next: "c" }), block("c")), { a: { x: 100, y: 100 }, b: { x: 400, y: 200 } });
  const text = copied(from, new Set(["a", "b"]));
  const result = pasted(from, "main", text, { x: 0, y: 0 });
  assert.deepEqual(result.ids, ["a_2", "b_2"]);
  const nodes = nodesOf(result.doc?.definition ?? from.definition);
  assert.deepEqual(nodes.slice(3).map((node) => node.exits), [{ next: "b_2" }, {}], "what led outside is open");
  assert.deepEqual(result.doc?.layout.nodes?.["b_2"], [300, 100]);
  assert.deepEqual(pasted(doc(), "main", text, { x: 0, y: 0 }).ids, ["a", "b"]);
});

test("one block, a list, a definition and an exported scenario can be pasted too", () => {
  for (const data of [block("x"), [block("x")], { sections: [{ id: "s", nodes: [block("x")] }] }, { definition: { sections: [{ id: "s", nodes: [block("x")] }] }, layout: {} }]) {
    assert.deepEqual(pasted(doc(), "main", JSON.stringify(data), { x: 0, y: 0 }).ids, ["x"]);
  }
});

test("what is no blocks is refused with a reason and changes nothing", () => {
  for (const text of ["", "hello", "{", "[]", "1", "null", '{"format":"dialog-bus/blocks"}', '{"a":1}', '[{"id":"a"}]', JSON.stringify([block("a"), block("a")])]) {
    const result = pasted(doc(block("a")), "main", text, { x: 0, y: 0 });
    assert.equal(result.doc, null, text);
    assert.notEqual(result.wrong, "", text);
  }
  assert.equal(pasted(doc(), "main", "x".repeat(MAX_CHARS + 1), { x: 0, y: 0 }).wrong, "too large");
});

test("a pasted name cannot reach into the page's own objects", () => {
  const evil = '[{"id":"__proto__","kind":"message","params":{"__proto__":{"polluted":1}},"exits":{"constructor":"__proto__"}}]';
  assert.equal(pasted(doc(), "main", evil, { x: 0, y: 0 }).wrong, "a reserved name");
  assert.equal(pasted(doc(), "main", JSON.stringify([block("a", { constructor: "a" })]), { x: 0, y: 0 }).wrong, "a reserved name");
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

// --- merging ---------------------------------------------------------------------------------------------------------------

test("changes of two people in different blocks come together", () => {
  const base = doc(block("a"), block("b"));
  const mine = addNode(doc(block("a", {}, { title: "Mine" }), block("b")), "main", block("c"), { x: 10, y: 10 });
  const theirs = doc(block("a"), block("b", {}, { title: "Theirs" }), block("d"));
  const { doc: merged, clashes } = merge(base, mine, theirs);
  assert.deepEqual(clashes, []);
  assert.deepEqual(nodesOf(merged.definition).map((node) => [node.id, node.title]), [["a", "Mine"], ["b", "Theirs"], ["d", undefined], ["c", undefined]]);
  assert.deepEqual(merged.layout.nodes?.["c"], [10, 10]);
});

test("where both have changed one block theirs is taken, or mine where somebody says so", () => {
  const [base, mine, theirs] = ["", "Mine", "Theirs"].map((title) => doc(block("a", {}, { title }))) as [Doc, Doc, Doc];
  const { doc: merged, clashes } = merge(base, mine, theirs);
  assert.deepEqual([nodesOf(merged.definition)[0]?.title, clashes], ["Theirs", [{ id: "a", what: "block", title: "Mine", lost: "" }]]);
  assert.equal(nodesOf(merge(base, mine, theirs, (clash) => clash.id === "a").doc.definition)[0]?.title, "Mine");
});

test("a block that one removed and the other changed stays; connections to removed blocks go", () => {
  const base = doc(block("a", { next: "b" }), block("b"), block("c"));
  const mine = doc(block("a", { next: "b" }), block("b"), block("c", {}, { title: "Changed" }));
  const theirs = doc(block("a", {}));
  const { doc: merged, clashes } = merge(base, mine, theirs);
  assert.deepEqual([ids(merged), clashes], [["a", "c"], [{ id: "c", what: "block", title: "Changed", lost: "theirs" }]]);
  assert.deepEqual(ids(merge(base, mine, theirs, () => false).doc), ["a"], "somebody may choose the removal");
  assert.deepEqual(nodesOf(merge(base, doc(block("a", { next: "c" }), block("b"), block("c")), doc(block("a", { next: "b" }), block("b"))).doc.definition)[0]?.exits, {});
});

test("sections, settings and moved blocks merge as well", () => {
  const base = doc(block("a"));
  const mine: Doc = { ...base, definition: { ...base.definition, default_language: "ru" } };
  const theirs: Doc = { ...base, definition: { sections: [{ id: "main", nodes: [] }, { id: "two", name: "Two", nodes: [block("a")] }] } };
  const { doc: merged, clashes } = merge(base, mine, theirs);
  assert.deepEqual(clashes, []);
  assert.equal(merged.definition.default_language, "ru");
  assert.deepEqual(merged.definition.sections.map((section) => section.nodes.length), [0, 1]);
});

test("what is written in another order is the same", () => {
  assert.equal(same({ a: 1, b: { c: 2, d: undefined } }, { b: { c: 2 }, a: 1 }), true);
  assert.equal(same([1, 2], [2, 1]), false);
});

// --- names -----------------------------------------------------------------------------------------------------------------

const exit = (name: string, more: Partial<Exit> = {}): Exit => ({ name, label: name, failure: false, required: false, waits: false, leads: "", section: "", entry: "", ...more });
const metadata = { names: [{ name: "user_name", kind: "system", help: "the name" }] } as unknown as BuilderMetadata;

test("names set before a block come first, through circles and sections", () => {
  const definition = {
    sections: [
      { id: "main", nodes: [block("a", { next: "b" }), block("b", { next: "a" }), block("call")] },
      { id: "two", name: "Two", params: [{ name: "amount" }], nodes: [block("begin", { next: "end" }), block("end")] },
    ],
  };
  const facts = new Map([
    ["a", { exits: [], sets: ["first"] }],
    ["b", { exits: [], sets: ["second", "*"] }],
    ["call", { exits: [exit("go", { leads: "section", section: "two" })], sets: ["called"] }],
  ]);
  assert.deepEqual([...upstream(definition, facts, "a")].sort(), ["a", "b"]);
  assert.deepEqual([...upstream(definition, facts, "end")].sort(), ["begin", "call"]);
  assert.deepEqual(knownNames(definition, facts, metadata, "end").map((name) => [name.name, name.rank]), [["amount", 1], ["called", 0], ["user_name", 3], ["first", 4], ["second", 4]]);
});

// --- schemas and places ------------------------------------------------------------------------------------------------------

const root: Schema = {
  $defs: {
    Text: { anyOf: [{ type: "string" }, { type: "object" }], "x-role": "text" },
    Button: { type: "object", required: ["id", "label"], properties: { id: { type: "string", "x-role": "id" }, label: { $ref: "#/$defs/Text" } } },
    Span: { type: "object", "x-role": "duration", properties: {} },
  },
};

test("a schema says which control a field gets", () => {
  const kind = (schema: Schema): string => kindOf(resolve(schema, root), root);
  assert.equal(kind({ $ref: "#/$defs/Text" }), "text");
  assert.equal(kind({ anyOf: [{ $ref: "#/$defs/Span" }, { type: "null" }] }), "duration");
  assert.equal(resolve({ anyOf: [{ type: "string" }, { type: "null" }] }, root).nullable, true);
  assert.equal(kind({ type: "array", items: { type: "array", items: { $ref: "#/$defs/Button" } } }), "grid");
  assert.equal(kind({ type: "array", items: { $ref: "#/$defs/Button" } }), "list");
  assert.equal(kind({ type: "object", additionalProperties: true }), "map");
  assert.equal(kind({ oneOf: [{ $ref: "#/$defs/Button" }] }), "union");
  assert.equal(kind({}), "value");
  assert.equal(kind({ $ref: "#/$defs/Loop" }), "value");
});

test("new things begin with as little as their schema demands", () => {
  assert.deepEqual(startingObject(root.$defs?.["Button"] ?? {}, root, (base) => `${base}_1`), { id: "option_1", label: "" });
  assert.deepEqual(starting({ type: "array", minItems: 1, items: { $ref: "#/$defs/Button" } }, root, () => "x"), [{ id: "x", label: "" }]);
  assert.equal(starting({ enum: ["a", "b"] }, root, () => ""), "a");
});

test("fields with their default are not stored, and fields are shown when they matter", () => {
  assert.deepEqual(withField({ a: 1, b: 2 }, "b", 3, { default: 3 }, false), { a: 1 });
  assert.deepEqual(withField({ a: 1 }, "b", "", {}, true), { a: 1, b: "" });
  const siblings = { kind: { default: "text" } };
  assert.equal(isShown({ "x-when": { kind: ["regex"] } }, {}, siblings), false);
  assert.equal(isShown({ "x-when": { kind: ["text"] } }, {}, siblings), true);
});

test("blocks get places that do not lie over each other, circles included", () => {
  const nodes = Array.from({ length: 60 }, (_, index) => block(`n${index}`, { next: `n${(index + 1) % 60}`, gone: "nowhere" }));
  const places = Object.values(arranged(nodes, new Map(nodes.map((node) => [node.id, 100]))));
  for (const [index, one] of places.entries()) for (const other of places.slice(index + 1)) assert.ok(Math.abs(one.x - other.x) >= 240 || Math.abs(one.y - other.y) >= 100);
  const given: Doc = { ...doc(block("a"), block("b")), layout: { nodes: { a: [5, 5] } } };
  assert.deepEqual(withPlaces(given, () => 1).layout.nodes?.["a"], [5, 5]);
  assert.ok((withPlaces(given, () => 1).layout.nodes?.["b"]?.[1] ?? 0) > 200);
});
