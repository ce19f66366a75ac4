// Numbers, as large as they fit.
import { lookOf } from "../model";
import { colourAt, last, named } from "../shown";
import { written } from "../units";
import type { Part } from "./board";
import { MEANING } from "./colours";

/** Of its height, a figure's width. */
const SLIM = 0.6;
const SIZE_MAX = 56;

export function Numbers({ panel, answers, width, height }: Part) {
  const all = named(panel, answers);
  const each = width / all.length;
  return (
    <div class="side-by-side">
      {all.map((it) => {
        const look = lookOf(panel, it.name);
        const value = last(it)!;
        const text = written(value, look.unit, look.decimals);
        const size = Math.min(SIZE_MAX, height * 0.6, (each - 16) / (text.length * SLIM));
        return (
          <div key={it.name}>
            {all.length > 1 && <span class="name">{it.name}</span>}
            <strong style={{ color: MEANING[colourAt(value, look.thresholds)], fontSize: size, lineHeight: `${size * 1.15}px` }}>{text}</strong>
          </div>
        );
      })}
    </div>
  );
}
