// Boards as they are drawn, of answers that a real Prometheus gave to `make boards`.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Answers, Board } from "../../boards/model";
import { type Pen, drawn, pen } from "../../boards/picture";
import { readBoard } from "../../boards/read";
import { hasValues, named } from "../../boards/shown";
import { launch } from "./browser";

const BOARDS = new URL("../../../charts/plimsoll/files/dashboards/", import.meta.url);
/** Recorded by `--record`. */
const ANSWERS: Record<string, Answers> = JSON.parse(readFileSync(new URL("../../test/boards/answers.json", import.meta.url), "utf8"));

let browser: Browser;
let ink: Pen;
before(async () => { [browser, ink] = await Promise.all([launch(), pen()]); });
after(() => browser.close());

/** What is wrong to look at: text or lines outside of their picture, text over text, what is cut. */
const wrong = (page: Page): Promise<string[]> => page.evaluate(() => {
  const found: string[] = [];
  const title = (of: Element) => of.closest("section")?.querySelector("h3")?.textContent ?? "";
  const isWithin = (a: DOMRect, b: DOMRect) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const isOver = (a: DOMRect, b: DOMRect) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  for (const svg of document.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")].map((it) => [it.textContent, it.getBoundingClientRect()] as const);
    for (const [text, box] of texts) if (!isWithin(box, svg.getBoundingClientRect())) found.push(`${title(svg)}: ${text} is cut`);
    texts.forEach(([text, box], index) => {
      const other = texts.slice(index + 1).find(([, it]) => isOver(box, it));
      if (other) found.push(`${title(svg)}: ${text} is over ${other[0]}`);
    });
    for (const path of svg.querySelectorAll(".series, .area, .value")) {
      if (!isWithin(path.getBoundingClientRect(), svg.getBoundingClientRect())) found.push(`${title(svg)}: a line leaves its picture`);
    }
  }
  for (const inside of document.querySelectorAll<HTMLElement>(".inside")) {
    if (inside.scrollHeight > inside.clientHeight || inside.scrollWidth > inside.clientWidth) found.push(`${title(inside)}: what is inside is larger`);
  }
  const panels = [...document.querySelectorAll("[data-panel]")].map((it) => [title(it) || it.textContent, it.getBoundingClientRect()] as const);
  panels.forEach(([name, box], index) => {
    if (!isWithin(box, document.querySelector(".panels")!.getBoundingClientRect())) found.push(`${name} is not on the board`);
    const other = panels.slice(index + 1).find(([, it]) => isOver(box, it));
    if (other) found.push(`${name} is over ${other[0]}`);
  });
  return found;
});

/** How many marks there are that stand for values, and what is said where there are none. */
const shown = (page: Page, id: number) => page.evaluate((id) => {
  const panel = document.querySelector(`[data-panel="${id}"]`)!;
  const count = (selector: string) => panel.querySelectorAll(selector).length;
  return {
    title: panel.querySelector("h3")?.textContent ?? panel.textContent,
    absent: panel.querySelector(".absent")?.textContent ?? null,
    named: count(".legend tbody tr:not(.more), .bar, strong, .gauge svg, .rows tbody tr"),
    more: Number(/and (\d+) more/.exec(panel.querySelector(".more")?.textContent ?? "")?.[1] ?? 0),
    lines: [...panel.querySelectorAll(".series")].filter((it) => it.querySelector("path[d^=M], circle, rect")).length,
  };
}, id);

async function looks(board: Board, answers: Answers): Promise<void> {
  const page = await drawn(browser, ink, board, answers);
  assert.deepEqual(await wrong(page), []);
  for (const panel of board.panels) {
    const seen = await shown(page, panel.id);
    assert.equal(seen.title, panel.title);
    if (panel.kind === "row") continue;
    const all = named(panel, answers);
    if (!hasValues(panel, answers)) {
      assert.match(seen.absent ?? "", /^No data/, panel.title);
    } else if (panel.kind === "table") {
      assert.ok(seen.named > 0, panel.title);
    } else {
      assert.equal(seen.named + seen.more, all.length, panel.title);
    }
    if (panel.kind === "timeseries") {
      const isLine = (name: string) => panel.overrides.find((it) => it.name === name)?.look.line !== 0;
      const has = (points: [number, number][]) => !panel.look.isBars || points.some(([, value]) => value !== 0);
      assert.equal(seen.lines, all.filter(({ name, points }) => isLine(name) && has(points)).length, panel.title);
    }
  }
  const foot = await page.locator("footer").textContent();
  assert.ok(foot?.includes(board.title) && foot.includes("Drawn by Plimsoll"), foot ?? "");
  await page.close();
}

for (const name of readdirSync(BOARDS).sort()) {
  const board = readBoard(readFileSync(new URL(name, BOARDS), "utf8"), name);
  test(`${board.title}: each panel is there, whole, and shows what it has`, () => looks(board, ANSWERS[board.uid]!));
  test(`${board.title}: without an answer it says so`, () =>
    looks(board, { ...ANSWERS[board.uid]!, panels: {}, marks: {} }));
}

test("a panel with more than there is room for says how much more", async () => {
  const name = "plimsoll-memory.json";
  const board = readBoard(readFileSync(new URL(name, BOARDS), "utf8"), name);
  const span = { from_s: 1_800_000_000, to_s: 1_800_000_600 };
  const many = Array.from({ length: 40 }, (_, index) => ({
    labels: { namespace: "a-namespace-with-a-long-name", pod: `a-pod-with-quite-a-long-name-${index}`, container: "app" },
    points: Array.from({ length: 21 }, (_, step): [number, number] => [span.from_s + step * 30, 1e9 * (index + Math.sin(step))]),
  }));
  const panels = Object.fromEntries(board.panels.map((panel) => [panel.id, Object.fromEntries(panel.targets.map(({ ref }) => [ref, panel.kind === "stat" || panel.kind === "gauge" ? many.slice(0, 2) : many]))]));
  await looks(board, { span, step_s: 30, panels, marks: { "OOM kill": many.slice(0, 2) } });
});
