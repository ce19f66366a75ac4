// A booking while it is written: what the form holds, and the request that it becomes.
import type { Counts, ScheduleBody, Span } from "../api/shapes";
import { momentOf, wallAt, weekday } from "./zones";

export const REPEATS = ["never", "daily", "weekdays", "weekly", "fortnightly"] as const;
export type Repeat = (typeof REPEATS)[number];

export interface Draft {
  title: string;
  roles: Counts;
  rooms: number;
  /** Wall clocks of `zone`, as `2026-12-01T09:00`. */
  start: string;
  end: string;
  zone: string;
  region: string;
  repeat: Repeat;
  times: number;
  mayWait: boolean;
}

/** A form for this time, which is still to be filled in. */
export function draftFor(span: { start: number; end: number }, zone: string): Draft {
  const times = { start: wallAt(span.start, zone), end: wallAt(span.end, zone) };
  return { title: "", roles: { participant_video: 10, experimenter: 1 }, rooms: 0, ...times, zone, region: "", repeat: "never", times: 4, mayWait: false };
}

const DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/** RRULE of RFC 5545. */
export function rule(draft: Draft): string | null {
  const start = momentOf(draft.start, draft.zone);
  if (draft.repeat === "never" || start === null) return null;
  const day = DAYS[weekday(start, draft.zone)];
  const form = {
    daily: "FREQ=DAILY",
    weekdays: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    weekly: `FREQ=WEEKLY;BYDAY=${day}`,
    fortnightly: `FREQ=WEEKLY;INTERVAL=2;BYDAY=${day}`,
  }[draft.repeat];
  return `${form};COUNT=${draft.times}`;
}

/** The request, or what is still missing. */
export function asked(draft: Draft): ScheduleBody | string {
  const [start, end] = [momentOf(draft.start, draft.zone), momentOf(draft.end, draft.zone)];
  if (start === null || end === null) return "Say when it starts and ends";
  if (end <= start) return "It ends before it starts";
  const roles = Object.fromEntries(Object.entries(draft.roles).filter(([, count]) => count > 0));
  if (Object.keys(roles).length === 0) return "Say who comes";
  const recurrence = rule(draft);
  return {
    title: draft.title.trim(),
    start: draft.start,
    end: draft.end,
    time_zone: draft.zone,
    roles,
    ...(draft.rooms > 0 && { rooms: draft.rooms }),
    ...(draft.region && { region: draft.region }),
    ...(recurrence && { recurrence }),
    // Occurrences get a place together or not at all.
    ...(draft.mayWait && !recurrence && { may_wait: true }),
  };
}

/** At another time: what starts later ends later. */
export function at(draft: Draft, span: Span | { start: number; end: number }): Draft {
  const wall = (moment: string | number) => wallAt(new Date(moment).getTime(), draft.zone);
  return { ...draft, start: wall(span.start), end: wall(span.end) };
}

/** With another start, and as long as before. */
export function startingAt(draft: Draft, start: string): Draft {
  const [from, to, until] = [momentOf(draft.start, draft.zone), momentOf(start, draft.zone), momentOf(draft.end, draft.zone)];
  if (from === null || to === null || until === null || until <= from) return { ...draft, start };
  return { ...draft, start, end: wallAt(until - from + to, draft.zone) };
}
