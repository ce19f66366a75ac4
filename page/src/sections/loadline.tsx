// The load line: how deep everything lies now, against what is ready and what there may be.
import type { Status, Stretch } from "../api/shapes";
import { Picture } from "../parts/table";
import { useWidth } from "../parts/width";
import { memory } from "../reckon/format";
import { scale } from "../reckon/scale";

const ROW = 28;
const TOP = 24;

interface Bar {
  name: string;
  /** One after the other. */
  pieces: { what: string; class: string; bytes: number; toldBytes: number }[];
}

export function LoadLine({ status, booked }: { status: Status; booked: Stretch | null }) {
  const [place, width] = useWidth<HTMLDivElement>();
  const sum = (of: (region: Status["regions"][number]) => number) => status.regions.reduce((all, it) => all + of(it), 0);
  const readyBytes = sum((it) => it.pods * it.pod_limit_bytes);
  const mostBytes = sum((it) => it.most_pods * it.pod_limit_bytes);
  const emptyBytes = sum((it) => it.pods * (it.pod_limit_bytes - it.pod_usable_bytes));
  const bars: Bar[] = [];
  const usedBytes = status.used?.memory_bytes ?? null;
  if (usedBytes !== null) bars.push({ name: "Used", pieces: [{ what: "used by pods", class: "used", bytes: usedBytes, toldBytes: usedBytes }] });
  if (booked) {
    bars.push({ name: "Booked", pieces: [
      { what: "pods with nobody in them", class: "base", bytes: emptyBytes, toldBytes: emptyBytes },
      { what: "booked at p50", class: "p50", bytes: booked.p50_bytes, toldBytes: booked.p50_bytes },
      // Drawn as what it is more.
      { what: "booked at p95", class: "p95", bytes: Math.max(0, booked.p95_bytes - booked.p50_bytes), toldBytes: booked.p95_bytes },
    ] });
  }
  if (bars.length === 0) return null;
  const left = width < 480 ? 56 : 72;
  const x = scale([0, mostBytes], [left, Math.max(left, width - 1)]);
  const height = TOP + bars.length * ROW + 8;
  const rows = [
    ...bars.flatMap((bar) => bar.pieces.map(({ what, toldBytes }) => [what, toldBytes] as const)),
    ["limits of pods that run", readyBytes] as const,
    ["limits of all pods", mostBytes] as const,
  ];
  return (
    <Picture label="Memory now" rows={rows} columns={[
      { head: "What", cell: ([what]) => what },
      { head: "Memory", cell: ([, bytes]) => memory(bytes), isNumber: true },
    ]} caption={<Legend bars={bars} />}>
      <div ref={place}>
        {width > 0 && (
          <svg class="loadline" width={width} height={height} role="img"
            aria-label={`Memory now: ${rows.map(([what, bytes]) => `${what} ${memory(bytes)}`).join(", ")}`}>
            {bars.map((bar, index) => {
              const y = TOP + index * ROW;
              let from = 0;
              return (
                <g key={bar.name}>
                  <text x={0} y={y + 15}>{bar.name}</text>
                  <rect class="track" x={left} y={y} width={x(mostBytes) - left} height={20} rx={3} />
                  {bar.pieces.map((piece) => {
                    const start = from;
                    from += piece.bytes;
                    return <rect key={piece.what} class={piece.class} x={x(Math.min(start, mostBytes))} y={y}
                      width={Math.max(0, x(Math.min(from, mostBytes)) - x(Math.min(start, mostBytes)))} height={20} />;
                  })}
                </g>
              );
            })}
            <g class="ready">
              <line x1={x(readyBytes)} x2={x(readyBytes)} y1={18} y2={height - 4} />
              <text x={x(readyBytes)} y={12} text-anchor={x(readyBytes) > width / 2 ? "end" : "start"}>ready {memory(readyBytes)}</text>
            </g>
            {mostBytes > readyBytes && x(mostBytes) - x(readyBytes) > 220 && (
              <text x={width} y={12} text-anchor="end">all pods {memory(mostBytes)}</text>
            )}
          </svg>
        )}
      </div>
    </Picture>
  );
}

function Legend({ bars }: { bars: Bar[] }) {
  return (
    <span class="legend">
      {bars.flatMap((bar) => bar.pieces).map((piece) => (
        <span key={piece.what}><i class={piece.class} />{piece.what} {memory(piece.toldBytes)}</span>
      ))}
    </span>
  );
}
