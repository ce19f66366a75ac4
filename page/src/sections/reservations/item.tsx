// One reservation: what it is, what can be done with it, and what is done for it.
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, ask } from "../../api/client";
import { useLive } from "../../api/live";
import type { Reservation, Step } from "../../api/shapes";
import { clock, moment, people, plural, share, span, total } from "../../reckon/format";

interface Props {
  of: Reservation;
  zone: string;
  /** Somebody has followed a link to it. */
  isWanted: boolean;
  /** What became of a request, for who does not see it. */
  onSaid(text: string): void;
}

const OPEN = ["requested", "confirmed", "waitlisted", "preparing", "active", "degraded"];

export function Item({ of, zone, isWanted, onSaid }: Props) {
  const { refresh } = useLive();
  const [isCancelling, setCancelling] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!isWanted) return;
    setOpen(true);
    place.current?.focus({ preventScroll: true });
    place.current?.scrollIntoView({ block: "center" });
  }, [isWanted]);
  const name = of.title || of.id;
  const path = `/api/capacity/schedule/${of.id}`;
  const act = async (asked: Promise<unknown>, done: string) => {
    try {
      await asked;
      onSaid(done);
    } catch (error) {
      const hasChanged = error instanceof Problem && error.status === 412;
      onSaid(hasChanged ? `${name}: somebody has changed it meanwhile. Look at it again.` : `${name}: ${error instanceof Error ? error.message.split("\n")[0] : "no answer"}`);
    }
    setCancelling(false);
    refresh();
  };
  const cancel = () => act(ask(path, { method: "DELETE", headers: { "if-match": `"${of.revision}"` } }), `${name} is cancelled.`);
  const cancelAll = () => act(ask(`/api/capacity/series/${of.series_id}`, { method: "DELETE" }), `${name}: all that was to come is cancelled.`);
  const confirm = () => act(ask(`${path}/confirm`, { method: "POST" }), `${name} is confirmed.`);

  return (
    <li ref={place} id={`reservation-${of.id}`} class={isWanted ? "reservation wanted" : "reservation"} tabIndex={-1}>
      <div class="what">
        <h3>{name}</h3>
        <p class="soft">{of.owner}{of.region && <>, {of.region}</>}{of.series_id && ", repeats"}</p>
      </div>
      <p class="when"><time dateTime={of.scheduled.start}>{span(of.scheduled, zone)}</time></p>
      <p class="who" title={people(of.roles)}>{plural(total(of.roles), "person", "people")}{of.rooms > 0 && <span class="soft"> in {plural(of.rooms, "room")}</span>}</p>
      <p><span class={`state ${of.state}`}>{of.state === "requested" ? "held" : of.state}</span></p>
      <div class="actions">
        {of.state === "requested" && <button type="button" class="primary" onClick={() => void confirm()}>Confirm<span class="unseen"> {name}</span></button>}
        {OPEN.includes(of.state) && !isCancelling && <button type="button" onClick={() => setCancelling(true)}>Cancel<span class="unseen"> {name}</span></button>}
        {isCancelling && (
          <>
            <button type="button" class="danger" ref={(button) => button?.focus()} onClick={() => void cancel()}>Yes, cancel it</button>
            {of.series_id && <button type="button" class="danger" onClick={() => void cancelAll()}>All that are to come</button>}
            <button type="button" onClick={() => setCancelling(false)}>Keep it</button>
          </>
        )}
        {!isCancelling && <button type="button" class="plain" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{isOpen ? "Less" : "More"}<span class="unseen"> of {name}</span></button>}
      </div>
      {isOpen && <div class="more">
        <dl class="facts">
          <div><dt>people</dt><dd>{people(of.roles)}</dd></div>
          <div><dt>holds capacity</dt><dd>{span(of.held, zone)}</dd></div>
          <div><dt>chance to be short</dt><dd>at most {share(of.risk)}</dd></div>
          {of.state === "requested" && of.hold_until && <div><dt>held until</dt><dd>{clock(of.hold_until, zone)}</dd></div>}
          <div><dt>id</dt><dd><code>{of.id}</code></dd></div>
        </dl>
        {of.timeline && of.timeline.length > 0 && <Timeline of={of.timeline} zone={zone} />}
      </div>}
    </li>
  );
}

const STEPS: Record<string, string> = {
  compute: "what it takes is reckoned", scale: "pods are asked for", ready: "pods are ready", health: "pods are well",
  start: "it starts", end: "it ends", scale_down: "pods are given back",
};

function Timeline({ of, zone }: { of: Step[]; zone: string }) {
  return (
    <ol class="timeline">
      {of.map((it) => (
        <li key={it.step} class={it.state}>
          <time dateTime={it.at}>{moment(it.at, zone)}</time> {STEPS[it.step] ?? it.step}: <b>{it.state}</b>{it.detail && <span class="soft">, {it.detail}</span>}
        </li>
      ))}
    </ol>
  );
}
