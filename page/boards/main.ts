// The command: draws the boards of a folder, with what a Prometheus says, into another folder.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { launch } from "../test/browser/browser";
import { ask } from "./ask";
import type { Answers, Board } from "./model";
import { drawn, pen } from "./picture";
import { packed } from "./png";
import { readBoard, seconds } from "./read";
import { hasValues } from "./shown";

const USAGE = "node boards/run.mjs --boards DIR --prometheus URL --out DIR [--last 10m] [--min-step 5s] [--top UID]... [--record FILE]";
/** Of one picture. */
const BYTES_MAX = 300_000;
const TOP_ROWS = 24;
/** A busy machine takes long for a large picture. */
const WAIT_MS = 180_000;

process.on("uncaughtException", (error) => {
  console.error(error.message);
  process.exit(1);
});

const { values: given } = parseArgs({
  options: {
    boards: { type: "string" }, prometheus: { type: "string" }, out: { type: "string" },
    last: { type: "string", default: "10m" }, "min-step": { type: "string" },
    top: { type: "string", multiple: true, default: [] }, record: { type: "string" },
  },
});
if (!given.boards || !given.prometheus || !given.out) throw new Error(`boards, prometheus and out have to be said\n${USAGE}`);

const to_s = Math.floor(Date.now() / 1000);
const span = { from_s: to_s - seconds(given.last), to_s };
const stepMin_s = given["min-step"] === undefined ? undefined : seconds(given["min-step"]);
const names = readdirSync(given.boards).filter((name) => name.endsWith(".json")).sort();
if (names.length === 0) throw new Error(`${given.boards}: no board\nplimsoll render dashboards --out ${given.boards}`);
mkdirSync(given.out, { recursive: true });
const boards = names.map((name) => readBoard(readFileSync(`${given.boards}/${name}`, "utf8"), name));
const answered: Record<string, Answers> = {};
for (const board of boards) answered[board.uid] = await ask(board, { prometheus: given.prometheus, span, stepMin_s });
if (given.record) writeFileSync(given.record, `${JSON.stringify(answered)}\n`);

const browser = await launch();
const ink = await pen();
for (const board of boards) {
  const answers = answered[board.uid]!;
  await take(board, answers, `${given.out}/${board.uid}.png`);
  if (given.top.includes(board.uid)) await take(topOf(board), answers, `${given.out}/${board.uid}-top.png`);
}
await browser.close();

/** Of the grid's rows as many as fit on a screen, without a heading that has nothing below it. */
function topOf(board: Board): Board {
  const panels = board.panels.filter(({ place }) => place.y + place.h <= TOP_ROWS);
  while (panels.at(-1)?.kind === "row") panels.pop();
  return { ...board, panels };
}

async function take(board: Board, answers: Answers, path: string): Promise<void> {
  const page = await drawn(browser, ink, board, answers);
  writeFileSync(path, packed(await page.screenshot({ fullPage: true, animations: "disabled", timeout: WAIT_MS })));
  await page.close();
  const panels = board.panels.filter(({ kind }) => kind !== "row");
  const empty = panels.filter((panel) => !hasValues(panel, answers)).map(({ title }) => title);
  const { size } = statSync(path);
  console.log(`${path}: ${size} bytes, ${panels.length - empty.length} of ${panels.length} panels have something to show`);
  if (empty.length > 0) console.log(`  nothing: ${empty.join(", ")}`);
  if (size > BYTES_MAX) {
    console.error(`${path}: more than ${BYTES_MAX} bytes`);
    process.exitCode = 1;
  }
}
