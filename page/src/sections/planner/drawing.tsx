// What is drawn of the band: days, areas of what is booked, lines of what there is, and a bar for each reservation.
import type { Reservation } from "../../api/shapes";
import { memory, number, shortDay, span } from "../../reckon/format";
import { type Scale, rows, scale, steps, ticks } from "../../reckon/scale";
import type { Selection } from "../../reckon/selection";
import { midnight, wallAt, weekday } from "../../reckon/zones";
import type { Shown } from "./band";

export const PLOT = { left: 56, right: 8, top: 40, height: 216 };
const LANE = 24;
/** Rows of bars that are drawn; the list has the rest. */
const LANES_MAX = 8;
const NOT_DRAWN = ["cancelled", "rejected", "expired"];

interface Props {
  shown: Shown;
  reservations: Reservation[];
  selection: Selection | null;
  hover: number | null;
  nowMs: number;
  width: number;
  x: Scale;
}

export function Drawing({ shown, reservations, selection, hover, nowMs, width, x }: Props) {
  const { from, until, capacityBytes, readyBytes, stretches } = shown;
  const drawn = reservations.filter((it) => !NOT_DRAWN.includes(it.state));
  const lanes = rows(drawn.map(({ held }) => ({ start: Date.parse(held.start), end: Date.parse(held.end) })));
  const laneCount = Math.min(LANES_MAX, Math.max(1, ...lanes.map((lane) => lane + 1)));
  const floor = PLOT.top + PLOT.height;
  const high = Math.max(capacityBytes ?? 0, ...stretches.map((it) => it.p95_bytes)) * 1.06;
  const y = scale([0, high], [floor, PLOT.top]);
  const bottom = floor + 12 + laneCount * LANE;
  const clamp = (at: number) => x(Math.min(until, Math.max(from, at)));
  const outline = (of: (it: Shown["stretches"][number]) => number) =>
    steps(stretches.map((it) => ({ from: clamp(Date.parse(it.start)), until: clamp(Date.parse(it.end)), top: y(of(it)) })), floor);
  const hidden = lanes.filter((lane) => lane >= LANES_MAX).length;
  return (
    <svg width={width} height={bottom + (hidden ? 20 : 4)} aria-hidden="true">
      <Patterns />
      <Days shown={shown} x={x} bottom={bottom} />
      {high > 0 && ticks(high, 4).map((bytes) => (
        <g key={bytes} class="tick">
          <line x1={PLOT.left} x2={x(until)} y1={y(bytes)} y2={y(bytes)} />
          <text x={PLOT.left - 8} y={y(bytes) + 4} text-anchor="end">{memory(bytes)}</text>
        </g>
      ))}
      <path class="p95" d={outline((it) => it.p95_bytes)} />
      <path class="p50" d={outline((it) => it.p50_bytes)} />
      {capacityBytes !== null && <line class="capacity" x1={PLOT.left} x2={x(until)} y1={y(capacityBytes)} y2={y(capacityBytes)} />}
      {readyBytes !== null && <line class="ready" x1={PLOT.left} x2={x(until)} y1={y(readyBytes)} y2={y(readyBytes)} />}
      {nowMs > from && nowMs < until && (
        <g class="now">
          <rect class="past" x={PLOT.left} y={PLOT.top} width={x(nowMs) - PLOT.left} height={bottom - PLOT.top} />
          <line x1={x(nowMs)} x2={x(nowMs)} y1={PLOT.top} y2={bottom} />
          <text x={x(nowMs)} y={PLOT.top - 6} text-anchor="middle">now</text>
        </g>
      )}
      {drawn.map((it, index) => lanes[index]! < LANES_MAX && (
        <Bar key={it.id} of={it} y={floor + 12 + lanes[index]! * LANE} clamp={clamp} zone={shown.zone} until={nextIn(drawn, lanes, index, clamp, x(until))} />
      ))}
      {hidden > 0 && <text x={PLOT.left} y={bottom + 14}>{number(hidden)} more are in the list</text>}
      {hover !== null && !selection && <line class="hover" x1={x(hover)} x2={x(hover)} y1={PLOT.top} y2={bottom} />}
      {selection && selection.end > from && selection.start < until && (
        <g class="selection">
          <rect x={clamp(selection.start)} y={PLOT.top} width={Math.max(2, clamp(selection.end) - clamp(selection.start))} height={bottom - PLOT.top} />
        </g>
      )}
    </svg>
  );
}

/** Names of days, a line where each begins, weekends a little darker; of one day the hours. */
function Days({ shown, x, bottom }: { shown: Shown; x: Scale; bottom: number }) {
  const { from, until, days, zone } = shown;
  const starts = Array.from({ length: days }, (_, index) => midnight(from, zone, index));
  const dayWidth = x(midnight(from, zone, 1)) - x(from);
  // So that names do not run into each other.
  const each = dayWidth >= 48 ? 1 : dayWidth >= 30 ? 2 : 7;
  const isNarrow = x(until) - x(from) < 420;
  const hours = days === 1 ? Array.from({ length: 8 }, (_, index) => from + index * 3 * 3_600_000) : [];
  return (
    <g class="days">
      {starts.map((at, index) => (
        <g key={at}>
          {days > 1 && weekday(at, zone) > 4 && <rect x={x(at)} y={PLOT.top} width={x(starts[index + 1] ?? until) - x(at)} height={bottom - PLOT.top} />}
          <line x1={x(at)} x2={x(at)} y1={PLOT.top} y2={bottom} />
          {days > 1 && index % each === 0 && <text x={x(at) + 4} y={16}>{shortDay(at, zone)}</text>}
        </g>
      ))}
      {hours.map((at, index) => (
        <g key={at}>
          <line x1={x(at)} x2={x(at)} y1={PLOT.top} y2={bottom} />
          {(!isNarrow || index % 2 === 0) && <text x={x(at) + 4} y={16}>{wallAt(at, zone).slice(11)}</text>}
        </g>
      ))}
    </g>
  );
}

/** Where the next bar of the same row begins. */
function nextIn(all: Reservation[], lanes: number[], index: number, clamp: (at: number) => number, right: number): number {
  const start = (of: Reservation) => Date.parse(of.held.start);
  const later = all.filter((it, other) => lanes[other] === lanes[index] && start(it) > start(all[index]!));
  return Math.min(right, ...later.map((it) => clamp(start(it))));
}

interface BarProps {
  of: Reservation;
  y: number;
  clamp: (at: number) => number;
  zone: string;
  /** Where there has to be room for the next one. */
  until: number;
}

function Bar({ of, y, clamp, zone, until: limit }: BarProps) {
  const places = (it: Reservation["held"]) => [clamp(Date.parse(it.start)), clamp(Date.parse(it.end))] as const;
  const [from, until] = places(of.held);
  const [start, end] = places(of.scheduled);
  const title = of.title || of.id;
  // A letter takes about 6.6 px. What has no place inside stands beside it.
  const letters = (px: number) => Math.floor((px - 8) / 6.6);
  const isInside = letters(end - start) >= Math.min(title.length, 8);
  const room = letters(isInside ? end - start : limit - until);
  return (
    <a class={`bar ${of.state}`} href={`#reservation-${of.id}`} tabindex={-1}>
      <title>{`${title}, ${of.state}: ${span(of.scheduled, zone)}`}</title>
      <rect class="held" x={from} y={y + 6} width={Math.max(2, until - from)} height={8} rx={2} />
      <rect class="scheduled" x={start} y={y} width={Math.max(3, end - start)} height={20} rx={3} />
      {room > 3 && <text class={isInside ? "inside" : undefined} x={isInside ? start + 5 : until + 4} y={y + 14}>{title.length > room ? `${title.slice(0, room - 1)}…` : title}</text>}
    </a>
  );
}

/** States differ by pattern too, as not everybody tells colours apart. */
function Patterns() {
  return (
    <defs>
      <pattern id="waits" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect class="ground" width="6" height="6" /><line class="stroke" x1="0" y1="0" x2="0" y2="6" />
      </pattern>
    </defs>
  );
}
