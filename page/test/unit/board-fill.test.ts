import assert from "node:assert/strict";
import { test } from "node:test";
import { filled, stepOf } from "../../boards/fill";
import { seconds } from "../../boards/read";

const span = (minutes: number) => ({ from_s: 1_000_000, to_s: 1_000_000 + minutes * 60 });
const VARIABLES = [{ name: "cluster", label: "", shown: "All", value: ".*" }, { name: "ci_job", label: "", shown: "", value: "(a|b)" }];

test("a step is round, and no shorter than the panel says", () => {
  const check = (minutes: number, points: number, min_s: number, expect: number) => assert.equal(stepOf(span(minutes), points, min_s), expect);
  check(10, 680, 30, 30);
  check(10, 680, 1, 1);
  check(10, 300, 1, 2);
  check(360, 680, 30, 30);
  check(1_440, 680, 30, 120);
  check(7 * 1_440, 680, 30, 900);
  check(365 * 1_440, 100, 30, 86_400);
});

test("variables are filled in as Grafana does", () => {
  const check = (expr: string, expect: string) => assert.equal(filled(expr, VARIABLES, span(10), 30, 30), expect);
  check('a{cluster=~"$cluster",job=~"${ci_job}",b=~"x$"}', 'a{cluster=~".*",job=~"(a|b)",b=~"x$"}');
  check("rate(a[$__rate_interval])", "rate(a[120s])");
  check("max_over_time(a[$__range:1m]) + $__interval", "max_over_time(a[600s:1m]) + 30s");
  const long = filled("$__rate_interval", [], span(1_440), 120, 30);
  assert.equal(long, "150s");
});

test("what no board knows is told", () => {
  const check = (expr: string, expect: RegExp) => assert.throws(() => filled(expr, VARIABLES, span(10), 30, 30), expect);
  check("a[$__foo]", /^Error: \$__foo: no variable of the board, in: a\[\$__foo\]/);
  check('a{b="${cluster:regex}"}', /^Error: \$\{cluster:regex\}: no variable/);
});

test("lengths of time", () => {
  assert.deepEqual(["30s", "5m", "1h", "7d"].map(seconds), [30, 300, 3_600, 604_800]);
  assert.throws(() => seconds("5"), /5: no length of time/);
});
