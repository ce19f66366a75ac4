// Builds and plans: what else Plimsoll knows on this machine.
import { useAnswer } from "../api/live";
import type { Build, Plan } from "../api/shapes";
import { Answered, Empty } from "../parts/answered";
import { Card, Section } from "../parts/section";
import { Table } from "../parts/table";
import { memory, moment, number, share } from "../reckon/format";

export function Builds() {
  const builds = useAnswer<{ builds: Build[] }>("/api/builds");
  const plans = useAnswer<{ plans: Plan[] }>("/api/plans");
  return (
    <Section id="builds" title="Builds and right-sizing">
      <Card title="Builds">
        <Answered of={builds} what="What builds took">
          {(it) => (it.builds.length === 0 ? <Empty>No build is remembered. Run one with <code>plimsoll run -- COMMAND</code>.</Empty> : (
            <Table label="Builds" rows={it.builds} columns={[
              { head: "Job", cell: (row) => row.job },
              { head: "Project", cell: (row) => row.project },
              { head: "Runs", cell: (row) => number(row.runs), isNumber: true },
              { head: "Last", cell: (row) => `${row.last}, ${moment(row.last_at)}` },
              { head: "Mode", cell: (row) => row.mode },
              { head: "Peak", cell: (row) => memory(row.peak_bytes), isNumber: true },
              { head: "Request", cell: (row) => memory(row.request_bytes), isNumber: true },
              { head: "Limit", cell: (row) => memory(row.limit_bytes), isNumber: true },
            ]} />
          ))}
        </Answered>
      </Card>
      <Card title="Right-sizing plans">
        <Answered of={plans} what="Right-sizing">
          {(it) => (it.plans.length === 0 ? <Empty>There is no plan. Make one with <code>plimsoll plan</code>.</Empty> : (
            <Table label="Plans" rows={it.plans} columns={[
              { head: "Plan", cell: (row) => <code>{row.id}</code> },
              { head: "Made", cell: (row) => moment(row.made_at) },
              { head: "State", cell: (row) => row.state.replaceAll("_", " ") },
              { head: "Workloads", cell: (row) => number(row.workloads), isNumber: true },
              { head: "Requested before", cell: (row) => memory(row.requested_before_bytes), isNumber: true },
              { head: "After", cell: (row) => memory(row.requested_after_bytes), isNumber: true },
              { head: "Change", cell: (row) => (row.requested_before_bytes > 0 ? share(row.requested_after_bytes / row.requested_before_bytes - 1) : "unknown"), isNumber: true },
            ]} />
          ))}
        </Answered>
      </Card>
    </Section>
  );
}
