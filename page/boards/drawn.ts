// All that may stand in a panel's JSON. What is not here would be left out of a picture without a word, so it is refused.
import { UNITS } from "./units";
import { KINDS } from "./model";

const ANY = Symbol("any");

/** Path, and which values are drawn as Grafana does. A path that ends in `*` is that of all below. */
const DRAWN: Record<string, readonly unknown[] | typeof ANY> = {
  "type": KINDS,
  "title": ANY, "description": ANY, "id": ANY, "gridPos.*": ANY, "datasource.*": ANY, "collapsed": [false],
  // Menus and pointers, which a picture has not.
  "links[].*": ANY, "options.tooltip.*": ANY,

  "targets[].datasource.*": ANY, "targets[].editorMode": ANY, "targets[].expr": ANY, "targets[].interval": ANY,
  "targets[].legendFormat": ANY, "targets[].refId": ANY,
  "targets[].instant": [true, false], "targets[].range": [true, false], "targets[].format": ["time_series", "table"],

  "fieldConfig.defaults.unit": Object.keys(UNITS),
  "fieldConfig.defaults.decimals": ANY, "fieldConfig.defaults.min": ANY, "fieldConfig.defaults.max": ANY, "fieldConfig.defaults.noValue": ANY,
  "fieldConfig.defaults.color.mode": ["palette-classic", "thresholds"],
  "fieldConfig.defaults.thresholds.mode": ["absolute"],
  "fieldConfig.defaults.thresholds.steps[].color": ["green", "yellow", "orange", "red", "blue"],
  "fieldConfig.defaults.thresholds.steps[].value": ANY,
  "fieldConfig.defaults.custom.drawStyle": ["line", "bars"],
  "fieldConfig.defaults.custom.fillOpacity": ANY, "fieldConfig.defaults.custom.lineWidth": ANY,
  "fieldConfig.defaults.custom.showPoints": ["auto"],
  "fieldConfig.defaults.custom.spanNulls": [false],
  "fieldConfig.defaults.custom.stacking.group": ["A"],
  "fieldConfig.defaults.custom.stacking.mode": ["none", "normal"],
  "fieldConfig.defaults.custom.thresholdsStyle.mode": ["off", "line"],
  "fieldConfig.overrides[].matcher.id": ["byName"], "fieldConfig.overrides[].matcher.options": ANY,
  "fieldConfig.overrides[].properties[].id": ["unit", "custom.fillBelowTo", "custom.fillOpacity", "custom.lineWidth"],
  "fieldConfig.overrides[].properties[].value": ANY,

  "options.reduceOptions.calcs[]": ["lastNotNull"], "options.reduceOptions.fields": [""], "options.reduceOptions.values": [false],
  "options.orientation": ["auto", "horizontal"], "options.sizing": ["auto"],
  "options.minVizHeight": ANY, "options.minVizWidth": ANY, "options.maxVizHeight": ANY,
  "options.showThresholdLabels": [false], "options.showThresholdMarkers": [true],
  "options.colorMode": ["value"], "options.graphMode": ["none"], "options.justifyMode": ["auto"], "options.textMode": ["auto"],
  "options.percentChangeColorMode": ANY, "options.showPercentChange": [false], "options.wideLayout": ANY,
  "options.legend.calcs[]": ["lastNotNull", "max"], "options.legend.displayMode": ["table", "list"],
  "options.legend.placement": ["bottom"], "options.legend.showLegend": [true, false],
  "options.displayMode": ["basic"], "options.namePlacement": ["auto"], "options.showUnfilled": [true], "options.valueMode": ["color"],
  "options.cellHeight": ["sm"], "options.frameIndex": [0], "options.showHeader": [true],

  "transformations[].id": ["merge", "organize"],
  "transformations[].options.excludeByName.*": [true],
  "transformations[].options.indexByName.*": ANY, "transformations[].options.renameByName.*": ANY,
};

/** What of this panel's JSON would not be drawn: "path: value" of each. */
export function undrawn(panel: unknown): string[] {
  return leaves(panel, "").filter(([path, value]) => {
    const star = Object.keys(DRAWN).find((it) => it.endsWith("*") && path.startsWith(it.slice(0, -1)));
    const values = DRAWN[star ?? path];
    return !values || (values !== ANY && !(values as readonly unknown[]).includes(value));
  }).map(([path, value]) => `${path}: ${JSON.stringify(value)}`);
}

function leaves(of: unknown, path: string): [string, unknown][] {
  if (Array.isArray(of)) return of.flatMap((it) => leaves(it, `${path}[]`));
  if (of === null || typeof of !== "object") return [[path, of]];
  return Object.entries(of).flatMap(([key, value]) => leaves(value, path ? `${path}.${key}` : key));
}
