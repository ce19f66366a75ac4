// Who is who below lines: names with their last and highest value, as many as there is room for.
import type { Look } from "../model";
import { type Named, highest, last } from "../shown";
import { written } from "../units";

const ROW = 18;
const HEAD = 20;
/** Of the panel: the rest is for lines. */
const MOST = 0.48;

const fitting = (height: number) => Math.floor((height * MOST - HEAD) / ROW);

export function legendHeight(count: number, height: number): number {
  return HEAD + ROW * Math.min(count, fitting(height));
}

interface Row extends Named { colour: string; look: Look }

/** The panel's height says how many rows there are; where not all are shown it is said how many more there would be. */
export function Legend({ all, height }: { all: Row[]; height: number }) {
  const room = fitting(height);
  const shown = all.length > room ? all.slice(0, room - 1) : all;
  return (
    <table class="legend">
      <thead><tr><th>Name</th><th>Last *</th><th>Max</th></tr></thead>
      <tbody>
        {shown.map((it) => (
          <tr key={it.name}>
            <td><i style={{ background: it.colour }} />{it.name}</td>
            <td>{value(last(it)!, it.look)}</td>
            <td>{value(highest(it), it.look)}</td>
          </tr>
        ))}
        {shown.length < all.length && <tr class="more"><td colSpan={3}>and {all.length - shown.length} more, drawn above</td></tr>}
      </tbody>
    </table>
  );
}

const value = (of: number, { unit, decimals }: Look) => written(of, unit, decimals);
