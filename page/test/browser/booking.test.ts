// A time is chosen on the band by pointer and by keys, the form says whether it fits, and it is booked, once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launch, opened, violations } from "./browser";
import { Served } from "./served";

/** One pod of 300 MB beside its base: ten with video fit once, and not twice. */
const CONFIG = "capacity:\n  pod_limit: 400M\n  regions:\n  - {name: '', pods: 1, most_pods: 1}\n";

let browser: Browser;
let served: Served;
before(async () => { [browser, served] = await Promise.all([launch(), Served.start(CONFIG)]); });
after(async () => { await browser.close(); await served.end(); });

/** The form, open for the day after tomorrow from 10:00 to 11:00 of the page's clock. */
async function form(page: Page, days: number) {
  await page.getByRole("button", { name: "Book a time" }).click();
  const day = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Start", { exact: true }).fill(`${day}T10:00`);
  await page.getByLabel("End", { exact: true }).fill(`${day}T11:00`);
  return page.getByRole("form", { name: "Book a time" });
}

const headline = (page: Page, text: string) => page.locator(".verdict:not([aria-busy=true]) .headline", { hasText: text });

test("a drag over the band chooses a time, which is booked with a key", async () => {
  const page = await opened(browser, served.url);
  const band = page.getByRole("application");
  await page.getByRole("button", { name: "Next week" }).click();
  await band.scrollIntoViewIfNeeded();
  const box = (await band.boundingBox())!;
  const y = box.y + 120;
  await page.mouse.move(box.x + box.width * 0.4, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.43, y, { steps: 4 });
  assert.equal(await page.locator(".selection rect").count(), 1, "what is chosen is drawn while it is dragged");
  await page.mouse.up();
  await page.getByLabel("Title").fill("By pointer");
  await headline(page, "Fits").waitFor();
  const request = page.waitForRequest((it) => it.method() === "POST" && "idempotency-key" in it.headers());
  await page.getByRole("button", { name: "Book it" }).click();
  assert.match((await request).headers()["idempotency-key"]!, /^[0-9a-f]{32}$/);
  await page.getByText(/By pointer is booked: /).waitFor();
  await page.locator(".reservation", { hasText: "By pointer" }).waitFor();
  const { body } = await served.ask("GET", "/api/capacity/schedule?state=confirmed");
  const booked = body.reservations.find((it: { title: string }) => it.title === "By pointer");
  const minutes = (Date.parse(booked.scheduled.end) - Date.parse(booked.scheduled.start)) / 60_000;
  assert.ok(minutes >= 240 && minutes <= 420 && minutes % 30 === 0, `3 % of a week in half hours: ${minutes}`);
  await page.close();
});

test("a finger chooses as well, and the page scrolls with it", async () => {
  const page = await opened(browser, served.url, { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
  const band = page.getByRole("application");
  await page.getByRole("button", { name: "Next day" }).click();
  await band.scrollIntoViewIfNeeded();
  const box = (await band.boundingBox())!;
  const client = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", x: number) =>
    client.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x: box.x + x, y: box.y + 100 }] });
  await touch("touchStart", 200);
  for (const x of [215, 230, 245]) await touch("touchMove", x);
  await touch("touchEnd", 245);
  await page.getByRole("form", { name: "Book a time" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Nothing was booked.").waitFor();
  await page.close();
});

test("keys alone choose, book and cancel", async () => {
  const page = await opened(browser, served.url);
  const band = page.getByRole("application");
  await page.getByRole("button", { name: "Next week" }).click();
  await band.focus();
  await page.keyboard.press("ArrowRight");
  await page.getByText(/Chosen: Mon .* 00:00 to 01:00, 1 h/).waitFor();
  await page.keyboard.press("PageDown");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByText(/Chosen: Tue .* 00:30 to 02:00, 1 h 30 min/).waitFor();
  await page.keyboard.press("Enter");
  // It has the focus once it is drawn.
  await page.locator("[placeholder='Pilot of the memory study']:focus").waitFor();
  await page.keyboard.type("By keys");
  await headline(page, "Fits").waitFor();
  await page.getByRole("button", { name: "Book it" }).and(page.locator(":enabled")).waitFor();
  await page.keyboard.press("Enter");
  await page.getByText(/By keys is booked: /).waitFor();
  // The focus is back where it was.
  await page.locator("[role=application]:focus").waitFor();
  await page.locator(".reservation", { hasText: "By keys" }).getByRole("button", { name: "Cancel" }).focus();
  await page.keyboard.press("Enter");
  const cancelled = page.waitForRequest((it) => it.method() === "DELETE");
  await page.keyboard.press("Enter");
  assert.match((await cancelled).headers()["if-match"]!, /^"\d+"$/);
  await page.getByText("By keys is cancelled.").waitFor();
  await page.locator(".reservation", { hasText: "By keys" }).waitFor({ state: "detached" });
  await page.close();
});

test("what does not fit says why, who holds it, and what would do", async () => {
  const page = await opened(browser, served.url);
  const open = await form(page, 3);
  await page.getByLabel("Title").fill("The holder");
  await page.getByLabel("Participants with video", { exact: true }).fill("9");
  await headline(page, "Fits in what runs now").waitFor();
  await page.getByRole("button", { name: "Book it" }).click();
  await open.waitFor({ state: "detached" });

  await form(page, 3);
  await page.getByLabel("Title").fill("The second");
  await page.getByLabel("Participants with video", { exact: true }).fill("9");
  await headline(page, "Fits if").waitFor();
  const verdict = page.locator(".verdict");
  assert.match(await verdict.innerText(), /held by\s+The holder/);
  assert.match(await verdict.innerText(), /what binds\s+memory/);
  assert.ok(await page.getByRole("button", { name: "Book it" }).isDisabled());
  assert.deepEqual(await violations(page), []);

  const start = await page.getByLabel("Start", { exact: true }).inputValue();
  await page.getByRole("button", { name: "Take this time" }).click();
  assert.notEqual(await page.getByLabel("Start", { exact: true }).inputValue(), start);
  await headline(page, "Fits in what runs now").waitFor();

  await page.getByLabel("Start", { exact: true }).fill(start);
  await headline(page, "Fits if").waitFor();
  const count = page.getByRole("button", { name: "Take so many" });
  if (await count.count()) {
    await count.click();
    assert.ok(Number(await page.getByLabel("Participants with video", { exact: true }).inputValue()) < 9);
    await headline(page, "Fits in what runs now").waitFor();
    await page.getByLabel("Participants with video", { exact: true }).fill("9");
    await headline(page, "Fits if").waitFor();
  }
  await page.getByRole("button", { name: "Let it wait" }).click();
  await headline(page, "Fits if it waits for a place").waitFor();
  await page.getByRole("button", { name: "Wait for a place" }).click();
  await page.getByText(/The second waits for a place: /).waitFor();
  await page.locator(".reservation", { hasText: "The second" }).getByText("waitlisted").waitFor();

  await form(page, 3);
  await page.getByLabel("Participants with video", { exact: true }).fill("500");
  await headline(page, "Fits if").waitFor();
  assert.match(await verdict.innerText(), /As asked it does not: .*[MG]B/);
  assert.equal(await page.getByRole("button", { name: "Take this time" }).count(), 0, "there is no such time");
  await page.close();
});

test("what is held is confirmed, and what repeats is booked as often", async () => {
  const page = await opened(browser, served.url);
  await form(page, 5);
  await page.getByLabel("Title").fill("A hold");
  await headline(page, "Fits").waitFor();
  await page.getByRole("button", { name: "Hold it for 15 min" }).click();
  const hold = page.locator(".reservation", { hasText: "A hold" });
  await hold.getByText("held", { exact: true }).waitFor();
  await hold.getByRole("button", { name: "Confirm" }).click();
  await hold.getByText("confirmed", { exact: true }).waitFor();

  await form(page, 6);
  await page.getByLabel("Title").fill("A series");
  await page.getByLabel("Repeats").selectOption("weekly");
  await page.getByLabel("How many times").fill("3");
  await page.locator(".verdict .facts").getByText("3 times").waitFor();
  await page.getByRole("button", { name: "Book it" }).and(page.locator(":enabled")).click();
  await page.getByText(/A series is booked: 3 times from /).waitFor();
  const series = page.locator(".reservation", { hasText: "A series" });
  await series.nth(2).waitFor();
  await series.nth(1).getByRole("button", { name: "Cancel" }).click();
  await series.nth(1).getByRole("button", { name: "All that are to come" }).click();
  await page.getByText("A series: all that was to come is cancelled.").first().waitFor();
  await series.first().waitFor({ state: "detached" });
  await page.close();
});

test("only the latest answer counts, and what is missing is said at once", async () => {
  const page = await opened(browser, served.url);
  await form(page, 8);
  await headline(page, "Fits").waitFor();
  let asked = 0;
  page.on("request", (it) => { if (it.method() === "POST") asked += 1; });
  await page.getByLabel("Participants with video", { exact: true }).pressSequentially("000");
  await page.getByLabel("Participants with video", { exact: true }).fill("10");
  await headline(page, "Fits").waitFor();
  assert.ok(asked <= 2, `${asked} requests for four keys`);
  await page.getByLabel("End", { exact: true }).fill("2020-01-01T00:00");
  await headline(page, "It ends before it starts").waitFor();
  assert.ok(await page.getByRole("button", { name: "Book it" }).isDisabled());
  await page.close();
});

test("what somebody else has changed meanwhile is not cancelled unseen", async () => {
  const at = new Date(Date.now() + 9 * 86_400_000).toISOString();
  const made = await served.reserve({ title: "Contested", start: at, duration_minutes: 60, roles: { experimenter: 1 } });
  const page = await opened(browser, served.url);
  const item = page.locator(".reservation", { hasText: "Contested" });
  await item.getByRole("button", { name: "Cancel" }).click();
  // The page follows, so its request is held until the other's change is there.
  await page.route("**/api/capacity/schedule/*", async (route) => {
    await served.ask("DELETE", `/api/capacity/schedule/${made.id}`);
    await route.continue();
  });
  await item.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.getByText("Contested: somebody has changed it meanwhile. Look at it again.").waitFor();
  await page.close();
});
