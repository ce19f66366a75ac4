// From answers to what a panel shows: names, last values, rows of a table.
import type { Answers, Panel, Series } from "./model";

/** A series by the name that people see. */
export interface Named { name: string; points: [number, number][] }

/** All series of a panel, in the order of its targets. */
export function named(panel: Panel, answers: Answers): Named[] {
  return panel.targets.flatMap((target) =>
    (answers.panels[panel.id]?.[target.ref] ?? []).map(({ labels, points }) => ({ name: legend(target.legend, labels), points })));
}

/** `{{label}}` becomes the label's value, or nothing where there is none; where nothing is left the series' own name is it. */
export function legend(format: string, labels: Record<string, string>): string {
  const name = format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? "").trim();
  if (name) return name;
  const { __name__: metric = "", ...rest } = labels;
  const all = Object.entries(rest).map(([label, value]) => `${label}="${value}"`);
  return metric + (all.length > 0 ? `{${all.join(", ")}}` : "") || "Value";
}

export const last = (of: { points: [number, number][] }): number | undefined => of.points.at(-1)?.[1];
export const highest = (of: { points: [number, number][] }): number => Math.max(...of.points.map(([, value]) => value));

export interface Table {
  columns: { title: string; isNumber: boolean }[];
  rows: (string | number | undefined)[][];
}

/** Grafana's "merge" and "organize": what has the same labels is one row, each target a column. */
export function table(panel: Panel, answers: Answers): Table {
  const { order, titles, without } = panel.organize;
  const single = panel.targets.length === 1;
  const rows = new Map<string, Record<string, string | number>>();
  const columns = new Map<string, boolean>();
  for (const { ref } of panel.targets) {
    for (const of of answers.panels[panel.id]?.[ref] ?? []) {
      const key = JSON.stringify(Object.entries(of.labels).sort());
      const row = rows.get(key) ?? { ...of.labels };
      const value = single ? "Value" : `Value #${ref}`;
      row[value] = last(of)!;
      rows.set(key, row);
      for (const name of Object.keys(of.labels)) columns.set(name, false);
      columns.set(value, true);
    }
  }
  const place = (name: string) => order[name] ?? Infinity;
  const names = [...columns.keys()].filter((it) => !without[it]).sort((a, b) => place(a) - place(b) || 0);
  return {
    columns: names.map((name) => ({ title: titles[name] ?? name, isNumber: columns.get(name)! })),
    rows: [...rows.values()].map((row) => names.map((name) => row[name])),
  };
}

/** Says whether a panel has something to show. */
export function hasValues(panel: Panel, answers: Answers): boolean {
  return Object.values(answers.panels[panel.id] ?? {}).some((all: Series[]) => all.length > 0);
}

/** The colour of a value by thresholds: that of the last one it reaches. */
export function colourAt(value: number, thresholds: { from: number; colour: string }[]): string {
  return thresholds.findLast(({ from }) => value >= from)?.colour ?? "blue";
}
