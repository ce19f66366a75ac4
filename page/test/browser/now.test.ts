// What is shown is what the API says, and an empty server says what to do next.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, opened, violations } from "./browser";
import { CONFIG, demo } from "./demo";
import { Served } from "./served";

let browser: Browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

test("now, the band, profiles and cost are those of the API", async () => {
  const served = await demo();
  const page = await opened(browser, served.url);
  const { body: status } = await served.ask("GET", "/api/capacity/status");
  const free = page.getByRole("region", { name: "Free for the next hour" });
  const row = free.getByRole("row", { name: /^experimenters/ });
  await row.waitFor();
  assert.deepEqual((await row.getByRole("cell").allInnerTexts()).map(Number), [status.available_slots.experimenter.ready, status.available_slots.experimenter.most]);
  for (const name of ["fra", "hel"]) await page.getByRole("region", { name: "Regions" }).getByRole("row", { name: new RegExp(`^${name}`) }).waitFor();

  await page.getByRole("img", { name: /^Memory now: .*booked at p95/ }).waitFor();

  const { body: list } = await served.ask("GET", "/api/capacity/schedule?limit=500");
  await page.locator(".band .bar").first().waitFor();
  assert.ok((await page.locator(".band .bar").count()) <= list.reservations.length);
  await page.locator(".band .bar", { hasText: "Running" }).first().waitFor();
  // A bar leads to its reservation, further down than is listed at first.
  await page.getByRole("button", { name: "4 weeks" }).click();
  const last = list.reservations.filter((it: { title: string }) => it.title === "Weekly colloquium")[3];
  await page.locator(`.bar[href="#reservation-${last.id}"] .scheduled`).click();
  await page.locator(`#reservation-${last.id} .more`).getByText(last.id).waitFor();

  assert.ok((await page.locator(`#reservation-${last.id} .timeline li`).count()) >= 5, "what is done for it ahead");
  const { body: scaling } = await served.ask("GET", "/api/capacity/scaling");
  const wanted = page.getByRole("region", { name: "Targets" }).getByRole("row", { name: /^fra/ });
  assert.equal(Number(await wanted.getByRole("cell").nth(1).innerText()), scaling.targets.find((it: { region: string }) => it.region === "fra").pods);

  const { body: timetable } = await served.ask("GET", "/api/capacity/timetable");
  assert.ok(timetable.stretches.length > 5);
  await page.getByText("Show as table: Booked over time").click();
  await page.getByRole("region", { name: "Booked over time" }).getByRole("row").nth(5).waitFor();

  const { body: profiling } = await served.ask("GET", "/api/capacity/profiling");
  assert.equal(profiling.profiles.at(-1).app_version, "2.4.1", "it was learned from what was observed");
  await page.locator("#profiles").getByText("1,728 observations").waitFor();
  await page.getByRole("region", { name: "Cost by reservation" }).getByText("EUR").first().waitFor();
  await page.close();
  await served.end();
});

test("an empty server says what to do next", async () => {
  const served = await Served.start(CONFIG);
  const page = await opened(browser, served.url);
  for (const text of ["Drag over the calendar, or press Book a time", "published values stand in", "Nothing is booked, so nothing costs anything"]) {
    await page.getByText(text).first().waitFor();
  }
  assert.deepEqual(await violations(page), []);
  await page.close();
  await served.end();
});
