// Shares of a whole, as dials: how far, in which colour, and thresholds around it.
import { scale } from "../../src/reckon/scale";
import { type Look, lookOf } from "../model";
import { colourAt, last, named } from "../shown";
import { written } from "../units";
import type { Part } from "./board";
import { MEANING } from "./colours";

/** From where to where a dial goes, in degrees from the top. */
const [START, END] = [-120, 120];
/** Of the dial's radius: thickness, and of what is around it. */
const [THICK, RIM] = [0.26, 0.07];
/** How far below its middle a dial reaches, of its radius. */
const BELOW = 0.5;

export function Dials({ panel, answers, width, height }: Part) {
  const all = named(panel, answers);
  const each = width / all.length;
  return (
    <div class="side-by-side">
      {all.map((it) => (
        <div key={it.name}>
          {all.length > 1 && <span class="name">{it.name}</span>}
          <Dial look={lookOf(panel, it.name)} value={last(it)!} width={each} height={height - (all.length > 1 ? 20 : 0)} />
        </div>
      ))}
    </div>
  );
}

function Dial({ look, value, width, height }: { look: Look; value: number; width: number; height: number }) {
  const [low, high] = [look.min ?? 0, look.max ?? 100];
  const radius = Math.min(width / 2 - 6, (height - 6) / (1 + BELOW), 92);
  const angle = scale([low, high], [START, END]);
  const within = (of: number) => Math.min(high, Math.max(low, of));
  const arc = (from: number, to: number, outer: number, inner: number) => ring(radius, angle(within(from)), angle(within(to)), outer * radius, inner * radius);
  const colour = colourAt(value, look.thresholds);
  const outer = 1 - RIM - 0.03;
  const text = written(value, look.unit, look.decimals);
  // Its figures are not quite so wide as high, and stand within the ring.
  const size = Math.min(0.38, (1.7 * (outer - THICK)) / (text.length * 0.6)) * radius;
  return (
    <svg width={2 * radius} height={radius * (1 + BELOW)}>
      <path class="unfilled" d={arc(low, high, outer, outer - THICK)} />
      <path class="value" d={arc(low, value, outer, outer - THICK)} fill={MEANING[colour]} />
      {look.thresholds.map(({ from, colour: of }, index) => (
        <path key={of} d={arc(from, look.thresholds[index + 1]?.from ?? high, 1, 1 - RIM)} fill={MEANING[of]} />
      ))}
      <text x={radius} y={radius * 1.12} text-anchor="middle" font-size={size} fill={MEANING[colour]}>{text}</text>
    </svg>
  );
}

/** A piece of a ring around a middle at the radius. */
function ring(middle: number, from: number, to: number, outer: number, inner: number): string {
  const at = (angle: number, radius: number) => {
    const turned = (angle * Math.PI) / 180;
    return `${(middle + radius * Math.sin(turned)).toFixed(1)} ${(middle - radius * Math.cos(turned)).toFixed(1)}`;
  };
  const large = to - from > 180 ? 1 : 0;
  return `M${at(from, outer)}A${outer} ${outer} 0 ${large} 1 ${at(to, outer)}L${at(to, inner)}A${inner} ${inner} 0 ${large} 0 ${at(from, inner)}Z`;
}
