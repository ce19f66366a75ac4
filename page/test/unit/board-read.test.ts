import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { readBoard } from "../../boards/read";

/** What the binary renders; its own tests hold it to that. */
const BOARDS = new URL("../../../charts/plimsoll/files/dashboards/", import.meta.url);
const NAMES = readdirSync(BOARDS).sort();
const text = (name: string) => readFileSync(new URL(name, BOARDS), "utf8");

test("all that our boards say is drawn", () => {
  assert.equal(NAMES.length, 5);
  for (const name of NAMES) {
    const board = readBoard(text(name), name);
    assert.equal(`${board.uid}.json`, name);
    assert.ok(board.panels.length > 10, name);
    assert.ok(board.panels.every((it) => it.kind === "row" || it.targets.length > 0), name);
    assert.equal(board.variables.find((it) => it.name === "cluster")?.value, ".*");
  }
});

test("what would not be drawn is told", () => {
  const json = JSON.parse(text("plimsoll-memory.json"));
  const lines = json.panels.findIndex((it: any) => it.type === "timeseries");
  const check = (change: (panel: any) => void, expect: string) => {
    const changed = structuredClone(json);
    change(changed.panels[lines]);
    assert.throws(() => readBoard(JSON.stringify(changed), "a.json"), (error: Error) => error.message.includes(`a.json: panel "Used, requested and limited": not drawn: ${expect}\n`));
  };
  check((panel) => { panel.type = "piechart"; }, 'type: "piechart"');
  check((panel) => { panel.fieldConfig.defaults.unit = "decbytes"; }, 'fieldConfig.defaults.unit: "decbytes"');
  check((panel) => { panel.fieldConfig.defaults.custom.lineInterpolation = "smooth"; }, 'fieldConfig.defaults.custom.lineInterpolation: "smooth"');
  check((panel) => { panel.transformations = [{ id: "reduce" }]; }, 'transformations[].id: "reduce"');
  check((panel) => { panel.options.legend.calcs = ["mean"]; }, 'options.legend.calcs[]: "mean"');
});
