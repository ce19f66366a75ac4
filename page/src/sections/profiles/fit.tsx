// What was used against what was expected, and the band it is to lie in.
import { useState } from "preact/hooks";
import { useAnswer } from "../../api/live";
import type { Point } from "../../api/shapes";
import { Answered, Empty } from "../../parts/answered";
import { Field } from "../../parts/field";
import { Card } from "../../parts/section";
import { Picture } from "../../parts/table";
import { useWidth } from "../../parts/width";
import { clock, megabytes, moment, people } from "../../reckon/format";
import { between, line, scale, ticks } from "../../reckon/scale";

const HOURS = [6, 24, 168];
const HEIGHT = 220;

export function Fit() {
  const [hours, setHours] = useState(24);
  const [pod, setPod] = useState("");
  const found = useAnswer<{ points: Point[] }>(`/api/capacity/profiling/data?hours=${hours}`);
  return (
    <Card title="Data, fit and band">
      <Answered of={found} what="What pods used over time">
        {({ points }) => {
          const pods = [...new Set(points.map((it) => it.pod))].sort();
          const shown = points.filter((it) => it.pod === (pods.includes(pod) ? pod : pods[0]));
          return (
            <>
              <div class="toolbar">
                <div class="group" role="group" aria-label="How far back">
                  {HOURS.map((it) => <button key={it} type="button" aria-pressed={hours === it} onClick={() => setHours(it)}>{it < 48 ? `${it} h` : `${it / 24} days`}</button>)}
                </div>
                {pods.length > 1 && (
                  <Field class="inline" label="Pod">
                    {(id) => (
                      <select id={id} value={pods.includes(pod) ? pod : pods[0]} onChange={(event) => setPod(event.currentTarget.value)}>
                        {pods.map((it) => <option key={it} value={it}>{it}</option>)}
                      </select>
                    )}
                  </Field>
                )}
              </div>
              {shown.length === 0 ? <Empty>Nothing was observed in this time.</Empty> : <Chart points={shown} />}
            </>
          );
        }}
      </Answered>
    </Card>
  );
}

function Chart({ points }: { points: Point[] }) {
  const [place, width] = useWidth<HTMLDivElement>();
  const times = points.map((it) => Date.parse(it.at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const high = Math.max(1, ...points.flatMap((it) => [it.memory_mb ?? 0, it.p95_mb ?? 0])) * 1.06;
  const x = scale([first, last], [56, Math.max(56, width - 8)]);
  const y = scale([0, high], [HEIGHT - 24, 8]);
  const along = (of: (it: Point) => number | null) =>
    points.flatMap((it): [number, number][] => { const mb = of(it); return mb === null ? [] : [[x(Date.parse(it.at)), y(mb)]]; });
  const expected = along((it) => it.expected_mb);
  const band = between(along((it) => it.p95_mb), expected);
  const marks = width < 480 ? 3 : 7;
  return (
    <Picture label="Used and expected" rows={points} columns={[
      { head: "When", cell: (it) => moment(it.at) },
      { head: "Used", cell: (it) => megabytes(it.memory_mb), isNumber: true },
      { head: "Expected", cell: (it) => megabytes(it.expected_mb), isNumber: true },
      { head: "p95", cell: (it) => megabytes(it.p95_mb), isNumber: true },
      { head: "People", cell: (it) => people(it.roles) },
    ]} caption={<span class="legend"><span><i class="dot" />used</span><span><i class="curve" />expected</span><span><i class="p95" />up to p95</span></span>}>
      <div ref={place}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={`What one pod used and what was expected from ${moment(first)} to ${moment(last)}`}>
            {ticks(high, 4).map((mb) => (
              <g key={mb} class="tick">
                <line x1={56} x2={width - 8} y1={y(mb)} y2={y(mb)} />
                <text x={48} y={y(mb) + 4} text-anchor="end">{megabytes(mb)}</text>
              </g>
            ))}
            {Array.from({ length: marks }, (_, index) => first + ((last - first) * index) / (marks - 1)).map((at, index) => (
              <text key={at} x={x(at)} y={HEIGHT - 4} text-anchor={index === 0 ? "start" : index === marks - 1 ? "end" : "middle"}>
                {last - first > 2 * 86_400_000 ? moment(at).slice(0, -6) : clock(at)}
              </text>
            ))}
            <path class="p95" d={band} />
            <path class="curve" d={line(expected)} />
            {along((it) => it.memory_mb).map(([cx, cy], index) => <circle key={index} class="dot" cx={cx} cy={cy} r={2} />)}
          </svg>
        )}
      </div>
    </Picture>
  );
}
