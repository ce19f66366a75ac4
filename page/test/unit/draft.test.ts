import assert from "node:assert/strict";
import { test } from "node:test";
import { type Draft, asked, at, draftFor, rule, startingAt } from "../../src/reckon/draft";

const BERLIN = "Europe/Berlin";
const START = Date.parse("2026-12-01T08:00:00Z");
const DRAFT: Draft = { ...draftFor({ start: START, end: START + 5_400_000 }, BERLIN), title: " Pilot " };

test("a draft becomes a request", () => {
  assert.deepEqual(asked(DRAFT), {
    title: "Pilot", start: "2026-12-01T09:00", end: "2026-12-01T10:30", time_zone: BERLIN, roles: { participant_video: 10, experimenter: 1 },
  });
  const more = asked({ ...DRAFT, rooms: 2, region: "fra", mayWait: true });
  assert.ok(typeof more !== "string" && more.rooms === 2 && more.region === "fra" && more.may_wait === true);
});

test("what is missing is said", () => {
  const check = (some: Partial<Draft>, expect: string) => assert.equal(asked({ ...DRAFT, ...some }), expect);
  check({ start: "" }, "Say when it starts and ends");
  check({ end: "2026-12-01T09:00" }, "It ends before it starts");
  check({ roles: { experimenter: 0 } }, "Say who comes");
});

test("rules are those of RFC 5545, by the weekday of the start", () => {
  const check = (repeat: Draft["repeat"], expect: string | null) => assert.equal(rule({ ...DRAFT, repeat, times: 3 }), expect);
  check("never", null);
  check("daily", "FREQ=DAILY;COUNT=3");
  check("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=3");
  check("weekly", "FREQ=WEEKLY;BYDAY=TU;COUNT=3");
  check("fortnightly", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=3");
  const repeated = asked({ ...DRAFT, repeat: "weekly", mayWait: true });
  assert.ok(typeof repeated !== "string" && repeated.may_wait === undefined, "what repeats cannot wait");
});

test("another time is told by the clock of its zone, and as long as before", () => {
  const moved = at({ ...DRAFT, zone: "America/New_York" }, { start: "2026-12-02T14:00:00Z", end: "2026-12-02T15:00:00Z" });
  assert.deepEqual([moved.start, moved.end], ["2026-12-02T09:00", "2026-12-02T10:00"]);
  assert.equal(startingAt(DRAFT, "2026-12-03T22:45").end, "2026-12-04T00:15");
  assert.equal(startingAt({ ...DRAFT, end: "" }, "2026-12-03T22:45").end, "");
});
