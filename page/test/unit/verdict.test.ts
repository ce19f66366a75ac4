import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/api/shapes";
import { fewer, verdict } from "../../src/reckon/verdict";

const SLOT = { start: "2026-12-01T11:00:00Z", end: "2026-12-01T12:00:00Z" };

function decision(some: { reserved?: boolean; state?: string; binds?: string; slot?: boolean; smaller?: Record<string, number> }): Decision {
  const reserved = some.reserved ?? false;
  return {
    reserved,
    estimated_cost: { amount: "0.14", currency: "EUR" },
    scaling_required: false,
    capacity_details: { total_bytes: 2e9, available_bytes: 1e9, needed_bytes: 4e8 },
    risk: reserved ? 0.01 : null,
    explain: {
      why: "memory is booked then", binds: some.binds ?? null, peak_instant: null, held_by: ["a", "b"], held_by_count: 2,
      earliest_free_slot: some.slot ? SLOT : null, smaller_count_that_fits: some.smaller ?? null,
    },
    reservation: { state: some.state ?? "requested" } as Decision["reservation"],
  };
}

test("an answer is one of: fits, fits if, does not", () => {
  const check = (status: number, body: Decision, kind: string, offers: string[]) => {
    const found = verdict({ status, body });
    assert.deepEqual([found.kind, found.offers.map((it) => it.kind)], [kind, offers]);
  };
  check(200, decision({ reserved: true }), "fits", []);
  check(409, decision({ binds: "memory", slot: true, smaller: { experimenter: 1 } }), "fits_if", ["time", "count", "wait"]);
  // Who has a place in the line may still take another time.
  check(200, decision({ state: "waitlisted", binds: "memory", slot: true }), "fits_if", ["time"]);
  // Waiting does not help against a quota, nor what is larger than all there is.
  check(409, decision({ binds: "quota", slot: true }), "fits_if", ["time"]);
  check(409, decision({ binds: "memory", smaller: { experimenter: 2 } }), "fits_if", ["count"]);
  check(409, decision({ binds: "memory" }), "does_not", []);
  check(409, decision({ binds: "memory", smaller: { experimenter: 0 } }), "does_not", []);
});

test("what is wrong is said as the server has it", () => {
  const found = verdict({ status: 400, body: { detail: "end: 'x' is no time", next: "write it like 2026-12-01T09:00:00Z" } });
  assert.deepEqual([found.kind, found.headline, found.because], ["not_valid", "End: 'x' is no time", "Write it like 2026-12-01T09:00:00Z"]);
  assert.equal(verdict({ status: 503, body: { title: "the store does not answer" } }).kind, "unknown");
  assert.equal(verdict({ status: 0, body: {} }).headline, "The server does not answer");
});

test("facts tell what it takes, costs and risks", () => {
  const facts = Object.fromEntries(verdict({ status: 200, body: decision({ reserved: true }) }).facts);
  assert.equal(facts["takes"], "400 MB");
  assert.equal(facts["left for it"], "1 GB of 2 GB");
  assert.equal(facts["cost"], "0.14 EUR");
  assert.equal(facts["chance to be short"], "1 %");
});

test("a smaller count is told beside what was asked for", () => {
  const asked = { participant_video: 20, experimenter: 2 };
  assert.equal(fewer(asked, { participant_video: 12, experimenter: 2 }), "12 instead of 20 participants with video");
  assert.equal(fewer(asked, { participant_video: 1, experimenter: 1 }), "1 instead of 20 participant with video, 1 instead of 2 experimenter");
});
