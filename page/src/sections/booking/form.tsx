// A booking, while it is written: what is asked for on the left, what would be answered on the right.
import { useEffect, useRef, useState } from "preact/hooks";
import { answer, newKey } from "../../api/client";
import { useLive } from "../../api/live";
import type { Decision, ProblemBody, Reservation } from "../../api/shapes";
import { type Draft, asked, at } from "../../reckon/draft";
import { span } from "../../reckon/format";
import { type Offer, type Verdict, verdict } from "../../reckon/verdict";
import { Fields } from "./fields";
import { useVerdict } from "./live-verdict";
import { VerdictView } from "./verdict-view";

const HOLD_MINUTES = 15;

interface Props {
  draft: Draft;
  onDraft(draft: Draft): void;
  /** It is over, and what became of it. */
  onClose(message: string): void;
  /** Roles and regions that the server knows. */
  roles: string[];
  regions: string[];
  /** Reservations whose titles are known. */
  known: Reservation[];
}

export function BookingForm({ draft, onDraft, onClose, roles, regions, known }: Props) {
  const { refresh } = useLive();
  const live = useVerdict(draft);
  const [refused, setRefused] = useState<{ of: Draft; verdict: Verdict } | null>(null);
  const [isSending, setSending] = useState(false);
  const title = useRef<HTMLInputElement>(null);
  // The same request has the same key, however often it is sent.
  const key = useRef<{ body: string; key: string }>({ body: "", key: "" });
  useEffect(() => {
    title.current?.focus({ preventScroll: true });
    title.current?.closest("form")?.scrollIntoView({ block: "nearest" });
  }, []);

  const send = async (holdMinutes?: number) => {
    const request = asked(draft);
    if (typeof request === "string" || isSending) return;
    const body = { ...request, ...(holdMinutes && { hold_minutes: holdMinutes }) };
    const text = JSON.stringify(body);
    if (key.current.body !== text) key.current = { body: text, key: newKey() };
    setSending(true);
    try {
      const found = await answer("/api/capacity/schedule", { method: "POST", body, headers: { "idempotency-key": key.current.key } });
      const said = found.body as Decision;
      refresh();
      if (found.status < 300) onClose(became(said, draft.zone));
      else setRefused({ of: draft, verdict: verdict({ status: found.status, body: found.body as ProblemBody }) });
    } catch {
      setRefused({ of: draft, verdict: { ...verdict({ status: 0, body: {} }), because: "It may be sent again: nothing is booked twice." } });
    } finally {
      setSending(false);
    }
  };
  const take = (offer: Offer) => {
    if (offer.kind === "time") onDraft(at(draft, offer.span));
    if (offer.kind === "count") onDraft({ ...draft, roles: { ...draft.roles, ...offer.roles } });
    if (offer.kind === "wait") onDraft({ ...draft, mayWait: true });
  };
  // What was refused holds until something else is asked for.
  const shown = refused?.of === draft ? refused.verdict : live.verdict;
  const isGood = shown?.kind === "fits" || (shown?.kind === "fits_if" && shown.headline.startsWith("Fits if it waits"));
  const waits = isGood && shown?.kind === "fits_if";

  return (
    <form class="booking card" aria-labelledby="booking-title"
      onSubmit={(event) => { event.preventDefault(); void send(); }}
      onKeyDown={(event) => { if (event.key === "Escape") onClose("Nothing was booked."); }}>
      <div class="heading">
        <h3 id="booking-title">Book a time</h3>
        <button type="button" class="plain" onClick={() => onClose("Nothing was booked.")}>Close</button>
      </div>
      <div class="booking-parts">
        <Fields draft={draft} onDraft={onDraft} roles={roles} regions={regions} title={title} />
        <div class="answer">
          <VerdictView verdict={shown} isAsking={live.isAsking} asked={draft.roles} zone={draft.zone} known={known} onTake={take} />
          <div class="row buttons">
            <button class="primary" type="submit" disabled={!isGood || isSending || live.isAsking}>{waits ? "Wait for a place" : "Book it"}</button>
            {!waits && draft.repeat === "never" && (
              <button type="button" disabled={!isGood || isSending || live.isAsking} onClick={() => void send(HOLD_MINUTES)}>Hold it for {HOLD_MINUTES} min</button>
            )}
          </div>
        </div>
      </div>
    </form>
  );
}

/** What became of a booking, in a sentence. */
function became(of: Decision, zone: string): string {
  const { reservation, occurrences = [] } = of;
  const name = reservation.title || reservation.id;
  const when = occurrences.length > 1 ? `${occurrences.length} times from ${span(reservation.scheduled, zone)}` : span(reservation.scheduled, zone);
  switch (reservation.state) {
    case "waitlisted": return `${name} waits for a place: ${when}.`;
    case "requested": return `${name} is held, and has to be confirmed: ${when}.`;
    default: return `${name} is booked: ${when}.`;
  }
}
