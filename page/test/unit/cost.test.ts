import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reservation } from "../../src/api/shapes";
import { byOwner, money } from "../../src/reckon/cost";

const of = (owner: string) => ({ owner, held: { start: "2026-12-01T08:00:00Z", end: "2026-12-01T10:00:00Z" } }) as Reservation;

test("cost is summed by owner, each currency by itself, the highest first", () => {
  const found = byOwner([
    { reservation: of("a"), cost: { amount: "0.1", currency: "EUR" } },
    { reservation: of("b"), cost: { amount: "1.5", currency: "EUR" } },
    { reservation: of("b"), cost: { amount: "0.25", currency: "EUR" } },
    { reservation: of("b"), cost: { amount: "2", currency: "USD" } },
    { reservation: of("a"), cost: null },
  ]);
  assert.deepEqual(found.map((it) => [it.owner, it.reservations, it.heldMs / 3_600_000, it.costs.map(money).join(" ")]), [
    ["b", 3, 6, "1.75 EUR 2.00 USD"],
    ["a", 2, 4, "0.10 EUR"],
  ]);
  assert.equal(money({ amount: "0.0042", currency: "EUR" }), "0.0042 EUR");
});
