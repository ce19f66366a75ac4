// Accuracy: what was foretold against what came.
import { useAnswer } from "../api/live";
import type { Accuracy as AccuracyView, Scored } from "../api/shapes";
import { Answered, Empty } from "../parts/answered";
import { Card, Section, Stat } from "../parts/section";
import { Picture } from "../parts/table";
import { useWidth } from "../parts/width";
import { megabytes, moment, number, plural, share } from "../reckon/format";
import { scale, ticks } from "../reckon/scale";

export function Accuracy() {
  const accuracy = useAnswer<AccuracyView>("/api/capacity/accuracy");
  return (
    <Section id="accuracy" title="Accuracy">
      <Answered of={accuracy} what="How good projections were">
        {(it) => (it.summary ? (
          <>
            <dl class="stats">
              <Stat name="Off on average (MAPE)" value={share(it.summary.error_share)} more={`of ${plural(it.summary.projections, "projection")}`} />
              <Stat name="Bias" value={signed(it.summary.bias_mb)} more={bias(it.summary.bias_mb)} />
              <Stat name="Below p95" value={share(it.summary.covered_p95_share)} more="should be 95 %" />
              <Stat name="Below p99" value={share(it.summary.covered_p99_share)} more="should be 99 %" />
              <Stat name="Out of memory" value={share(it.summary.breach_share)} more={`${number(it.open)} open, ${number(it.missed)} missed`} />
            </dl>
            <Card title="Foretold and used"><Scatter of={it.scored} /></Card>
          </>
        ) : (
          <Empty>
            {it.open > 0 ? `${plural(it.open, "projection")} wait for their time to come.` : "No projection has been scored. Each reservation is scored when its time has come and the app was observed."}
          </Empty>
        ))}
      </Answered>
    </Section>
  );
}

function signed(mb: number | null): string {
  return mb !== null && mb > 0 ? `+${megabytes(mb)}` : megabytes(mb);
}

function bias(mb: number | null): string {
  return mb === null ? "" : mb > 0 ? "more foretold than used" : "less foretold than used";
}

function Scatter({ of }: { of: Scored[] }) {
  const [place, width] = useWidth<HTMLDivElement>();
  if (of.length === 0) return <Empty>None is kept.</Empty>;
  const height = Math.min(320, Math.max(220, width * 0.4));
  const high = Math.max(1, ...of.flatMap((it) => [it.p95_mb, it.used_mb])) * 1.05;
  const x = scale([0, high], [56, Math.max(56, width - 12)]);
  const y = scale([0, high], [height - 32, 8]);
  return (
    <Picture label="Foretold and used" rows={of} columns={[
      { head: "For", cell: (it) => moment(it.for) },
      { head: "p50", cell: (it) => megabytes(it.p50_mb), isNumber: true },
      { head: "p95", cell: (it) => megabytes(it.p95_mb), isNumber: true },
      { head: "p99", cell: (it) => megabytes(it.p99_mb), isNumber: true },
      { head: "Used", cell: (it) => megabytes(it.used_mb), isNumber: true },
      { head: "As many came", cell: (it) => (it.as_asked ? "yes" : "no") },
    ]} caption={<span class="legend"><span><i class="dot p50" />used, over p50 foretold; its line goes up to p95</span><span><i class="dot hollow" />another number came</span><span><i class="diagonal" />as foretold</span></span>}>
      <div ref={place}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={`${plural(of.length, "projection")}: what was used over what was foretold`}>
            {ticks(high, 4).map((mb) => (
              <g key={mb} class="tick">
                <line x1={56} x2={x(high)} y1={y(mb)} y2={y(mb)} />
                <text x={48} y={y(mb) + 4} text-anchor="end">{megabytes(mb)}</text>
                <text x={x(mb)} y={height - 14} text-anchor="middle">{mb > 0 && megabytes(mb)}</text>
              </g>
            ))}
            <text x={x(high)} y={height - 1} text-anchor="end">foretold</text>
            <line class="diagonal" x1={x(0)} y1={y(0)} x2={x(high)} y2={y(high)} />
            {of.map((it) => (
              <g key={it.id} class={it.as_asked ? "point" : "point refused"}>
                <line x1={x(it.p50_mb)} x2={x(it.p50_mb)} y1={y(it.p50_mb)} y2={y(it.p95_mb)} />
                <circle cx={x(it.p50_mb)} cy={y(it.used_mb)} r={4} />
              </g>
            ))}
          </svg>
        )}
      </div>
    </Picture>
  );
}
