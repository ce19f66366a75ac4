import assert from "node:assert/strict";
import { test } from "node:test";
import { marked, written } from "../../boards/units";

test("values are written as Grafana writes them", () => {
  const check = (value: number, unit: string, expect: string, decimals?: number) => assert.equal(written(value, unit, decimals), expect, `${value} ${unit}`);
  check(0, "bytes", "0 B");
  check(512, "bytes", "512 B");
  check(1536, "bytes", "1.50 KiB");
  check(201_326_592, "bytes", "192 MiB");
  check(1.46 * 2 ** 30, "bytes", "1.46 GiB");
  check(-3 * 2 ** 20, "bytes", "-3 MiB");
  check(0.4321, "percentunit", "43.2%");
  check(1, "percentunit", "100%");
  check(0.4321, "percentunit", "43%", 0);
  check(0.000_123, "percentunit", "0.0123%");
  check(-0.001, "percentunit", "0%", 0);
  check(0.000_4, "s", "400 µs");
  check(0.25, "s", "250 ms");
  check(83.4, "s", "1.39 mins");
  check(7_200, "s", "2 hours");
  check(0, "s", "0 s");
  check(4.666, "currencyUSD", "$4.67");
  check(4.666, "currencyUSD", "$4.6660", 4);
  check(1_234, "currencyEUR", "€1.23K");
  check(-12, "currencyGBP", "-£12");
  check(3, "currencyCHF", "CHF3");
  check(2_500_000, "currencyJPY", "¥2.50M");
  check(1, "bool_yes_no", "Yes");
  check(0, "bool_yes_no", "No");
  check(42, "short", "42");
  check(0.125, "short", "0.125");
  check(12_345, "short", "12.3 K");
  check(1.5, "cps", "1.50 c/s");
  check(2_000, "reqps", "2K req/s");
});

test("an axis has no more digits than it needs", () => {
  const check = (value: number, unit: string, expect: string) => assert.equal(marked(value, unit), expect);
  check(1.5 * 2 ** 30, "bytes", "1.5 GiB");
  check(2 ** 30, "bytes", "1 GiB");
  check(0.25, "percentunit", "25%");
  check(0.30000000000000004, "short", "0.3");
  check(-0.5, "currencyUSD", "-$0.5");
});

test("an unknown unit is told", () => {
  assert.throws(() => written(1, "furlongs"), /furlongs: no unit that is drawn/);
});
