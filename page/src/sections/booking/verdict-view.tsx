// Whether it would fit, why, and what would do instead.
import type { Counts, Reservation } from "../../api/shapes";
import { plural, span } from "../../reckon/format";
import { type Offer, type Verdict, fewer } from "../../reckon/verdict";

interface Props {
  verdict: Verdict | null;
  isAsking: boolean;
  asked: Counts;
  zone: string;
  known: Reservation[];
  onTake(offer: Offer): void;
}

/** Holders that are named; of the others it is said how many there are. */
const NAMED_MAX = 3;

export function VerdictView({ verdict, isAsking, asked, zone, known, onTake }: Props) {
  return (
    <div class={`verdict ${verdict?.kind ?? ""}`} aria-busy={isAsking}>
      <div role="status" aria-live="polite">
        <p class="headline">
          {verdict ? verdict.headline : "Asking …"}
          {verdict && verdict.offers.length > 0 && <span class="unseen"> {verdict.offers.map((it) => offered(it, asked, zone)).join(", or ")}</span>}
        </p>
        {verdict?.because && verdict.offers.length === 0 && <p>{verdict.because}</p>}
      </div>
      {verdict && verdict.offers.length > 0 && (
        <ul class="offers">
          {verdict.offers.map((offer, index) => (
            <li key={offer.kind}>
              <span>{index > 0 && "or "}{offered(offer, asked, zone)}</span>
              <button type="button" onClick={() => onTake(offer)}>{TAKE[offer.kind]}</button>
            </li>
          ))}
        </ul>
      )}
      {verdict?.because && verdict.offers.length > 0 && <p><b>As asked it does not:</b> {verdict.because}</p>}
      {verdict && verdict.facts.length > 0 && (
        <dl class="facts">
          {verdict.facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
          {verdict.heldByCount > 0 && <div><dt>held by</dt><dd>{holders(verdict, known)}</dd></div>}
        </dl>
      )}
    </div>
  );
}

const TAKE: Record<Offer["kind"], string> = { time: "Take this time", count: "Take so many", wait: "Let it wait" };

function offered(offer: Offer, asked: Counts, zone: string): string {
  switch (offer.kind) {
    case "time": return `it is ${span(offer.span, zone)}`;
    case "count": return `there are ${fewer(asked, offer.roles)}`;
    case "wait": return "it waits until there is a place";
  }
}

function holders({ heldBy, heldByCount }: Verdict, known: Reservation[]) {
  const named = heldBy.slice(0, NAMED_MAX).map((id) => known.find((it) => it.id === id) ?? id);
  const rest = heldByCount - named.length;
  return (
    <>
      {named.map((it, index) => (
        <span key={index}>{index > 0 && ", "}{typeof it === "string" ? <code>{it.slice(0, 8)}</code> : <a href={`#reservation-${it.id}`}>{it.title || it.id.slice(0, 8)}</a>}</span>
      ))}
      {rest > 0 && ` and ${plural(rest, "other")}`}
    </>
  );
}
