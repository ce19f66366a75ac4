// What is drawn over time: stretches without a gap, one on top of the other, and the axes beside them.
import { baseOf } from "./units";

export type Point = [at: number, value: number];

/** Parts of a series between which values are missing. */
export function stretches(points: Point[], step_s: number): Point[][] {
  const parts: Point[][] = [];
  points.forEach((point, index) => {
    const before = points[index - 1];
    if (before && point[0] - before[0] <= step_s * 1.5) parts.at(-1)!.push(point);
    else parts.push([point]);
  });
  return parts;
}

/** A value between a floor and a top. */
export interface Layer { at: number; floor: number; top: number }

/** Each series on those before it; what is below 0 goes down. */
export function stacked(all: Point[][]): Layer[][] {
  const up = new Map<number, number>();
  const down = new Map<number, number>();
  return all.map((points) => points.map(([at, value]) => {
    const sums = value < 0 ? down : up;
    const floor = sums.get(at) ?? 0;
    sums.set(at, floor + value);
    return { at, floor, top: floor + value };
  }));
}

/** From where to where an axis goes: a tenth more than there is; from 0 where it is not far, or all is the same, or areas stand on it. */
export function extent(values: number[], isFromZero: boolean, min?: number, max?: number): [number, number] {
  const [low, high] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  if (low === 0 && high === 0) return [min ?? 0, max ?? 1];
  const room = (high - low || Math.abs(high)) / 10;
  const isNearZero = isFromZero || low === high;
  const from = low >= 0 && (isNearZero || low - room <= 0) ? 0 : low - room;
  const to = high <= 0 && (isNearZero || high + room >= 0) ? 0 : high + room;
  return [min ?? from, max ?? to];
}

const DECIMAL = [1, 2, 2.5, 5, 10];
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/** Round values in an extent, about as many as are asked for. */
export function marks([low, high]: [number, number], about: number, unit: string): number[] {
  const raw = (high - low) / about;
  if (!(raw > 0)) return [low];
  const step = roundUp(raw, unit);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

function roundUp(raw: number, unit: string): number {
  if (unit === "bool_yes_no") return 1;
  const base = baseOf(unit);
  if (base === "binary" && raw > 1) return 2 ** Math.ceil(Math.log2(raw));
  if (base === "time" && raw > 1) return MINUTES.find((it) => it >= raw) ?? Math.ceil(raw / 604_800) * 604_800;
  const power = 10 ** Math.floor(Math.log10(raw));
  return DECIMAL.map((it) => it * power).find((it) => it >= raw * 0.999_999) ?? raw;
}

const CLOCK = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];

/** Round moments, in UTC, at most as many as are asked for, and how each is written. */
export function moments(from_s: number, to_s: number, most: number): { at: number; text: string }[] {
  const step = CLOCK.find((it) => (to_s - from_s) / it <= most) ?? 86_400 * Math.ceil((to_s - from_s) / 86_400 / most);
  const first = Math.ceil(from_s / step) * step;
  const all = Array.from({ length: Math.floor((to_s - first) / step) + 1 }, (_, index) => first + index * step);
  return all.map((at) => ({ at, text: clock(at, step) }));
}

function clock(at: number, step: number): string {
  const text = new Date(at * 1000).toISOString();
  if (step >= 86_400) return text.slice(5, 10);
  return step < 60 ? text.slice(11, 19) : text.slice(11, 16);
}

/** The first and last moment of each time that something went on. */
export function times(points: Point[], step_s: number): [number, number][] {
  return stretches(points, step_s).map((part) => [part[0]![0], part.at(-1)![0]]);
}
