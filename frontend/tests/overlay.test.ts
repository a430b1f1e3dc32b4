// What lies over the canvas, without a page: scales of figures, spans of time, what differs between two versions.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Differences } from "../src/api/types.ts";
import type { BlockData, Doc, SectionData } from "../src/builder/model/types.ts";
import { bothFacts, drawing, tonesOf } from "../src/builder/overlay/differing.ts";
import { LEVELS, levelOf, percent, scaleOf, span } from "../src/builder/overlay/heat.ts";

test("a scale has five steps up to the largest value, and nothing is no step", () => {
  assert.deepEqual(scaleOf([10, 40, 100, 0, null], "visits"), [20, 40, 60, 80, 100]);
  const scale = scaleOf([0.1, 0.5], "drop_off");
  assert.deepEqual([0, null, 0.1, 0.11, 0.5].map((value) => levelOf(value, scale)), [0, 0, 1, 2, LEVELS]);
  assert.deepEqual(scaleOf([0, null], "errors"), []);
  assert.equal(levelOf(5, []), 0);
});

test("few visits have as many steps as there are numbers", () => {
  const scale = scaleOf([1, 2, 3], "visits");
  assert.deepEqual([1, 2, 3].map((value) => levelOf(value, scale)), [1, 3, 5]);
  assert.deepEqual([1].map((value) => levelOf(value, scaleOf([1], "visits"))), [LEVELS]);
});

test("values that differ by far are spread by ratio", () => {
  assert.deepEqual(scaleOf([1, 100_000], "visits"), [10, 100, 1000, 10_000, 100_000]);
  assert.deepEqual(scaleOf([1, 100_000], "time").map(Math.round), [10, 100, 1000, 10_000, 100_000]);
  assert.deepEqual(scaleOf([0.001, 1], "errors"), [0.2, 0.4, 0.6, 0.8, 1]);
});

test("times are told in their two largest units", () => {
  assert.deepEqual([null, 0, 0.25, 45, 60, 250, 3600, 7500, 90_000].map(span), ["–", "0 sec", "0.3 sec", "45 sec", "1 min", "4 min 10 sec", "1 hr", "2 hr 5 min", "1 day 1 hr"]);
  assert.deepEqual([0, 0.004, 0.086, 0.5, 1].map(percent), ["0%", "0.4%", "8.6%", "50%", "100%"]);
});

// --- two versions as one drawing -----------------------------------------------------------------------------------------------

const block = (id: string, exits: Record<string, string> = {}): BlockData => ({ id, kind: "message", params: {}, exits });
const doc = (places: Record<string, [number, number]>, ...sections: SectionData[]): Doc => ({ definition: { sections }, layout: { nodes: places, notes: [] } });
const found = (part: Partial<Differences>): Differences => ({ success: true, trace_id: "", old: "1", new: "draft", nodes: {}, edges: [], changes: [], moved: [], drawn: null, ...part });

test("what is gone is drawn where it was, or below what lies there now", () => {
  const before = doc({ a: [0, 0], b: [300, 0], c: [600, 0] }, { id: "main", nodes: [block("a", { next: "b" }), block("b", { next: "c" }), block("c")] });
  const after = doc({ a: [0, 0], c: [600, 0], d: [320, 10] }, { id: "main", nodes: [block("a", { next: "d" }), block("d", { next: "c" }), block("c")] });
  const edges = [{ node: "a", exit: "next", old: "b", new: "d" }, { node: "d", exit: "next", old: null, new: "c" }, { node: "b", exit: "next", old: "c", new: null }];
  const drawn = drawing(found({ nodes: { a: "changed", d: "added", b: "removed" }, edges }), before, after);
  assert.deepEqual(drawn.doc.definition.sections.map((section) => section.nodes.map((node) => node.id)), [["a", "d", "c", "b"]]);
  assert.deepEqual(drawn.doc.layout.nodes?.["b"], [300, 70]);
  assert.deepEqual(drawn.old, [{ source: "a", exit: "next", target: "b" }]); // those of a removed block are its own exits
  assert.deepEqual(after.definition.sections[0]?.nodes.length, 3); // the documents stay as they were
});

test("a removed section comes back with its blocks, and the exit of an old connection too", () => {
  const before = doc({ a: [0, 0], x: [0, 0] }, { id: "main", nodes: [block("a", { gone: "a" })] }, { id: "extra", name: "Extra", nodes: [block("x")] });
  const after = doc({ a: [0, 0] }, { id: "main", nodes: [block("a")] });
  const drawn = drawing(found({ nodes: { a: "changed", x: "removed" }, edges: [{ node: "a", exit: "gone", old: "a", new: null }] }), before, after);
  assert.deepEqual(drawn.doc.definition.sections.map((section) => [section.id, section.nodes.map((node) => node.id)]), [["main", ["a"]], ["extra", ["x"]]]);
  const exit = { name: "gone", label: "The old one", failure: false, required: true, waits: false, leads: "" as const, section: "", entry: "" };
  const facts = bothFacts(new Map([["a", { exits: [exit], sets: [] }]]), new Map([["a", { exits: [], sets: ["v"] }]]), drawn);
  assert.deepEqual(facts.get("a"), { exits: [{ ...exit, required: false }], sets: ["v"] });
});

test("a block that was also moved counts as changed", () => {
  assert.deepEqual([...tonesOf(found({ nodes: { a: "changed" }, moved: ["a", "b"] }))], [["a", "changed"], ["b", "moved"]]);
});
