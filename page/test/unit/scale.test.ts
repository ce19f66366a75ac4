import assert from "node:assert/strict";
import { test } from "node:test";
import { rows, scale, steps, ticks } from "../../src/reckon/scale";

test("a scale goes there and back, and an empty one stays at its start", () => {
  const x = scale([100, 200], [10, 30]);
  assert.deepEqual([x(100), x(150), x(200), x.at(20)], [10, 20, 30, 150]);
  assert.deepEqual([scale([5, 5], [10, 30])(7), scale([5, 5], [10, 30]).at(12)], [10, 5]);
});

test("ticks are round", () => {
  const check = (high: number, expect: number[]) => assert.deepEqual(ticks(high, 4), expect, String(high));
  check(100, [0, 25, 50, 75, 100]);
  check(4.1e9, [0, 2e9, 4e9]);
  check(7, [0, 2, 4, 6]);
  check(0, [0]);
});

test("steps go up and down where stretches meet", () => {
  const stretches = [{ from: 0, until: 10, top: 5 }, { from: 10, until: 20, top: 2 }];
  assert.equal(steps(stretches, 9), "M0 9L0 5L10 5L10 2L20 2L20 9Z");
  assert.equal(steps([], 9), "");
});

test("no bar covers another, and a free row is used again", () => {
  const check = (spans: [number, number][], expect: number[]) =>
    assert.deepEqual(rows(spans.map(([start, end]) => ({ start, end }))), expect);
  check([[0, 10], [5, 15], [10, 20]], [0, 1, 0]);
  check([[10, 20], [0, 30], [5, 8]], [1, 0, 1]);
  check([], []);
});
