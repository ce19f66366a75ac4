// A board as we draw it: what its JSON says of pictures, and nothing else of Grafana.

export interface Board {
  uid: string;
  title: string;
  variables: Variable[];
  /** Moments that are drawn into all panels over time. */
  marks: Mark[];
  panels: Panel[];
}

export interface Variable {
  name: string;
  label: string;
  /** As people see it. */
  shown: string;
  /** As queries get it. */
  value: string;
}

export interface Mark {
  name: string;
  expr: string;
}

/** In Grafana's grid of 24 columns. */
export interface Place { x: number; y: number; w: number; h: number }

export const KINDS = ["row", "timeseries", "stat", "gauge", "bargauge", "table"] as const;

export interface Panel {
  id: number;
  kind: (typeof KINDS)[number];
  title: string;
  place: Place;
  targets: Target[];
  /** Of all its values, where nothing else is said of one by its name. */
  look: Look;
  overrides: { name: string; look: Partial<Look> }[];
  /** Of a table: which columns, in which order, under which titles. */
  organize: { order: Record<string, number>; titles: Record<string, string>; without: Record<string, boolean> };
}

export interface Target {
  ref: string;
  expr: string;
  legend: string;
  isInstant: boolean;
  /** The shortest step, in seconds. */
  stepMin_s: number;
}

export interface Look {
  unit: string;
  /** Digits after the point; without it as many as make three that count. */
  decimals?: number;
  min?: number;
  max?: number;
  /** What is said where there is nothing. */
  absent: string;
  thresholds: { from: number; colour: string }[];
  areThresholdsDrawn: boolean;
  isStacked: boolean;
  isBars: boolean;
  /** Of 100. */
  fill: number;
  line: number;
  /** The series down to which the area is filled. */
  fillDownTo?: string;
}

/** Values under a set of labels. */
export interface Series {
  labels: Record<string, string>;
  /** Seconds and value, in the order of time. */
  points: [number, number][];
}

/** What is looked at, in seconds since 1970. */
export interface Span { from_s: number; to_s: number }

/** What a Prometheus said to all that a board asks: by panel and target, by the name of a mark. */
export interface Answers {
  span: Span;
  /** The least that was between two values. */
  step_s: number;
  panels: Record<number, Record<string, Series[]>>;
  marks: Record<string, Series[]>;
}

/** How a value is drawn that has this name. */
export function lookOf(panel: Panel, name: string): Look {
  const own = panel.overrides.filter((it) => it.name === name).map((it) => it.look);
  return Object.assign({}, panel.look, ...own);
}
