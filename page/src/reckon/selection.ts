// A stretch of time that is chosen on the band: by a pointer that is dragged, or by keys.

export interface Selection {
  start: number;
  end: number;
}

/** What may be chosen: from now on, within what is shown, in steps. */
export interface Bounds {
  from: number;
  until: number;
  stepMs: number;
}

/** Of a range, in how large steps time is chosen. */
export function stepOf(days: number): number {
  const minutes = days <= 1 ? 15 : days <= 7 ? 30 : 120;
  return minutes * 60_000;
}

function snap(atMs: number, bounds: Bounds, round: (value: number) => number): number {
  // Steps are counted from the start of what is shown, which is a midnight.
  const { from, stepMs } = bounds;
  return from + round((atMs - from) / stepMs) * stepMs;
}

/** The stretch between where a pointer went down and where it is; at least a step, and never in the past. */
export function dragged(from: number, to: number, bounds: Bounds, nowMs: number): Selection | null {
  const earliest = Math.max(bounds.from, snap(nowMs, bounds, Math.ceil));
  const start = Math.max(snap(Math.min(from, to), bounds, Math.floor), earliest);
  const end = Math.min(Math.max(snap(Math.max(from, to), bounds, Math.ceil), start + bounds.stepMs), bounds.until);
  return end > start ? { start, end } : null;
}

/** What a key makes of a selection; `null` where it means nothing here. Without one an arrow chooses an hour from now on. */
export function keyed(
  key: string, isShift: boolean, current: Selection | null, bounds: Bounds, nowMs: number,
): Selection | null {
  const steps = { ArrowRight: 1, ArrowLeft: -1, PageDown: 86_400_000 / bounds.stepMs, PageUp: -86_400_000 / bounds.stepMs }[key];
  const earliest = Math.max(bounds.from, snap(nowMs, bounds, Math.ceil));
  if (steps === undefined) return null;
  if (!current) {
    const hour = Math.max(bounds.stepMs, 3_600_000);
    return earliest + hour <= bounds.until ? { start: earliest, end: earliest + hour } : null;
  }
  const by = steps * bounds.stepMs;
  if (isShift) {
    const end = Math.min(Math.max(current.end + by, current.start + bounds.stepMs), bounds.until);
    return { start: current.start, end };
  }
  const most = bounds.until - current.end;
  const least = earliest - current.start;
  const moved = Math.max(least, Math.min(by, most));
  return { start: current.start + moved, end: current.end + moved };
}
