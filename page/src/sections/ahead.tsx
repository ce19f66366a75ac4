// Ahead: how many pods are to be there for what is booked, and what was done for that.
import { useAnswer } from "../api/live";
import type { Scaling } from "../api/shapes";
import { Answered, Empty } from "../parts/answered";
import { Card, Section } from "../parts/section";
import { Table } from "../parts/table";
import { moment, number, plural } from "../reckon/format";

export function Ahead() {
  const scaling = useAnswer<Scaling>("/api/capacity/scaling");
  return (
    <Section id="ahead" title="Ahead of the schedule">
      <Answered of={scaling} what="Scaling ahead of the schedule">
        {(it) => (
          <>
            <p class={it.dry_run ? "note" : "soft"}>{it.dry_run
              ? "Dry run: what would be scaled is shown, and nothing is changed."
              : `Scales by ${it.via ?? "nothing that is configured"}.`}</p>
            <div class="columns">
              <Card title="Pods that are wanted">
                {it.targets.length === 0 ? <Empty>Nothing is booked that needs other pods than there are.</Empty> : (
                  <Table label="Targets" rows={it.targets} columns={[
                    { head: "Region", cell: (row) => row.region || "the only one" },
                    { head: "Now", cell: (row) => number(row.pods_now), isNumber: true },
                    { head: "Wanted", cell: (row) => <b class={row.pods > row.pods_now ? "more" : ""}>{number(row.pods)}</b>, isNumber: true },
                    { head: "Nodes", cell: (row) => (row.nodes === null ? "any" : number(row.nodes)), isNumber: true },
                    { head: "For", cell: (row) => plural(row.for_ids.length, "reservation") },
                  ]} />
                )}
              </Card>
              <Card title="Latest steps">
                {it.log.length === 0 ? <Empty>No step was taken yet: the first comes half an hour before a reservation starts.</Empty> : (
                  <Table label="Steps" most={30} rows={it.log} columns={[
                    { head: "When", cell: (row) => moment(row.at) },
                    { head: "Region", cell: (row) => row.region },
                    { head: "Step", cell: (row) => row.step.replaceAll("_", " ") },
                    { head: "Outcome", cell: (row) => row.outcome.replaceAll("_", " ") },
                    { head: "Detail", cell: (row) => row.detail ?? "" },
                  ]} />
                )}
              </Card>
            </div>
          </>
        )}
      </Answered>
    </Section>
  );
}
