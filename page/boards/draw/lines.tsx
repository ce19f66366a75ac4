// Values over time: lines, areas and bars with axes, and below them who is who.
import type { ComponentChildren } from "preact";
import { between, line, scale, type Scale } from "../../src/reckon/scale";
import { type Look, type Panel, lookOf } from "../model";
import { type Layer, extent, marks, moments, stacked, stretches, times } from "../plot";
import { type Named, named } from "../shown";
import { marked } from "../units";
import type { Part } from "./board";
import { MEANING, seriesColour } from "./colours";
import { Legend, legendHeight } from "./legend";

const TOP = 6;
const BOTTOM = 22;
/** Between two values at an axis, and between two moments, in px. */
const [VALUE_APART, MOMENT_APART] = [26, 80];
/** Of a figure at an axis, in px. */
const FIGURE = 6.4;
/** Points further apart than this are drawn, in px. */
const DOTS_APART = 10;

interface Drawn extends Named { colour: string; look: Look; layers: Layer[]; step_s: number }

interface Axes { x: Scale; y: Scale; left: number; right: number; floor: number }

export function Lines({ panel, board, answers, width, height }: Part) {
  const all = drawn(panel, named(panel, answers));
  const plot = height - legendHeight(all.length, height);
  const bars = panel.look.isBars;
  const edges = all.flatMap(({ layers }) => layers.flatMap(({ floor, top }) => (panel.look.isStacked ? [floor, top] : [top])));
  const [low, high] = extent(edges, panel.look.isStacked || bars, panel.look.min, panel.look.max);
  const values = marks([low, high], Math.max(2, Math.floor((plot - BOTTOM) / VALUE_APART)), panel.look.unit);
  const texts = values.map((value) => marked(value, panel.look.unit));
  const left = Math.ceil(Math.max(...texts.map((it) => it.length)) * FIGURE) + 12;
  const { from_s, to_s } = answers.span;
  const axes: Axes = { x: scale([from_s, to_s], [left, width - 6]), y: scale([low, high], [plot - BOTTOM, TOP]), left, right: width - 6, floor: plot - BOTTOM };
  return (
    <>
      <svg width={width} height={plot}>
        <Grid {...axes} values={values} texts={texts} moments={moments(from_s, to_s, Math.floor((axes.right - left) / MOMENT_APART))} />
        {panel.look.areThresholdsDrawn && <Thresholds {...axes} look={panel.look} within={[low, high]} />}
        {all.map((it) => <Area key={it.name} {...axes} of={it} all={all} />)}
        {all.map((it) => (bars ? <Columns key={it.name} {...axes} of={it} /> : <Line key={it.name} {...axes} of={it} />))}
        {board.marks.map(({ name }) => <Happened key={name} {...axes} all={(answers.marks[name] ?? []).flatMap((it) => times(it.points, answers.step_s))} />)}
      </svg>
      <Legend all={all} height={height} />
    </>
  );
}

function drawn(panel: Panel, all: Named[]): Drawn[] {
  const plain = (points: [number, number][]) => points.map(([at, top]) => ({ at, floor: 0, top }));
  const layers = panel.look.isStacked ? stacked(all.map((it) => it.points)) : all.map((it) => plain(it.points));
  // A step is the least between two values of the panel, as all of its targets are asked in the same.
  const apart = all.flatMap(({ points }) => points.slice(1).map(([at], index) => at - points[index]![0]));
  const step_s = apart.length > 0 ? Math.min(...apart) : 15;
  return all.map((it, index) => ({ ...it, colour: seriesColour(index), look: lookOf(panel, it.name), layers: layers[index]!, step_s }));
}

function Grid({ x, y, left, right, floor, values, texts, moments: at }: Axes & { values: number[]; texts: string[]; moments: { at: number; text: string }[] }) {
  return (
    <g class="grid">
      {values.map((value, index) => (
        <g key={value}>
          <line x1={left} x2={right} y1={y(value)} y2={y(value)} />
          <text x={left - 8} y={y(value) + 4} text-anchor="end">{texts[index]}</text>
        </g>
      ))}
      {at.map(({ at, text }) => (
        <g key={at}>
          <line x1={x(at)} x2={x(at)} y1={TOP} y2={floor} />
          <text x={Math.min(x(at), right - text.length * FIGURE / 2)} y={floor + 16} text-anchor="middle">{text}</text>
        </g>
      ))}
    </g>
  );
}

function Thresholds({ y, left, right, look, within: [low, high] }: Axes & { look: Look; within: [number, number] }) {
  const seen = look.thresholds.filter(({ from }) => from >= low && from <= high);
  return <>{seen.map(({ from, colour }) => <line key={from} class="threshold" x1={left} x2={right} y1={y(from)} y2={y(from)} stroke={MEANING[colour]} />)}</>;
}

/** What is filled: down to the layer below, or to another line. */
function Area({ x, y, of, all }: Axes & { of: Drawn; all: Drawn[] }) {
  if (of.look.isBars || of.look.fill === 0) return null;
  const lower = of.look.fillDownTo === undefined ? undefined : all.find(({ name }) => name === of.look.fillDownTo);
  const floors = new Map(lower?.points);
  const layers = lower ? of.layers.flatMap((it) => (floors.has(it.at) ? [{ ...it, floor: floors.get(it.at)! }] : [])) : of.layers;
  const outline = (part: Layer[]) => between(part.map((it) => [x(it.at), y(it.top)]), part.map((it) => [x(it.at), y(it.floor)]));
  return <path class="area" d={parts(layers, of.step_s).map(outline).join("")} fill={of.colour} fill-opacity={of.look.fill / 100} />;
}

function Line({ x, y, of, left, right }: Axes & { of: Drawn }) {
  if (of.look.line === 0) return null;
  const all = parts(of.layers, of.step_s);
  const isSparse = (right - left) / Math.max(1, of.points.length - 1) > DOTS_APART && of.points.length < 30;
  const dots = all.flatMap((part) => (isSparse || part.length === 1 ? part : []));
  return (
    <g class="series">
      <path d={all.map((part) => line(part.map((it) => [x(it.at), y(it.top)]))).join("")} stroke={of.colour} stroke-width={of.look.line + 0.5} />
      {dots.map((it) => <circle key={it.at} cx={x(it.at)} cy={y(it.top)} r="2" fill={of.colour} />)}
    </g>
  );
}

function Columns({ x, y, of, left, right }: Axes & { of: Drawn }) {
  const wide = Math.max(1, (x(of.step_s) - x(0)) * 0.8);
  const rect = ({ at, floor, top }: Layer) => {
    const [from, to] = [Math.max(left, x(at) - wide / 2), Math.min(right, x(at) + wide / 2)];
    return <rect key={at} x={from} width={Math.max(0, to - from)} y={Math.min(y(floor), y(top))} height={Math.abs(y(top) - y(floor))} />;
  };
  return <g class="series" fill={of.colour} fill-opacity={of.look.fill / 100}>{of.layers.filter((it) => it.top !== it.floor).map(rect)}</g>;
}

/** Moments in which something happened: from a dashed line on, for as long as it went on. */
function Happened({ x, floor, all }: Axes & { all: [number, number][] }): ComponentChildren {
  return all.map(([from, to]) => (
    <g key={from} class="happened">
      <rect x={x(from)} width={Math.max(0, x(to) - x(from))} y={TOP} height={floor - TOP} />
      <line x1={x(from)} x2={x(from)} y1={TOP} y2={floor} />
      <path d={`M${x(from)} ${floor - 6}l5 6h-10z`} />
    </g>
  ));
}

function parts(layers: Layer[], step_s: number): Layer[][] {
  const at = new Map(layers.map((it) => [it.at, it]));
  return stretches(layers.map((it) => [it.at, it.top]), step_s).map((part) => part.map(([time]) => at.get(time)!));
}
