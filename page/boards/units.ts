// Values as Grafana writes them, in the units that boards have.

/** A value, scaled, with what stands around it. */
interface Written { before: string; value: number; after: string }

type Unit = (value: number) => Written;

const THOUSANDS: [number, string][] = [[1, ""], [1e3, "K"], [1e6, "M"], [1e9, "B"], [1e12, "T"]];
const SHORT: [number, string][] = [[1, ""], [1e3, " K"], [1e6, " Mil"], [1e9, " Bil"], [1e12, " Tri"]];
const BYTES: [number, string][] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].map((name, power) => [1024 ** power, ` ${name}`]);
const SECONDS: [number, string][] = [
  [1e-9, " ns"], [1e-6, " µs"], [1e-3, " ms"], [1, " s"], [60, " mins"], [3_600, " hours"], [86_400, " days"], [604_800, " weeks"], [31_536_000, " years"],
];

/** The largest step that is not above the value. */
function scaled(steps: [number, string][], before = "", after = ""): Unit {
  return (value) => {
    const [by, name] = steps.findLast(([from]) => Math.abs(value) >= from) ?? steps.find(([from]) => from === 1) ?? steps[0]!;
    return { before, value: value / by, after: name + after };
  };
}

/** By Grafana's names of them. */
export const UNITS: Record<string, Unit> = {
  short: scaled(SHORT),
  bytes: scaled(BYTES),
  s: scaled(SECONDS),
  percentunit: (value) => ({ before: "", value: value * 100, after: "%" }),
  cps: scaled(THOUSANDS, "", " c/s"),
  reqps: scaled(THOUSANDS, "", " req/s"),
  currencyUSD: scaled(THOUSANDS, "$"),
  currencyEUR: scaled(THOUSANDS, "€"),
  currencyGBP: scaled(THOUSANDS, "£"),
  currencyCHF: scaled(THOUSANDS, "CHF"),
  currencyJPY: scaled(THOUSANDS, "¥"),
  bool_yes_no: (value) => ({ before: value === 0 ? "No" : "Yes", value: NaN, after: "" }),
};

/** A value in a panel: three digits that count, unless it is said how many stand after the point. */
export function written(value: number, unit: string, decimals?: number): string {
  return put(value, unit, (scaled) => scaled.toFixed(decimals ?? digits(scaled)));
}

/** A value at an axis: no more digits than it has. */
export function marked(value: number, unit: string): string {
  return put(value, unit, (scaled) => String(Number(scaled.toPrecision(4))));
}

function put(value: number, unit: string, number: (scaled: number) => string): string {
  const write = UNITS[unit];
  if (!write) throw new Error(`${unit}: no unit that is drawn`);
  const { before, value: scaled, after } = write(value);
  if (Number.isNaN(scaled)) return before;
  const text = number(Math.abs(scaled));
  const isNegative = value < 0 && Number(text) !== 0;
  return `${isNegative ? "-" : ""}${before}${text}${after}`;
}

function digits(value: number): number {
  if (Number.isInteger(value)) return 0;
  return Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(value))));
}

/** What steps of an axis are made of. */
export function baseOf(unit: string): "binary" | "time" | "decimal" {
  return unit === "bytes" ? "binary" : unit === "s" ? "time" : "decimal";
}
