// The page follows its server, says when it cannot, and asks for a token where one is needed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, opened, violations } from "./browser";
import { BINARY, Served } from "./served";

let browser: Browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
const one = (title: string, hours: number) => ({ title, start: inHours(hours), duration_minutes: 60, roles: { experimenter: 1 } });

test("what others do is shown, a lost connection too, and nothing is missed meanwhile", async () => {
  const served = await Served.start("");
  const page = await opened(browser, served.url);
  await page.getByText("live", { exact: true }).waitFor();
  await served.reserve(one("From elsewhere", 20));
  await page.locator(".reservation", { hasText: "From elsewhere" }).waitFor();

  await served.stop();
  await page.getByText(/The connection was lost at \d\d:\d\d/).waitFor();
  await page.getByText("not live", { exact: true }).waitFor();
  assert.equal(await page.locator(".reservation").count(), 1, "what was known stays");
  assert.deepEqual(await violations(page), []);

  const resumed = page.waitForRequest((it) => it.url().endsWith("/events") && "last-event-id" in it.headers());
  await served.again();
  assert.match((await resumed).headers()["last-event-id"]!, /^\d+$/);
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByText(/The connection was lost/).waitFor({ state: "detached" });
  await served.reserve(one("Afterwards", 40));
  await page.locator(".reservation", { hasText: "Afterwards" }).waitFor();
  await page.close();
  await served.end();
});

test("a token is asked for, kept in the tab, and sent with everything", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-token-"));
  // The entry is on stdout; the token itself, on stderr, is kept nowhere.
  const script = '"$0" serve --new-token page --scope reserve 2>"$1/token"';
  writeFileSync(join(folder, "tokens.yaml"), execFileSync("sh", ["-c", script, BINARY, folder]));
  const token = execFileSync("cat", [join(folder, "token")], { encoding: "utf8" }).trim();
  const served = await Served.start("", ["--tokens", join(folder, "tokens.yaml")]);
  const page = await opened(browser, served.url);
  const field = page.getByLabel("Token", { exact: true });
  await field.waitFor();
  assert.deepEqual(await violations(page), []);
  await field.fill("wrong");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("This token is not known here").waitFor();
  await field.fill(token);
  const events = page.waitForRequest((it) => it.url().endsWith("/events"));
  await page.getByRole("button", { name: "Use it" }).click();
  assert.equal((await events).headers()["authorization"], `Bearer ${token}`);
  await page.getByText("Capacity for people").waitFor();
  await field.waitFor({ state: "detached" });
  await page.getByText("live", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("plimsoll.token")), null);
  await page.reload();
  await page.getByText("Capacity for people").waitFor();
  await page.close();
  await served.end();
  rmSync(folder, { recursive: true });
});
