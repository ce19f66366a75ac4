// What an answer to "would this fit?" means: it fits, it fits if, or it does not, because.
import type { Counts, Decision, ProblemBody, Span } from "../api/shapes";
import { memory, people, plural, readable, role, share } from "./format";

export interface Answer {
  status: number;
  body: Decision | ProblemBody;
}

export type Offer =
  | { kind: "time"; span: Span }
  | { kind: "count"; roles: Counts }
  | { kind: "wait" };

export interface Verdict {
  kind: "fits" | "fits_if" | "does_not" | "not_valid" | "unknown";
  headline: string;
  because: string | null;
  facts: [string, string][];
  offers: Offer[];
  /** Who holds what is missing, by id, and how many those are. */
  heldBy: string[];
  heldByCount: number;
}

const NOTHING = { because: null, facts: [], offers: [], heldBy: [], heldByCount: 0 };

const BINDS: Record<string, string> = {
  memory: "memory",
  rooms: "rooms in a pod",
  pods: "the number of pods",
  quota: "how many one owner may have at a time",
  horizon: "how far ahead may be booked",
  past: "that it lies in the past",
};

export function verdict({ status, body }: Answer): Verdict {
  if (isDecision(body)) return decided(body, status < 400);
  if (status === 400 || status === 422) {
    const said = sentence(body.detail ?? body.title ?? "it is not valid");
    return { ...NOTHING, kind: "not_valid", headline: said, because: body.next ? sentence(body.next) : null };
  }
  return { ...NOTHING, kind: "unknown", headline: sentence(body.detail ?? body.title ?? "the server does not answer"), because: body.next ? sentence(body.next) : null };
}

function isDecision(body: Decision | ProblemBody): body is Decision {
  return body.explain !== undefined && body.capacity_details !== undefined;
}

function decided(of: Decision, isTaken: boolean): Verdict {
  const { explain } = of;
  if (of.reserved) {
    const headline = of.scaling_required ? "Fits, once more pods have been started" : "Fits in what runs now";
    return { ...NOTHING, kind: "fits", headline, facts: facts(of) };
  }
  const offers: Offer[] = [];
  const { earliest_free_slot: slot, smaller_count_that_fits: smaller } = explain;
  if (slot) offers.push({ kind: "time", span: slot });
  if (smaller && Object.values(smaller).some((count) => count > 0)) offers.push({ kind: "count", roles: smaller });
  const isWaiting = isTaken && of.reservation.state === "waitlisted";
  const binds = explain.binds ?? "";
  // What is too large for all there is gets no place by waiting.
  if (!isWaiting && slot && ["memory", "rooms", "pods"].includes(binds)) offers.push({ kind: "wait" });
  const headline = isWaiting ? "Fits if it waits for a place" : offers.length > 0 ? "Fits if" : "Does not fit, because";
  return {
    kind: isWaiting || offers.length > 0 ? "fits_if" : "does_not",
    headline,
    because: sentence(explain.why),
    facts: facts(of),
    offers,
    heldBy: explain.held_by,
    heldByCount: explain.held_by_count,
  };
}

function facts(of: Decision): [string, string][] {
  const { capacity_details: details, explain } = of;
  const all: [string, string][] = [
    ["takes", memory(details.needed_bytes)],
    ["left for it", `${memory(details.available_bytes)} of ${memory(details.total_bytes)}`],
    ["cost", `${of.estimated_cost.amount} ${of.estimated_cost.currency}`],
    ["scaling", of.scaling_required ? "more pods are started for it" : "none"],
  ];
  if (of.risk !== null) all.push(["chance to be short", of.risk < 0.0001 ? "below 0.01 %" : share(of.risk)]);
  if (of.occurrences && of.occurrences.length > 1) all.push(["occurrences", plural(of.occurrences.length, "time")]);
  if (explain.binds && !of.reserved) all.push(["what binds", BINDS[explain.binds] ?? explain.binds]);
  return all;
}

/** What a smaller count changes, in words: "12 instead of 20 participants with video". */
export function fewer(asked: Counts, smaller: Counts): string {
  const changed = Object.entries(smaller).filter(([name, count]) => count !== (asked[name] ?? 0));
  const words = changed.map(([name, count]) => `${count} instead of ${asked[name] ?? 0} ${role(name, count)}`);
  return words.join(", ") || people(smaller);
}

function sentence(text: string): string {
  const first = readable(text.split("\n")[0] ?? "");
  return first.charAt(0).toUpperCase() + first.slice(1);
}
