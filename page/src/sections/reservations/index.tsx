// The list of reservations.
import { useEffect, useState } from "preact/hooks";
import { useAnswer, useLive } from "../../api/live";
import type { ReservationPage } from "../../api/shapes";
import { Answered, Empty } from "../../parts/answered";
import { Field } from "../../parts/field";
import { Section } from "../../parts/section";
import { localZone } from "../../reckon/zones";
import { Item } from "./item";

const STATES = ["requested", "confirmed", "waitlisted", "preparing", "active", "degraded", "completed", "cancelled", "rejected", "expired"];
const OVER = ["completed", "cancelled", "rejected", "expired"];
const STEP = 12;
/** The most that the API lists at once. */
const MOST = 500;
/** What is over is listed for so long. */
const BACK_MS = 30 * 86_400_000;

function fromHash(): string | null {
  return /^#reservation-(\w+)$/.exec(location.hash)?.[1] ?? null;
}

export function Reservations() {
  const { nowMs } = useLive();
  const [state, setState] = useState("");
  const [limit, setLimit] = useState(STEP);
  const [said, setSaid] = useState("");
  const [wanted, setWanted] = useState(fromHash);
  useEffect(() => {
    // A bar of the calendar, or a holder that is named, may be further down than is listed.
    const look = () => {
      const id = fromHash();
      setWanted(id);
      if (id && !document.getElementById(`reservation-${id}`)) { setState(""); setLimit(MOST); }
    };
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  const from = new Date(OVER.includes(state) ? nowMs - BACK_MS : nowMs).toISOString();
  const list = useAnswer<ReservationPage>(`/api/capacity/schedule?from=${from}&limit=${limit}${state && `&state=${state}`}`);
  const choice = (
    <Field class="inline" label="Show">
      {(id) => (
        <select id={id} value={state} onChange={(event) => { setState(event.currentTarget.value); setLimit(STEP); }}>
          <option value="">now and to come</option>
          {STATES.map((it) => <option key={it} value={it}>{it}</option>)}
        </select>
      )}
    </Field>
  );
  return (
    <Section id="reservations" title="Reservations" aside={choice}>
      <p role="status" class="said">{said}</p>
      <Answered of={list} what="The list of reservations">
        {({ reservations, next }) => {
          const shown = reservations.filter((it) => (state ? it.state === state : !OVER.includes(it.state)));
          return (
            <>
              {shown.length === 0 && !next && (
                <Empty>{state ? `None is ${state}.` : "Nothing is reserved. Drag over the calendar, or press Book a time."}</Empty>
              )}
              <ul class="reservations">
                {shown.map((it) => <Item key={it.id} of={it} zone={localZone()} isWanted={it.id === wanted} onSaid={setSaid} />)}
              </ul>
              {next && limit < MOST && <button type="button" onClick={() => setLimit(Math.min(MOST, limit + 2 * STEP))}>Show more</button>}
              {next && limit >= MOST && <p class="soft">The first {MOST}; the API has all.</p>}
            </>
          );
        }}
      </Answered>
    </Section>
  );
}
