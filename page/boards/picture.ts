// Has Chromium draw boards.
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { WIDTH } from "./grid";
import type { Answers, Board } from "./model";

/** The sources, from where this is built to. */
const DRAW = new URL("../../boards/draw/", import.meta.url).pathname;

/** Of a page that draws, its script and style. */
export interface Pen { script: string; style: string }

export async function pen(): Promise<Pen> {
  const built = await build({
    entryPoints: [`${DRAW}main.tsx`, `${DRAW}style.css`], bundle: true, write: false, outdir: "/", target: "es2022", jsx: "automatic", jsxImportSource: "preact",
  });
  const text = (ending: string) => built.outputFiles.find(({ path }) => path.endsWith(ending))!.text;
  return { script: text(".js"), style: text(".css") };
}

/** A page with the board on it; it fails where drawing does. */
export async function drawn(browser: Browser, pen: Pen, board: Board, answers: Answers): Promise<Page> {
  // A picture is as high as what is on it, where that is higher than the page.
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 100 } });
  await page.setContent(`<!doctype html><html lang="en"><title>${board.title}</title><body></body></html>`);
  await page.addStyleTag({ content: pen.style });
  await page.addScriptTag({ content: pen.script });
  await page.evaluate(([board, answers]) => window.drawBoard(board, answers), [board, answers] as const);
  return page;
}
