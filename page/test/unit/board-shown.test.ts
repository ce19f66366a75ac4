import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answers, Panel, Series } from "../../boards/model";
import { colourAt, hasValues, legend, named, table } from "../../boards/shown";
import { series } from "../../boards/ask";

const target = (ref: string, text = "") => ({ ref, legend: text, expr: "", isInstant: true, stepMin_s: 30 });
const one = (value: number, labels: Record<string, string> = {}): Series => ({ labels, points: [[0, value]] });
const answers = (all: Record<string, Series[]>): Answers => ({ span: { from_s: 0, to_s: 0 }, step_s: 1, panels: { 1: all }, marks: {} });
const panel = (targets: Panel["targets"], organize: Partial<Panel["organize"]> = {}) =>
  ({ id: 1, targets, organize: { order: {}, titles: {}, without: {}, ...organize } }) as Panel;

test("names come from labels", () => {
  const check = (format: string, labels: Record<string, string>, expect: string) => assert.equal(legend(format, labels), expect);
  check("limit of {{project}} {{ job }}", { project: "shop", job: "build" }, "limit of shop build");
  check("{{namespace}}/{{pod}} {{container}}", { container: "app" }, "/ app");
  check("{{namespace}}", { instance: "a:1", role: "x" }, '{instance="a:1", role="x"}');
  check("{{namespace}}", { __name__: "a:b:sum" }, "a:b:sum");
  check("{{namespace}}", { __name__: "a:b:sum", role: "x" }, 'a:b:sum{role="x"}');
  check("{{namespace}}", {}, "Value");
});

test("targets follow each other", () => {
  const of = panel([target("A", "a"), target("B", "b {{x}}")]);
  assert.deepEqual(named(of, answers({ B: [one(1, { x: "1" }), one(2, { x: "2" })], A: [one(3)] })).map((it) => it.name), ["a", "b 1", "b 2"]);
  assert.equal(hasValues(of, answers({ A: [], B: [] })), false);
});

test("what has the same labels is a row, and columns stand as they were put", () => {
  const of = panel([target("A"), target("B")], {
    order: { pod: 0, "Value #B": 1, "Value #A": 2, gone: 3 }, titles: { "Value #A": "Used", "Value #B": "Limit", pod: "Pod" }, without: { Time: true },
  });
  const shown = table(of, answers({ A: [one(1, { pod: "p" }), one(2, { pod: "q", host: "h" })], B: [one(9, { pod: "p" })] }));
  assert.deepEqual(shown.columns.map((it) => `${it.title}${it.isNumber ? " 1" : ""}`), ["Pod", "Limit 1", "Used 1", "host"]);
  assert.deepEqual(shown.rows, [["p", 9, 1, undefined], ["q", undefined, 2, "h"]]);
});

test("a value has the colour of the last threshold that it reaches", () => {
  const steps = [{ from: -Infinity, colour: "green" }, { from: 0.75, colour: "yellow" }, { from: 0.95, colour: "red" }];
  assert.deepEqual([-1, 0.7499, 0.75, 2].map((it) => colourAt(it, steps)), ["green", "green", "yellow", "red"]);
});

test("what is no number is not there", () => {
  const check = (of: Parameters<typeof series>[0], expect: [number, number][][]) => assert.deepEqual(series(of).map((it) => it.points), expect);
  check({ resultType: "matrix", result: [{ metric: {}, values: [[1, "2"], [2, "NaN"], [3, "+Inf"], [4, "1e3"]] }] }, [[[1, 2], [4, 1000]]]);
  check({ resultType: "vector", result: [{ metric: {}, value: [1, "NaN"] }, { metric: {}, value: [1, "0"] }] }, [[[1, 0]]]);
  check({ resultType: "scalar", result: [1, "5"] }, [[[1, 5]]]);
});
