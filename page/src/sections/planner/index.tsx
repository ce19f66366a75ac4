// The calendar: what is booked against what there is, and a booking that is written over it.
import { useRef, useState } from "preact/hooks";
import { useAnswer, useLive } from "../../api/live";
import type { ReservationPage, Status, Timetable } from "../../api/shapes";
import { Answered } from "../../parts/answered";
import { Section } from "../../parts/section";
import { day } from "../../reckon/format";
import { type Draft, at, draftFor } from "../../reckon/draft";
import { type Selection, stepOf } from "../../reckon/selection";
import { localZone, midnight, momentOf, weekday } from "../../reckon/zones";
import { BookingForm } from "../booking/form";
import { Band, type Shown } from "./band";

/** Days of each range. */
const RANGES = [["Day", 1], ["Week", 7], ["4 weeks", 28]] as const;
/** A screen that is narrower, in px, shows a day at first: a finger is not that fine. */
const NARROW = 600;
/** Reservations that are drawn at most: as many as a list has at once. */
const DRAWN_MAX = 500;

export function Planner() {
  const { nowMs } = useLive();
  const zone = localZone();
  const [days, setDays] = useState<number>(() => (window.innerWidth < NARROW ? 1 : 7));
  // A day that is shown; without one it is today, tomorrow too.
  const [chosenDay, setChosenDay] = useState<number | null>(null);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [said, setSaid] = useState("");
  const opener = useRef<HTMLElement | null>(null);

  // A week begins with its Monday.
  const anchor = chosenDay ?? midnight(nowMs, zone);
  const from = days === 1 ? anchor : midnight(anchor, zone, -weekday(anchor, zone));
  const until = midnight(from, zone, days);
  const asked = `from=${iso(from)}&until=${iso(until)}`;
  const timetable = useAnswer<Timetable>(`/api/capacity/timetable?${asked}`);
  const list = useAnswer<ReservationPage>(`/api/capacity/schedule?${asked}&limit=${DRAWN_MAX}`);
  const status = useAnswer<Status>("/api/capacity/status");

  const drafted = draft && spanOf(draft);
  const open = (chosen: Selection) => {
    opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    setSaid("");
    setDraft((before) => (before ? at(before, chosen) : draftFor(chosen, zone)));
  };
  const close = (message: string) => {
    setDraft(null);
    setSelection(null);
    setSaid(message);
    opener.current?.focus();
  };
  const choose = (chosen: Selection | null, isFinal: boolean) => {
    setSelection(chosen);
    if (chosen && isFinal) open(chosen);
    else if (chosen && draft) setDraft(at(draft, chosen));
  };
  const hour = 3_600_000;
  const next = Math.ceil(Math.max(nowMs, from) / hour) * hour;

  return (
    <Section id="calendar" title="Calendar" aside={<>{day(from, zone)}{days > 1 && <> to {day(until - 1, zone)}</>}, {zone}</>}>
      <div class="toolbar">
        <div class="group" role="group" aria-label="Range">
          {RANGES.map(([name, count]) => (
            <button key={name} type="button" aria-pressed={days === count} onClick={() => setDays(count)}>{name}</button>
          ))}
        </div>
        <div class="group" role="group" aria-label="Move">
          <button type="button" aria-label={`Previous ${name(days)}`} onClick={() => setChosenDay(midnight(from, zone, -days))}>‹</button>
          <button type="button" onClick={() => setChosenDay(null)}>Today</button>
          <button type="button" aria-label={`Next ${name(days)}`} onClick={() => setChosenDay(midnight(from, zone, days))}>›</button>
        </div>
        <button type="button" class="primary end" onClick={() => open(selection ?? { start: next, end: next + hour })}>Book a time</button>
      </div>
      <Answered of={list} what="The list of reservations">
        {(page) => (
          <Band shown={shownOf(from, until, days, zone, timetable, status)} reservations={page.reservations}
            selection={drafted ?? selection} onChoose={choose} nowMs={nowMs} />
        )}
      </Answered>
      {timetable.state === "absent" && <p class="soft hint">How much is booked over time is not served here; reservations are.</p>}
      <p role="status" class="said">{said}</p>
      {draft && (
        <BookingForm draft={draft} onDraft={setDraft} onClose={close}
          roles={status.state === "shown" ? Object.keys(status.value.available_slots) : []}
          regions={status.state === "shown" ? status.value.regions.map((it) => it.name).filter(Boolean) : []}
          known={list.state === "shown" ? list.value.reservations : []} />
      )}
    </Section>
  );
}

function shownOf(
  from: number, until: number, days: number, zone: string,
  timetable: ReturnType<typeof useAnswer<Timetable>>, status: ReturnType<typeof useAnswer<Status>>,
): Shown {
  const booked = timetable.state === "shown" ? timetable.value : null;
  const there = status.state === "shown" ? status.value : null;
  return {
    from, until, days, zone, stepMs: stepOf(days),
    stretches: booked?.stretches ?? [],
    capacityBytes: booked?.capacity_bytes ?? there?.capacity_bytes ?? null,
    readyBytes: booked?.ready_bytes ?? there?.ready_bytes ?? null,
  };
}

function spanOf(draft: Draft): Selection | null {
  const [start, end] = [momentOf(draft.start, draft.zone), momentOf(draft.end, draft.zone)];
  return start !== null && end !== null && end > start ? { start, end } : null;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function name(days: number): string {
  return days === 1 ? "day" : days === 7 ? "week" : "four weeks";
}
