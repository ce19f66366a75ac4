// Answers in the shapes that were agreed on, of what a server does not serve; what it serves comes from there.
import type { Page } from "playwright-core";
import type { Accuracy, Point, Used } from "../../src/api/shapes";

const HOUR_MS = 3_600_000;
const iso = (at: number) => new Date(at).toISOString();

/** Has the page see them. */
export async function agreed(page: Page): Promise<void> {
  const answers: Record<string, unknown> = {
    "/api/capacity/profiling/data": { points: points() },
    "/api/capacity/accuracy": accuracy(),
  };
  for (const [path, body] of Object.entries(answers)) await page.route((url) => url.pathname === path, async (route) => {
    const real = await route.fetch();
    await (real.status() === 404 ? route.fulfill({ json: body }) : route.fulfill({ response: real }));
  });
  await page.route((url) => url.pathname === "/api/capacity/status", async (route) => {
    const status = await (await route.fetch()).json();
    await route.fulfill({ json: { used: used(), ...status } });
  });
}

function used(): Used {
  const at = iso(Date.now() - 20_000);
  const pod = (name: string, mb: number, video: number) => ({ pod: name, version: "2.4.1", at, memory_bytes: mb * 1e6, roles: { participant_video: video, experimenter: 1 }, connections: video + 1 });
  return { as_of: at, memory_bytes: 737e6, roles: { participant_video: 24, experimenter: 3 }, pods: [pod("app-7f9c-a", 312, 12), pod("app-7f9c-b", 285, 12), pod("app-7f9c-c", 140, 0)] };
}

function points(): Point[] {
  return Array.from({ length: 288 }, (_, index) => {
    const people = Math.max(0, Math.round(9 * Math.sin((index - 80) / 45)));
    const expected = 104 + people * 15.4;
    return { at: iso(Date.now() - (288 - index) * 300_000), pod: "app-7f9c-a", version: "2.4.1", memory_mb: expected + 12 * Math.sin(index * 7.3), roles: { participant_video: people }, expected_mb: expected, p95_mb: expected * 1.06 + 14 };
  });
}

function accuracy(): Accuracy {
  const scored = Array.from({ length: 40 }, (_, index) => {
    const p50 = 150 + ((index * 137) % 700);
    return { id: `p${index}`, asked_at: iso(Date.now() - (50 + index) * HOUR_MS), for: iso(Date.now() - index * HOUR_MS), p50_mb: p50, p95_mb: p50 * 1.12, p99_mb: p50 * 1.2, used_mb: p50 * (0.93 + ((index * 31) % 17) / 100), as_asked: index % 6 > 0 };
  });
  return { summary: { projections: 40, error_share: 0.038, bias_mb: 6.2, covered_p95_share: 0.956, covered_p99_share: 0.991, breach_share: 0 }, open: 12, missed: 3, scored };
}
