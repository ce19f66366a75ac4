// The band: time from left to right, memory upwards. A time is chosen on it by dragging, or by keys.
import type { TargetedPointerEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Reservation, Stretch } from "../../api/shapes";
import { Picture } from "../../parts/table";
import { useWidth } from "../../parts/width";
import { length, memory, moment, number, plural, span } from "../../reckon/format";
import { scale } from "../../reckon/scale";
import { type Selection, dragged, keyed } from "../../reckon/selection";
import { Drawing, PLOT } from "./drawing";

export interface Shown {
  from: number;
  until: number;
  days: number;
  zone: string;
  stepMs: number;
  stretches: Stretch[];
  capacityBytes: number | null;
  readyBytes: number | null;
}

interface Props {
  shown: Shown;
  reservations: Reservation[];
  selection: Selection | null;
  /** Chosen; finally, when a pointer is lifted or Enter is pressed. */
  onChoose(selection: Selection | null, isFinal: boolean): void;
  nowMs: number;
}

export function Band({ shown, reservations, selection, onChoose, nowMs }: Props) {
  const [place, width] = useWidth<HTMLDivElement>();
  const [hover, setHover] = useState<number | null>(null);
  const began = useRef<number | null>(null);
  const { from, until, zone } = shown;
  const x = scale([from, until], [PLOT.left, Math.max(PLOT.left, width - PLOT.right)]);

  const timeAt = (event: TargetedPointerEvent<HTMLElement>) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    return Math.min(until, Math.max(from, x.at(event.clientX - left)));
  };
  const down = (event: TargetedPointerEvent<HTMLElement>) => {
    if (event.button !== 0 || (event.target as Element).closest("a")) return;
    began.current = timeAt(event);
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event: TargetedPointerEvent<HTMLElement>) => {
    const here = timeAt(event);
    setHover(here);
    if (began.current !== null) onChoose(dragged(began.current, here, shown, nowMs), false);
  };
  const up = (event: TargetedPointerEvent<HTMLElement>) => {
    if (began.current === null) return;
    onChoose(dragged(began.current, timeAt(event), shown, nowMs), true);
    began.current = null;
  };
  // A finger that scrolls the page was not dragging here.
  const cancel = () => {
    if (began.current !== null) onChoose(null, false);
    began.current = null;
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && selection) onChoose(selection, true);
    else if (event.key === "Escape" && selection) onChoose(null, false);
    else {
      const next = keyed(event.key, event.shiftKey, selection, shown, nowMs);
      if (!next) return;
      onChoose(next, false);
    }
    event.preventDefault();
  };

  return (
    <Picture label="Booked over time" rows={shown.stretches} most={400} columns={[
      { head: "From", cell: (it: Stretch) => moment(it.start, zone) },
      { head: "Until", cell: (it) => moment(it.end, zone) },
      { head: "p50", cell: (it) => memory(it.p50_bytes), isNumber: true },
      { head: "p95", cell: (it) => memory(it.p95_bytes), isNumber: true },
      { head: "p99", cell: (it) => memory(it.p99_bytes), isNumber: true },
      { head: "People", cell: (it) => number(it.people), isNumber: true },
      { head: "Rooms", cell: (it) => number(it.rooms), isNumber: true },
      { head: "Reservations", cell: (it) => number(it.reservations), isNumber: true },
    ]} caption={<Legend shown={shown} />}>
      <p class="readout" aria-live={selection ? "polite" : "off"}>{readout(shown, selection, hover ?? nowMs, hover === null)}</p>
      <div ref={place} class="band" role="application" tabIndex={0} aria-roledescription="calendar band"
        aria-label={`Booked from ${span({ start: from, end: until - 1 }, zone)}`} aria-describedby="band-help"
        onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={cancel}
        onPointerLeave={() => setHover(null)} onKeyDown={key}>
        {width > 0 && <Drawing shown={shown} reservations={reservations} selection={selection} hover={hover} nowMs={nowMs} width={width} x={x} />}
      </div>
      <p id="band-help" class="soft hint">
        Drag over the band to book. With the keyboard: arrow keys choose and move a time, with Shift they make it longer or shorter, Enter books it.
      </p>
    </Picture>
  );
}

/** What lies under the pointer, or what is chosen, in words. */
function readout(shown: Shown, selection: Selection | null, at: number, isNow: boolean): string {
  const { zone } = shown;
  if (selection) return `Chosen: ${span(selection, zone)}, ${length(selection.end - selection.start)}`;
  const stretch = shown.stretches.find((it) => Date.parse(it.start) <= at && at < Date.parse(it.end));
  const booked = stretch && `p50 ${memory(stretch.p50_bytes)}, p95 ${memory(stretch.p95_bytes)}, ${plural(stretch.people, "person", "people")} in ${plural(stretch.reservations, "reservation")}`;
  if (isNow && !booked) return "";
  return [isNow ? "Now" : moment(at, zone), booked].filter(Boolean).join(": ");
}

function Legend({ shown }: { shown: Shown }) {
  return (
    <span class="legend">
      {shown.stretches.length > 0 && <><span><i class="p50" />booked, p50</span><span><i class="p95" />booked, p95</span></>}
      {shown.capacityBytes !== null && <span><i class="capacity" />capacity {memory(shown.capacityBytes)}</span>}
      {shown.readyBytes !== null && <span><i class="ready" />ready {memory(shown.readyBytes)}</span>}
      <span><i class="bar confirmed" />reserved</span>
      <span><i class="bar requested" />held</span>
      <span><i class="bar waitlisted" />waits</span>
      <span><i class="bar degraded" />degraded</span>
    </span>
  );
}
