// Where a value stands in a picture, and which values are written beside it.

export interface Scale {
  (value: number): number;
  /** The value at a place. */
  at(place: number): number;
}

/** Linear; where nothing lies between low and high, all stands at the start. */
export function scale([low, high]: [number, number], [start, end]: [number, number]): Scale {
  const factor = high > low ? (end - start) / (high - low) : 0;
  const of = (value: number) => start + (value - low) * factor;
  return Object.assign(of, { at: (place: number) => (factor ? low + (place - start) / factor : low) });
}

/** Round values from 0 on, about as many as are asked for. */
export function ticks(high: number, about: number): number[] {
  if (!(high > 0)) return [0];
  const raw = high / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw;
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, index) => index * step);
}

const at = (value: number) => Math.round(value * 10) / 10;

/** A line through points. */
export function line(points: [number, number][]): string {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${at(x)} ${at(y)}`).join("");
}

/** The outline of an area over a floor that goes up and down in steps. */
export function steps(stretches: { from: number; until: number; top: number }[], floor: number): string {
  const first = stretches[0];
  if (!first) return "";
  const points = stretches.flatMap((it): [number, number][] => [[it.from, it.top], [it.until, it.top]]);
  const last = points[points.length - 1]!;
  return `${line([[first.from, floor], ...points, [last[0], floor]])}Z`;
}

/** The outline of an area between two lines over the same places. */
export function between(upper: [number, number][], lower: [number, number][]): string {
  return upper.length > 0 ? `${line([...upper, ...[...lower].reverse()])}Z` : "";
}

/** Lays out stretches so that none covers another: the row of each, in their order. */
export function rows(stretches: { start: number; end: number }[]): number[] {
  const ends: number[] = [];
  const placed = new Map<number, number>();
  const order = stretches.map((_, index) => index).sort((a, b) => stretches[a]!.start - stretches[b]!.start);
  for (const index of order) {
    const { start, end } = stretches[index]!;
    const free = ends.findIndex((until) => until <= start);
    const row = free < 0 ? ends.length : free;
    ends[row] = end;
    placed.set(index, row);
  }
  return stretches.map((_, index) => placed.get(index) ?? 0);
}
