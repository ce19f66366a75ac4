// Now: what is used and by whom, what there is, what would still fit, and what binds.
import { useAnswer, useLive } from "../api/live";
import type { Region, Slots, Status, Timetable, Used } from "../api/shapes";
import { Answered, Empty } from "../parts/answered";
import { Card, Section, Stat } from "../parts/section";
import { Table } from "../parts/table";
import { byRole, clock, memory, number, people, plural, role } from "../reckon/format";
import { LoadLine } from "./loadline";

export function Now() {
  const { nowMs } = useLive();
  const status = useAnswer<Status>("/api/capacity/status");
  const [from, until] = [nowMs, nowMs + 3_600_000].map((at) => new Date(at).toISOString().slice(0, 19) + "Z");
  const timetable = useAnswer<Timetable>(`/api/capacity/timetable?from=${from}&until=${until}`);
  const booked = timetable.state === "shown" ? timetable.value.stretches[0] ?? null : null;
  const aside = status.state === "shown" && <>as of <time dateTime={status.value.as_of}>{clock(status.value.as_of)}</time></>;
  return (
    <Section id="now" title="Now" aside={aside}>
      <Answered of={status} what="What there is">
        {(it) => (
          <>
            <div class="panel">
              <Stats of={it} bookedBytes={booked?.p95_bytes ?? null} people={booked?.people ?? null} />
              <LoadLine status={it} booked={booked} />
            </div>
            <div class="columns">
              <Free of={it} />
              <Regions of={it.regions} />
            </div>
            <ByWhom used={it.used} />
          </>
        )}
      </Answered>
    </Section>
  );
}

function Stats({ of, bookedBytes, people: expected }: { of: Status; bookedBytes: number | null; people: number | null }) {
  const pods = of.regions.reduce((sum, region) => sum + region.pods, 0);
  const most = of.regions.reduce((sum, region) => sum + region.most_pods, 0);
  const count = (state: string) => of.reservations[state] ?? 0;
  const ahead = count("confirmed") + count("preparing");
  return (
    <dl class="stats">
      <Stat name="Used now" value={of.used ? memory(of.used.memory_bytes) : "unknown"}
        more={of.used ? `in ${plural(of.used.pods.length, "pod")}` : "nothing is observed"} />
      <Stat name="Booked now" value={bookedBytes === null ? "unknown" : memory(bookedBytes)}
        more={expected === null ? "at p95" : `at p95, for ${plural(expected, "person", "people")}`} />
      <Stat name="Ready for people" value={memory(of.ready_bytes)} more={`in ${plural(pods, "pod")} that run`} />
      <Stat name="Capacity for people" value={memory(of.capacity_bytes)} more={`in up to ${plural(most, "pod")}`} />
      <Stat name="Reservations" value={number(count("active"))}
        more={`active, ${number(ahead)} ahead, ${number(count("waitlisted"))} waiting${count("degraded") ? `, ${number(count("degraded"))} degraded` : ""}`} />
    </dl>
  );
}

function Free({ of }: { of: Status }) {
  const rows: [string, Slots][] = byRole(of.available_slots).map(([name, slots]) => [role(name), slots]);
  rows.push(["rooms of five with video", of.available_rooms]);
  return (
    <Card title="Would still fit for the next hour">
      <Table label="Free for the next hour" rows={rows} columns={[
        { head: "Only", cell: ([name]) => name },
        { head: "In pods that run", cell: ([, slots]) => number(slots.ready), isNumber: true },
        { head: "In all pods", cell: ([, slots]) => number(slots.most), isNumber: true },
      ]} />
      <p class="soft">Each alone, beside what is booked. {of.profile === "assumed" && "What people take is assumed, as too little was observed."}</p>
    </Card>
  );
}

function Regions({ of }: { of: Region[] }) {
  return (
    <Card title={of.length > 1 ? "Region by region" : "Pods"}>
      <Table label="Regions" rows={of} columns={[
        { head: "Region", cell: (it) => it.name || "the only one" },
        { head: "Pods", cell: (it) => `${it.pods} of ${it.most_pods}`, isNumber: true },
        { head: "Limit", cell: (it) => memory(it.pod_limit_bytes), isNumber: true },
        { head: "Free rooms", cell: (it) => `${number(it.available_rooms.ready)} of ${number(it.available_rooms.most)}`, isNumber: true },
        { head: "What binds", cell: (it) => (it.binds === "nodes" ? "nodes' memory" : "most pods") },
      ]} />
      <p class="soft">Pods that run, of as many as there may be; rooms of five that still fit in either.</p>
    </Card>
  );
}

function ByWhom({ used }: { used: Used | null | undefined }) {
  return (
    <Card title="Who uses it">
      {!used ? (
        <Empty>
          No app was observed lately. Name its metrics in <code>plimsoll.yaml</code>, or send what it uses
          to <a href="/docs">POST /api/capacity/observations</a>.
        </Empty>
      ) : (
        <>
          <p>{people(used.roles)} <span class="soft">as of {clock(used.as_of)}</span></p>
          <Table label="Pods" rows={used.pods} columns={[
            { head: "Pod", cell: (it) => <code>{it.pod}</code> },
            { head: "Memory", cell: (it) => memory(it.memory_bytes), isNumber: true },
            { head: "People", cell: (it) => people(it.roles) },
            { head: "Connections", cell: (it) => (it.connections === null ? "unknown" : number(it.connections)), isNumber: true },
            { head: "Version", cell: (it) => it.version },
            { head: "Seen", cell: (it) => clock(it.at) },
          ]} />
        </>
      )}
    </Card>
  );
}
