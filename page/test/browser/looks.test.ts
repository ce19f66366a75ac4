// How it looks: light and dark, on a phone, without a pointer, for who does not see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch, opened, violations } from "./browser";
import { demo } from "./demo";
import { Served } from "./served";

let browser: Browser;
let served: Served;
before(async () => { [browser, served] = await Promise.all([launch(), demo()]); });
after(async () => { await browser.close(); await served.end(); });

const DESK = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** Everything has been answered, and a booking is being written. */
async function filled(page: Page): Promise<void> {
  await page.locator(".reservation").first().waitFor();
  await page.locator("#costs table").first().waitFor();
  await page.getByRole("button", { name: "Book a time" }).click();
  await page.locator(".verdict:not([aria-busy=true])").waitFor();
  await page.locator(".empty[aria-busy]").waitFor({ state: "detached" });
}

const background = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test("axe finds nothing, in light, in dark and on a phone, and nothing is wider than the screen", async () => {
  const looks: [string, BrowserContextOptions][] = [
    ["light", { ...DESK, colorScheme: "light" }], ["dark", { ...DESK, colorScheme: "dark" }],
    ["phone, light", { ...PHONE, colorScheme: "light" }], ["phone, dark", { ...PHONE, colorScheme: "dark" }],
  ];
  for (const [name, options] of looks) {
    const page = await opened(browser, served.url, options);
    await filled(page);
    assert.deepEqual(await violations(page), [], name);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, `${name}: wider than the screen by ${wide} px`);
    await page.close();
  }
});

test("every picture has a table that says the same", async () => {
  const page = await opened(browser, served.url, DESK);
  await filled(page);
  const figures = page.locator("figure");
  assert.equal(await figures.count(), 5, "the load line, the band, coefficients, data and fit, foretold and used");
  for (const figure of await figures.all()) {
    await figure.getByText("Show as table").click();
    assert.ok((await figure.locator("tbody tr").count()) > 0, await figure.innerText());
    assert.equal(await figure.locator("svg[role=img], [role=application] svg[aria-hidden]").count(), 1);
  }
  assert.deepEqual(await violations(page), []);
  await page.close();
});

test("the switch overrules the system, is kept, and is back at auto", async () => {
  const page = await opened(browser, served.url, { ...DESK, colorScheme: "light" });
  const light = await background(page);
  await page.getByLabel("dark", { exact: true }).check({ force: true });
  const dark = await background(page);
  assert.notEqual(dark, light);
  await page.reload();
  await page.locator("#now-title").waitFor();
  assert.equal(await background(page), dark);
  await page.getByLabel("auto", { exact: true }).check({ force: true });
  assert.equal(await background(page), light);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await background(page), dark);
  await page.close();
});

test("every control is reached by Tab, and shows that it is", async () => {
  const page = await opened(browser, served.url, DESK);
  await filled(page);
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByText("Skip to what is shown").focus();
  const controls = page.locator("main button:visible:enabled, main select:visible, main summary:visible");
  const wanted = await controls.evaluateAll((all) => all.map((element, index) => { element.setAttribute("data-control", String(index)); return `${index}: ${element.textContent?.slice(0, 40)}`; }));
  const seen: string[] = [];
  // As many Tabs as there can be controls.
  for (let count = 0; count < 400; count += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      if (element === document.body) return null;
      const shown = element.matches("input[type=radio]") ? element.nextElementSibling! : element;
      const name = `${element.dataset["control"]}: ${element.textContent?.slice(0, 40)}`;
      return { name, isControl: element.dataset["control"] !== undefined, outline: getComputedStyle(shown).outlineStyle };
    });
    if (!at) break;
    assert.notEqual(at.outline, "none", `${at.name} does not show that it has the focus`);
    if (at.isControl) seen.push(at.name);
  }
  assert.deepEqual(seen, wanted);
  await page.close();
});

test("headings and landmarks are there, and motion only for who wants it", async () => {
  const page = await opened(browser, served.url, { ...DESK, reducedMotion: "reduce" });
  for (const landmark of ["banner", "navigation", "main", "contentinfo"] as const) assert.equal(await page.getByRole(landmark).count(), 1, landmark);
  for (const name of ["Now", "Calendar", "Reservations", "Profiles", "Accuracy", "Ahead of the schedule", "Builds and right-sizing", "Cost of what is booked"]) {
    assert.equal(await page.getByRole("region", { name, exact: true }).count(), 1, name);
    assert.equal(await page.getByRole("heading", { level: 2, name, exact: true }).count(), 1, name);
  }
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("button")!).transitionDuration), "0s");
  await page.close();
});
