// Cost: what the reservations to come are going to cost, by whose they are.
import { useAnswer, useLive } from "../api/live";
import type { Projection, Reservation, ReservationPage } from "../api/shapes";
import { Answered, Empty } from "../parts/answered";
import { Card, Section } from "../parts/section";
import { Table } from "../parts/table";
import { length, number, span } from "../reckon/format";
import { type Priced, byOwner, dearest, heldMs, money } from "../reckon/cost";

/** As many as a list has at once. */
const MOST = 500;
const OPEN = ["requested", "confirmed", "preparing", "active"];

export function Costs() {
  const { nowMs } = useLive();
  const from = new Date(nowMs).toISOString();
  const list = useAnswer<ReservationPage>(`/api/capacity/schedule?from=${from}&limit=${MOST}`);
  const open = list.state === "shown" ? list.value.reservations.filter((it) => OPEN.includes(it.state)) : null;
  return (
    <Section id="costs" title="Cost of what is booked">
      {open && open.length > 0 ? <Booked of={open} /> : (
        <Answered of={list} what="The list of reservations">{() => <Empty>Nothing is booked, so nothing costs anything.</Empty>}</Answered>
      )}
    </Section>
  );
}

function Booked({ of }: { of: Reservation[] }) {
  const experiments = of.map((it) => ({ roles: it.roles, expected_duration_minutes: Math.round(heldMs(it) / 60_000) }));
  const projections = useAnswer<{ projections: Projection[] }>("/api/capacity/project", { experiments });
  return (
    <Answered of={projections} what="Cost">
      {(it) => {
        const priced = of.map((reservation, index): Priced => ({ reservation, cost: it.projections[index]?.estimated_cost ?? null }));
        return (
          <div class="columns">
            <Card title="By owner">
              <Table label="Cost by owner" rows={byOwner(priced)} columns={[
                { head: "Owner", cell: (row) => row.owner },
                { head: "Reservations", cell: (row) => number(row.reservations), isNumber: true },
                { head: "Held", cell: (row) => length(row.heldMs), isNumber: true },
                { head: "Cost", cell: (row) => row.costs.map(money).join(", ") || "unknown", isNumber: true },
              ]} />
              <p class="soft">Their share of nodes' memory at p95, lead and tail included, at the price of a node.</p>
            </Card>
            <Card title="By reservation, the dearest first">
              <Table label="Cost by reservation" most={10} rows={dearest(priced)} columns={[
                { head: "Reservation", cell: (row) => row.reservation.title || row.reservation.id },
                { head: "When", cell: (row) => span(row.reservation.scheduled) },
                { head: "Cost", cell: (row) => (row.cost ? money(row.cost) : "unknown"), isNumber: true },
              ]} />
            </Card>
          </div>
        );
      }}
    </Answered>
  );
}
