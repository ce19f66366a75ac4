// What one more of each role takes: a point, and the interval it lies in with a confidence of 95 %.
import type { Coefficient, Profile } from "../../api/shapes";
import { Picture } from "../../parts/table";
import { useWidth } from "../../parts/width";
import { byRole, megabytes, number, refusal, role } from "../../reckon/format";
import { scale, ticks } from "../../reckon/scale";

const ROW = 32;

export function Coefficients({ of }: { of: Profile }) {
  const [place, width] = useWidth<HTMLDivElement>();
  const rows: [string, Coefficient][] = byRole(of.roles).map(([name, it]) => [role(name), it]);
  if (of.connection) rows.push(["connections", of.connection]);
  const left = Math.min(196, width * 0.46);
  const high = Math.max(1, ...rows.map(([, it]) => Math.max(it.mb, it.interval_mb?.[1] ?? 0)));
  const x = scale([0, high], [left, Math.max(left, width - 72)]);
  const height = rows.length * ROW + 24;
  return (
    <>
      <Picture label="Coefficients" rows={[["a pod with nobody in it", of.base] as [string, Coefficient], ...rows]} columns={[
        { head: "One more", cell: ([name]) => name },
        { head: "Takes", cell: ([, it]) => megabytes(it.mb), isNumber: true },
        { head: "Between", cell: ([, it]) => (it.interval_mb ? `${megabytes(it.interval_mb[0])} and ${megabytes(it.interval_mb[1])}` : "not known"), isNumber: true },
        { head: "Most seen", cell: ([, it]) => number(it.seen_max, 1), isNumber: true },
        { head: "Refused", cell: ([, it]) => (it.refused ? refusal(it.refused) : "") },
      ]} caption={<>A pod with nobody in it takes {megabytes(of.base.mb)}. Hollow: the data gives it no value of its own.</>}>
        <div ref={place}>
          {width > 0 && (
            <svg width={width} height={height} role="img" aria-label={`What one more takes: ${rows.map(([name, it]) => `${name} ${megabytes(it.mb)}`).join(", ")}`}>
              {ticks(high, 4).map((mb) => (
                <g key={mb} class="tick">
                  <line x1={x(mb)} x2={x(mb)} y1={0} y2={height - 20} />
                  <text x={x(mb)} y={height - 4} text-anchor="middle">{number(mb, 1)}{mb === 0 && " MB"}</text>
                </g>
              ))}
              {rows.map(([name, it], index) => {
                const y = index * ROW + ROW / 2;
                return (
                  <g key={name} class={it.refused ? "point refused" : "point"}>
                    <text x={left - 12} y={y + 4} text-anchor="end">{width < 420 ? name.replace("participants", "part.") : name}</text>
                    {it.interval_mb && <line x1={x(it.interval_mb[0])} x2={x(it.interval_mb[1])} y1={y} y2={y} />}
                    <circle cx={x(it.mb)} cy={y} r={5} />
                    <text x={Math.max(x(it.mb), x(it.interval_mb?.[1] ?? 0)) + 12} y={y + 4}>{megabytes(it.mb)}</text>
                  </g>
                );
              })}
            </svg>
          )}
        </div>
      </Picture>
      <Refused rows={rows} />
    </>
  );
}

function Refused({ rows }: { rows: [string, Coefficient][] }) {
  const refused = rows.filter(([, it]) => it.refused);
  if (refused.length === 0) return null;
  return (
    <details open={refused.length < 4}>
      <summary>{refused.length === rows.length ? "No role has a value of its own yet" : "Roles without a value of their own"}</summary>
      <ul class="plain-list">
        {refused.map(([name, it]) => <li key={name}><b>{name}</b>: {it.refused && refusal(it.refused)}; {megabytes(it.mb)} as before</li>)}
      </ul>
    </details>
  );
}
