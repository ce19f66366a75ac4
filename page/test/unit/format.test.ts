import assert from "node:assert/strict";
import { test } from "node:test";
import { byRole, length, memory, moment, people, readable, refusal, role, share, span } from "../../src/reckon/format";

const UTC = "UTC";

test("memory has three digits that count, and what is missing is not 0", () => {
  const check = (bytes: number | null, expect: string) => assert.equal(memory(bytes), expect);
  check(0, "0 MB");
  check(4_260_000, "4.3 MB");
  check(475e6, "475 MB");
  check(999.4e6, "999 MB");
  check(999.6e6, "1 GB");
  check(4_123e6, "4.12 GB");
  check(41_230e6, "41.2 GB");
  check(-3e9, "-3 GB");
  check(null, "unknown");
});

test("bytes in a sentence are told as memory", () => {
  assert.equal(readable("5674401325 bytes would be needed at once, 4683348692 there may be"), "5.67 GB would be needed at once, 4.68 GB there may be");
  assert.equal(readable("at most 500 in 2026"), "at most 500 in 2026");
});

test("small shares keep their digits", () => {
  const check = (of: number | null, expect: string) => assert.equal(share(of), expect);
  check(0.05, "5 %");
  check(0.0004, "0.04 %");
  check(-0.325, "-32.5 %");
  check(0, "0 %");
  check(null, "unknown");
});

test("people are told by role, those of whom there are none are left out", () => {
  assert.equal(people({ participant_video: 20, experimenter: 1, admin: 0 }), "20 participants with video, 1 experimenter");
  assert.equal(people({}), "nobody");
  assert.equal(role("night_watch"), "night watch");
  const all = { observer: 1, admin: 1, experimenter: 1, participant_video: 1, guest: 1 };
  assert.deepEqual(byRole(all).map(([name]) => name), ["participant_video", "experimenter", "admin", "guest", "observer"]);
});

test("spans tell the day of their end where it is another", () => {
  const check = (start: string, end: string, expect: string, zone = UTC) => assert.equal(span({ start, end }, zone), expect);
  check("2026-12-01T09:00:00Z", "2026-12-01T10:30:00Z", "Tue 1 Dec 09:00 to 10:30");
  check("2026-12-01T22:00:00Z", "2026-12-02T01:00:00Z", "Tue 1 Dec 22:00 to Wed 2 Dec 01:00");
  check("2026-12-01T22:00:00Z", "2026-12-01T22:30:00Z", "Tue 1 Dec 23:00 to 23:30", "Europe/Berlin");
  assert.equal(moment("2026-12-01T00:05:00Z", UTC), "Tue 1 Dec 00:05");
});

test("lengths of time", () => {
  const check = (minutes: number, expect: string) => assert.equal(length(minutes * 60_000), expect);
  check(0, "0 min");
  check(45, "45 min");
  check(120, "2 h");
  check(90, "1 h 30 min");
  check(3 * 1_440, "3 days");
});

test("each reason for which a role is refused is told in words", () => {
  const check = (of: Parameters<typeof refusal>[0], expect: string) => assert.equal(refusal(of), expect);
  check({ reason: "never_seen" }, "never seen");
  check({ reason: "constant", count: 2 }, "always 2 of them, so not told from the base");
  check({ reason: "moves_with", role: "experimenter", inflation: 40 }, "comes and goes with experimenters");
  check({ reason: "too_uncertain", low_mb: 1, high_mb: 60 }, "too uncertain: between 1 MB and 60 MB");
  check({ reason: "something_new" }, "something new");
});
