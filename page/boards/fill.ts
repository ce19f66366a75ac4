// How long a step is, and what queries get in place of variables: as Grafana does it.
import type { Span, Variable } from "./model";

/** A value in seconds becomes the step at the first of these below which it is. */
const STEPS: [below_s: number, step_s: number][] = [
  [1.5, 1], [3.5, 2], [7.5, 5], [12.5, 10], [17.5, 15], [25, 20], [45, 30], [90, 60], [210, 120], [450, 300], [750, 600], [1_050, 900],
  [1_500, 1_200], [2_700, 1_800], [5_400, 3_600], [9_000, 7_200], [16_200, 10_800], [32_400, 21_600], [86_400, 43_200],
];

/** Seconds between two values where so many at most are drawn. */
export function stepOf(span: Span, pointsMax: number, stepMin_s: number): number {
  const raw = (span.to_s - span.from_s) / pointsMax;
  const round = STEPS.find(([below]) => raw < below)?.[1] ?? 86_400;
  return Math.max(round, stepMin_s);
}

/** PromQL without variables. */
export function filled(expr: string, variables: Variable[], span: Span, step_s: number, stepMin_s: number): string {
  const known: Record<string, string> = {
    __range: `${Math.round(span.to_s - span.from_s)}s`,
    __interval: `${step_s}s`,
    // So that there are four scrapes in it.
    __rate_interval: `${Math.max(step_s + stepMin_s, 4 * stepMin_s)}s`,
  };
  for (const { name, value } of variables) known[name] = value;
  return expr.replace(/\$(?:\{([^}]*)\}|(\w+))/g, (whole, braced, plain) => {
    const value = known[braced ?? plain];
    if (value === undefined) throw new Error(`${whole}: no variable of the board, in: ${expr}`);
    return value;
  });
}
