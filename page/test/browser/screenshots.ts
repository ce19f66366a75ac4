// Takes the pictures of the page that the documentation shows, of a server that was filled for that.
import { statSync } from "node:fs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { launch, opened } from "./browser";
import { demo } from "./demo";

const DOCS = new URL("../../../docs/", import.meta.url).pathname;
/** Of one picture. */
const BYTES_MAX = 300_000;

const served = await demo();
const browser = await launch();

async function take(name: string, options: BrowserContextOptions, prepare: (page: Page) => Promise<void>): Promise<void> {
  const page = await opened(browser, served.url, options);
  await page.locator("#costs table").first().waitFor();
  await page.locator(".band .bar").first().waitFor();
  await page.locator(".loadline").waitFor();
  await page.locator(".empty[aria-busy]").waitFor({ state: "detached" });
  await prepare(page);
  await page.screenshot({ path: `${DOCS}page-${name}.png`, animations: "disabled" });
  const { size } = statSync(`${DOCS}page-${name}.png`);
  console.log(`docs/page-${name}.png: ${size} bytes`);
  if (size > BYTES_MAX) process.exitCode = 1;
  await page.close();
}

/** A booking that does not fit as it was asked for. */
async function book(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Book a time" }).click();
  const day = new Date(Date.now() + 4 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Start", { exact: true }).fill(`${day}T11:00`);
  await page.getByLabel("End", { exact: true }).fill(`${day}T12:30`);
  await page.getByLabel("Title").fill("Attention, second wave");
  await page.getByLabel("Participants with video", { exact: true }).fill("150");
  await page.locator(".verdict.fits_if:not([aria-busy=true])").waitFor();
}

const top = (page: Page, id: string) => page.locator(id).evaluate((element) => element.scrollIntoView({ block: "start", behavior: "instant" }));

await take("light", { viewport: { width: 1280, height: 1180 }, colorScheme: "light" }, async (page) => { await book(page); await top(page, "#calendar"); });
await take("dark", { viewport: { width: 1280, height: 1180 }, colorScheme: "dark" }, async (page) => { await top(page, "#main"); });
await take("phone", { viewport: { width: 390, height: 1180 }, colorScheme: "light", isMobile: true, hasTouch: true, deviceScaleFactor: 1.5 }, async (page) => { await book(page); await top(page, "#calendar"); });
await browser.close();
await served.end();
