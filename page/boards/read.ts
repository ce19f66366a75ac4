// A board from the JSON that Grafana imports. What could not be drawn as it says is an error.
import { undrawn } from "./drawn";
import type { Board, Look, Panel, Target, Variable } from "./model";

/** `name` is told in errors. */
export function readBoard(text: string, name: string): Board {
  const json = JSON.parse(text);
  const wrong = json.panels.flatMap((panel: any) => undrawn(panel).map((it) => `${name}: panel ${JSON.stringify(panel.title)}: not drawn: ${it}`));
  if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\nsay in page/boards/drawn.ts that it is, once it is drawn`);
  return {
    uid: json.uid,
    title: json.title,
    variables: json.templating.list.map(variable),
    marks: json.annotations.list.filter((it: any) => it.enable).map((it: any) => ({ name: it.name, expr: it.expr })),
    panels: json.panels.map(panel),
  };
}

function variable(json: any): Variable {
  const chosen = [json.current.value].flat();
  const isAll = chosen.includes("$__all");
  if (isAll && json.allValue === undefined) throw new Error(`variable ${json.name}: all of it has no value\nset allValue`);
  return {
    name: json.name, label: json.label,
    shown: [json.current.text].flat().join(", "),
    value: isAll ? json.allValue : chosen.length === 1 ? chosen[0] : `(${chosen.join("|")})`,
  };
}

function panel(json: any): Panel {
  const organize = json.transformations?.find((it: any) => it.id === "organize")?.options ?? {};
  return {
    id: json.id, kind: json.type, title: json.title, place: json.gridPos,
    targets: (json.targets ?? []).map(target),
    look: look(json.fieldConfig?.defaults ?? {}),
    overrides: (json.fieldConfig?.overrides ?? []).map((it: any) => ({ name: it.matcher.options, look: overridden(it.properties) })),
    organize: { order: organize.indexByName ?? {}, titles: organize.renameByName ?? {}, without: organize.excludeByName ?? {} },
  };
}

function target(json: any): Target {
  return { ref: json.refId, expr: json.expr, legend: json.legendFormat, isInstant: json.instant, stepMin_s: seconds(json.interval) };
}

function look(json: any): Look {
  const custom = json.custom ?? {};
  const steps: any[] = json.thresholds?.steps ?? [];
  return {
    unit: json.unit ?? "short",
    ...(json.decimals !== undefined && { decimals: json.decimals }),
    ...(json.min !== undefined && { min: json.min }),
    ...(json.max !== undefined && { max: json.max }),
    absent: json.noValue ?? "No data",
    thresholds: steps.map((it) => ({ from: it.value ?? -Infinity, colour: it.color })),
    areThresholdsDrawn: custom.thresholdsStyle?.mode === "line",
    isStacked: custom.stacking?.mode === "normal",
    isBars: custom.drawStyle === "bars",
    fill: custom.fillOpacity ?? 0,
    line: custom.lineWidth ?? 1,
  };
}

function overridden(properties: { id: string; value: any }[]): Partial<Look> {
  const names: Record<string, keyof Look> = {
    "unit": "unit", "custom.fillBelowTo": "fillDownTo", "custom.fillOpacity": "fill", "custom.lineWidth": "line",
  };
  return Object.fromEntries(properties.map(({ id, value }) => [names[id], value]));
}

/** "30s", "5m", "1h" in seconds. */
export function seconds(text: string): number {
  const [, count, unit] = /^(\d+)(s|m|h|d)$/.exec(text) ?? [];
  if (!count) throw new Error(`${text}: no length of time\nwrite it as 30s, 5m or 1h`);
  return Number(count) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as "s"]!;
}
