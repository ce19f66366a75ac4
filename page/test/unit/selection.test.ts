import assert from "node:assert/strict";
import { test } from "node:test";
import { dragged, keyed } from "../../src/reckon/selection";

const MINUTE = 60_000;
/** A day in steps of half an hour; it is 10:10. */
const BOUNDS = { from: 0, until: 1_440 * MINUTE, stepMs: 30 * MINUTE };
const NOW = 610 * MINUTE;

const minutes = (of: { start: number; end: number } | null) => of && [of.start / MINUTE, of.end / MINUTE];

test("what is dragged over is whole steps, from now on, in either direction", () => {
  const check = (from: number, to: number, expect: [number, number] | null) =>
    assert.deepEqual(minutes(dragged(from * MINUTE, to * MINUTE, BOUNDS, NOW)), expect, `${from} ${to}`);
  check(725, 790, [720, 810]);
  check(790, 725, [720, 810]);
  check(730, 730, [720, 750]);
  check(500, 700, [630, 720]);
  check(100, 200, [630, 660]);
  check(1_430, 1_440, [1_410, 1_440]);
});

test("a day that is past has nothing to choose", () => {
  assert.equal(dragged(0, 60 * MINUTE, BOUNDS, 2_000 * MINUTE), null);
  assert.equal(keyed("ArrowRight", false, null, BOUNDS, 2_000 * MINUTE), null);
});

test("keys choose, move, stretch and shrink, and stay within what may be chosen", () => {
  const check = (key: string, isShift: boolean, current: [number, number] | null, expect: [number, number] | null) => {
    const selection = current && { start: current[0] * MINUTE, end: current[1] * MINUTE };
    assert.deepEqual(minutes(keyed(key, isShift, selection, BOUNDS, NOW)), expect, `${key} ${current}`);
  };
  check("ArrowRight", false, null, [630, 690]);
  check("ArrowRight", false, [720, 780], [750, 810]);
  check("ArrowLeft", false, [720, 780], [690, 750]);
  check("ArrowLeft", false, [630, 690], [630, 690]);
  check("ArrowRight", false, [1_380, 1_440], [1_380, 1_440]);
  check("ArrowRight", true, [720, 780], [720, 810]);
  check("ArrowLeft", true, [720, 780], [720, 750]);
  check("ArrowLeft", true, [720, 750], [720, 750]);
  check("PageDown", false, [720, 780], [1_380, 1_440]);
  check("a", false, [720, 780], null);
});
