import assert from "node:assert/strict";
import { test } from "node:test";
import { isZone, midnight, momentOf, wallAt, weekday } from "../../src/reckon/zones";

const BERLIN = "Europe/Berlin";

test("walls and moments, across the changes of summer time", () => {
  const check = (wall: string, zone: string, expect: string | null) => {
    const found = momentOf(wall, zone);
    assert.equal(found === null ? null : new Date(found).toISOString(), expect, `${wall} ${zone}`);
  };
  check("2026-12-01T09:00", "UTC", "2026-12-01T09:00:00.000Z");
  check("2026-12-01T09:00", BERLIN, "2026-12-01T08:00:00.000Z");
  check("2026-07-01T09:00", BERLIN, "2026-07-01T07:00:00.000Z");
  check("2026-12-01T09:00", "Asia/Kathmandu", "2026-12-01T03:15:00.000Z");
  // Passed over: as much later as is passed over. Twice: the first.
  check("2026-03-29T02:30", BERLIN, "2026-03-29T01:30:00.000Z");
  check("2026-10-25T02:30", BERLIN, "2026-10-25T00:30:00.000Z");
  check("2026-10-25T03:00", BERLIN, "2026-10-25T02:00:00.000Z");
  check("2026-12-01", "UTC", null);
  check("2026-12-01T09:00", "Mars/Olympus", null);
});

test("what a clock shows is the moment again", () => {
  for (const zone of ["UTC", BERLIN, "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]) {
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 37 * 3_600_000) {
      assert.equal(momentOf(wallAt(at, zone), zone), at, `${zone} ${new Date(at).toISOString()}`);
    }
  }
});

test("days are as long as the zone has them", () => {
  const sunday = momentOf("2026-03-29T12:00", BERLIN)!;
  assert.equal(midnight(sunday, BERLIN, 1) - midnight(sunday, BERLIN), 23 * 3_600_000);
  assert.equal(weekday(sunday, BERLIN), 6);
  assert.equal(wallAt(midnight(Date.UTC(2026, 11, 31, 23, 30), BERLIN, 1), BERLIN), "2027-01-02T00:00");
  assert.equal(isZone(""), false);
});
