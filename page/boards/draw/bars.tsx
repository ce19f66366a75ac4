// Numbers beside each other, as bars with a name and a value.
import { lookOf } from "../model";
import { colourAt, last, named } from "../shown";
import { written } from "../units";
import type { Part } from "./board";
import { MEANING } from "./colours";

/** Of a bar with the room around it, in px. */
const [LEAST, MOST] = [22, 40];

export function Bars({ panel, answers, height }: Part) {
  const all = named(panel, answers).map((it) => ({ name: it.name, value: last(it)!, look: lookOf(panel, it.name) }));
  const fit = Math.floor(height / LEAST);
  const shown = all.length > fit ? all.slice(0, fit - 1) : all;
  const values = all.map((it) => it.value);
  const low = panel.look.min ?? Math.min(0, ...values);
  const high = panel.look.max ?? Math.max(0, ...values);
  const row = Math.min(MOST, Math.floor(height / (shown.length + (shown.length < all.length ? 1 : 0))));
  const share = (value: number) => (high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0);
  return (
    <div class="bars" style={{ gridAutoRows: `${row}px` }}>
      {shown.map(({ name, value, look }, index) => {
        const colour = MEANING[colourAt(value, look.thresholds)];
        return (
          // By their place: two may have one name.
          <div key={index} class="bar">
            <span class="name">{name}</span>
            <span class="unfilled"><i style={{ width: `${share(value) * 100}%`, background: colour }} /></span>
            <b style={{ color: colour }}>{written(value, look.unit, look.decimals)}</b>
          </div>
        );
      })}
      {shown.length < all.length && <p class="more">and {all.length - shown.length} more</p>}
    </div>
  );
}
