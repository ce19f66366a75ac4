// Profiles: what one of each role takes, how sure that is, and what it was learned from.
import { useState } from "preact/hooks";
import { useAnswer } from "../../api/live";
import type { Profile, Profiling } from "../../api/shapes";
import { Answered, Empty } from "../../parts/answered";
import { Field } from "../../parts/field";
import { Card, Section } from "../../parts/section";
import { Table } from "../../parts/table";
import { megabytes, moment, number, plural, share } from "../../reckon/format";
import { Coefficients } from "./coefficients";
import { Fit } from "./fit";

export function Profiles() {
  const profiling = useAnswer<Profiling>("/api/capacity/profiling");
  const [version, setVersion] = useState<string | null>(null);
  const value = profiling.state === "shown" ? profiling.value : null;
  const chosen = version ?? value?.in_force ?? "";
  const choice = value && value.profiles.length > 1 && (
    <Field class="inline" label="Version">
      {(id) => (
        <select id={id} value={chosen} onChange={(event) => setVersion(event.currentTarget.value)}>
          {value.profiles.map((it) => (
            <option key={it.app_version} value={it.app_version}>{it.app_version}{it.app_version === value.in_force && " (in force)"}</option>
          ))}
        </select>
      )}
    </Field>
  );
  return (
    <Section id="profiles" title="Profiles" aside={choice}>
      <Answered of={profiling} what="What is known of memory">
        {({ profiles }) => {
          const profile = profiles.find((it) => it.app_version === chosen) ?? profiles.at(-1);
          if (!profile) return <Empty>Nothing is known yet.</Empty>;
          return (
            <>
              <div class="columns wide-left">
                <Card title="What one more takes"><Coefficients of={profile} /></Card>
                <Card title="How it is known"><Source of={profile} /></Card>
              </div>
              <Fit />
            </>
          );
        }}
      </Answered>
    </Section>
  );
}

function Source({ of }: { of: Profile }) {
  if (of.observations === 0) {
    return (
      <Empty>
        Nothing was observed: published values stand in, with a wide band. Send what your app uses
        to <a href="/docs">POST /api/capacity/observations</a>; it is learned from each hour.
      </Empty>
    );
  }
  return (
    <>
      <dl class="facts">
        <div><dt>version</dt><dd>{of.app_version || "unknown"}</dd></div>
        <div><dt>learned from</dt><dd>{plural(of.observations, "observation")}</dd></div>
        <div><dt>between</dt><dd>{moment(of.since)} and {moment(of.until)}</dd></div>
        <div><dt>off on average by</dt><dd>{of.error_share === null ? "unknown" : share(of.error_share)}</dd></div>
        <div><dt>after people left</dt><dd>{stay(of)}</dd></div>
        <div><dt>growth</dt><dd>{growth(of)}</dd></div>
      </dl>
      {of.history.length > 0 && (
        <details>
          <summary>{plural(of.history.length, "earlier fit")}</summary>
          <Table label="Earlier fits" rows={of.history} columns={[
            { head: "Version", cell: (it) => it.app_version },
            { head: "Since", cell: (it) => moment(it.since_ms) },
            { head: "Until", cell: (it) => moment(it.until_ms) },
          ]} />
        </details>
      )}
    </>
  );
}

function stay({ stay }: Profile): string {
  if (!stay || stay.tau_minutes === 0) return "memory goes at once";
  return `${share(stay.share)} of it stays, for about ${number(stay.tau_minutes)} min`;
}

function growth({ growth, leak_mb_per_hour: leak }: Profile): string {
  if (!growth) return "cannot be told yet";
  const range = `between ${megabytes(growth.low_mb_per_day)} and ${megabytes(growth.high_mb_per_day)} a day, from ${plural(growth.floors, "quarter")} of days`;
  return growth.is_leak ? `it leaks ${megabytes(leak)} an hour (${range})` : `no leak (${range})`;
}
