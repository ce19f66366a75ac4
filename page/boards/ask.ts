// Asks a Prometheus for all that a board shows.
import { filled, stepOf } from "./fill";
import { widthOf } from "./grid";
import type { Answers, Board, Panel, Series, Span, Target } from "./model";

/** A Prometheus that says nothing for so long says nothing. */
const WAIT_MS = 30_000;

/** Where, of when, and in which steps in place of those that panels say. */
export interface Asked { prometheus: string; span: Span; stepMin_s?: number | undefined }

export async function ask(board: Board, of: Asked): Promise<Answers> {
  const answers: Answers = { span: of.span, step_s: Infinity, panels: {}, marks: {} };
  for (const panel of board.panels) {
    const all = await Promise.all(panel.targets.map(async (target) => [target.ref, await answered(board, panel, target, of, answers)] as const));
    answers.panels[panel.id] = Object.fromEntries(all);
  }
  for (const mark of board.marks) {
    const min_s = of.stepMin_s ?? 15;
    const step_s = stepOf(of.span, 1_000, min_s);
    answers.marks[mark.name] = await range(of, filled(mark.expr, board.variables, of.span, step_s, min_s), step_s);
  }
  return answers;
}

async function answered(board: Board, panel: Panel, target: Target, of: Asked, answers: Answers): Promise<Series[]> {
  const min_s = of.stepMin_s ?? target.stepMin_s;
  const step_s = stepOf(of.span, widthOf(panel.place), min_s);
  const expr = filled(target.expr, board.variables, of.span, step_s, min_s);
  if (target.isInstant) return query(of, "query", { query: expr, time: String(of.span.to_s) });
  answers.step_s = Math.min(answers.step_s, step_s);
  return range(of, expr, step_s);
}

function range(of: Asked, query_: string, step_s: number): Promise<Series[]> {
  // At multiples of the step, as a picture a moment later has the same values then; none before the span.
  const at = (round: (steps: number) => number, time_s: number) => String(round(time_s / step_s) * step_s);
  return query(of, "query_range", { query: query_, start: at(Math.ceil, of.span.from_s), end: at(Math.floor, of.span.to_s), step: String(step_s) });
}

async function query(of: Asked, path: string, parameters: Record<string, string>): Promise<Series[]> {
  const url = `${of.prometheus.replace(/\/$/, "")}/api/v1/${path}`;
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(parameters), signal: AbortSignal.timeout(WAIT_MS) })
    .catch((error) => { throw new Error(`${url}: ${error.cause?.message ?? error.message}`); });
  const body: any = await response.json().catch(() => ({ error: `no JSON, ${response.status}` }));
  if (body.status !== "success") throw new Error(`${url}: ${body.error}\nasked: ${parameters["query"]}`);
  return series(body.data);
}

/** From a Prometheus' answer; what is no number is left out. */
export function series(of: { resultType: string; result: any }): Series[] {
  const points = (values: [number, string][]) => values.map(([at, value]): [number, number] => [at, Number(value)]).filter(([, value]) => Number.isFinite(value));
  const all: Series[] = of.resultType === "scalar"
    ? [{ labels: {}, points: points([of.result]) }]
    : of.result.map((it: any) => ({ labels: it.metric, points: points(it.values ?? [it.value]) }));
  return all.filter((it) => it.points.length > 0);
}
