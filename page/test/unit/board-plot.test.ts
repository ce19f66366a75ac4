import assert from "node:assert/strict";
import { test } from "node:test";
import { extent, marks, moments, stacked, stretches, times } from "../../boards/plot";

test("lines break where values are missing", () => {
  const check = (at: number[], expect: number[][]) =>
    assert.deepEqual(stretches(at.map((it) => [it, 1]), 10).map((part) => part.map(([it]) => it)), expect);
  check([0, 10, 20], [[0, 10, 20]]);
  check([0, 10, 30, 40], [[0, 10], [30, 40]]);
  check([0], [[0]]);
  check([], []);
  assert.deepEqual(times([[0, 1], [10, 1], [50, 1]], 10), [[0, 10], [50, 50]]);
});

test("layers stand on those before them, and what is below 0 hangs", () => {
  const tops = (all: [number, number][][]) => stacked(all).map((layers) => layers.map(({ floor, top }) => [floor, top]));
  assert.deepEqual(tops([[[0, 2], [10, 3]], [[0, 5]], [[0, -1], [10, 4]]]), [[[0, 2], [0, 3]], [[2, 7]], [[0, -1], [3, 7]]]);
});

test("an axis shows all, from 0 where that is near", () => {
  const check = (values: number[], isFromZero: boolean, expect: number[], min?: number, max?: number) =>
    assert.deepEqual(extent(values, isFromZero, min, max).map((it) => Number(it.toPrecision(6))), expect, values.join());
  check([1, 11], false, [0, 12]);
  check([90, 100], false, [89, 101]);
  check([90, 100], true, [0, 101]);
  check([5, 5], false, [0, 5.5]);
  check([-10, -9], false, [-10.1, -8.9]);
  check([-10, 10], false, [-12, 12]);
  check([0, 0], false, [0, 1]);
  check([], false, [0, 1.1]);
  check([0.2], false, [0, 1], 0, 1);
});

test("values at an axis are round in their unit", () => {
  const check = (within: [number, number], unit: string, expect: number[]) => assert.deepEqual(marks(within, 4, unit), expect, unit);
  check([0, 10], "short", [0, 2.5, 5, 7.5, 10]);
  check([89, 101], "short", [90, 95, 100]);
  check([-12, 12], "short", [-10, 0, 10]);
  check([0, 2 ** 30], "bytes", [0, 2 ** 28, 2 ** 29, 3 * 2 ** 28, 2 ** 30]);
  check([0, 300], "s", [0, 120, 240]);
  check([0, 0.11], "percentunit", [0, 0.05, 0.1]);
  check([0, 1.1], "bool_yes_no", [0, 1]);
});

test("moments are round, and as many as fit", () => {
  const at = (text: string) => Date.parse(`2026-11-30T${text}Z`) / 1000;
  const check = (from: string, to: string, most: number, expect: string[]) => assert.deepEqual(moments(at(from), at(to), most).map((it) => it.text), expect);
  check("15:20:07", "15:30:07", 6, ["15:22", "15:24", "15:26", "15:28", "15:30"]);
  check("15:20:07", "15:21:07", 4, ["15:20:15", "15:20:30", "15:20:45", "15:21:00"]);
  assert.deepEqual(moments(at("00:00:00"), at("00:00:00") + 4 * 86_400, 4).map((it) => it.text), ["11-30", "12-01", "12-02", "12-03", "12-04"]);
});
