// What lies over the canvas, without a page: scales of figures, spans of time, what differs between two versions.
import assert from "node:assert/strict";
import { test } from "node:test";
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
