// Answers in the shapes that were agreed on, of what a server does not serve; what it serves comes from there.
import type { Page } from "playwright-core";
import type { Accuracy, Point, Reservation, Scaling, Stretch, Timetable, Used } from "../../src/api/shapes";

const HOUR_MS = 3_600_000;
const iso = (at: number) => new Date(at).toISOString();

/** Has the page see them. */
export async function agreed(page: Page): Promise<void> {
  const answers: Record<string, unknown> = {
    "/api/capacity/profiling/data": { points: points() },
    "/api/capacity/accuracy": accuracy(),
    "/api/capacity/scaling": scaling(),
    "/api/builds": { builds: [{ project: "web", job: "npx tsc -p .", command: "npx tsc -p .", runs: 12, last: "succeeded", last_at: iso(Date.now() - 4 * HOUR_MS), mode: "critical", peak_bytes: 1.62e9, request_bytes: 1.7e9, limit_bytes: 2.1e9 }] },
    "/api/plans": { plans: [{ id: "2026-11-30-a1b2", made_at: iso(Date.now() - 30 * HOUR_MS), state: "applied", workloads: 14, requested_before_bytes: 4.4e9, requested_after_bytes: 1.5e9 }] },
  };
  for (const [path, body] of Object.entries(answers)) await page.route((url) => url.pathname === path, async (route) => {
    const real = await route.fetch();
    await (real.status() === 404 ? route.fulfill({ json: body }) : route.fulfill({ response: real }));
  });
  await page.route((url) => url.pathname === "/api/capacity/timetable", async (route) => {
    const real = await route.fetch();
    if (real.status() !== 404) return route.fulfill({ response: real });
    const url = new URL(route.request().url());
    const [from, until] = [url.searchParams.get("from")!, url.searchParams.get("until")!];
    const list = await (await route.fetch({ url: `${url.origin}/api/capacity/schedule?from=${from}&until=${until}&limit=500` })).json();
    const status = await (await route.fetch({ url: `${url.origin}/api/capacity/status` })).json();
    return route.fulfill({ json: timetable(Date.parse(from), Date.parse(until), list.reservations, status) });
  });
  await page.route((url) => url.pathname === "/api/capacity/status", async (route) => {
    const status = await (await route.fetch()).json();
    await route.fulfill({ json: { used: used(), ...status } });
  });
}

function timetable(from: number, until: number, all: Reservation[], there: { capacity_bytes: number; ready_bytes: number }): Timetable {
  const held = all.filter((it) => ["requested", "confirmed", "preparing", "active"].includes(it.state))
    .map((it) => ({ it, start: Date.parse(it.held.start), end: Date.parse(it.held.end) }));
  const edges = [...new Set([from, until, ...held.flatMap(({ start, end }) => [start, end])])].filter((at) => at >= from && at <= until).sort((a, b) => a - b);
  const stretches = edges.slice(1).map((end, index): Stretch => {
    const start = edges[index]!;
    const open = held.filter((it) => it.start < end && it.end > start).map(({ it }) => it);
    const bytes = open.flatMap((it) => Object.entries(it.roles)).reduce((sum, [role, count]) => sum + count * (role === "participant_video" ? 15e6 : role === "experimenter" ? 25e6 : 8e6), 0);
    const people = open.flatMap((it) => Object.values(it.roles)).reduce((sum, count) => sum + count, 0);
    const spread = Math.sqrt(people) * 8e6;
    return { start: iso(start), end: iso(end), rooms: open.reduce((sum, it) => sum + it.rooms, 0), people, p50_bytes: bytes, p95_bytes: bytes + spread * 1.6, p99_bytes: bytes + spread * 2.3, reservations: open.length };
  });
  return { as_of: iso(Date.now()), from: iso(from), until: iso(until), capacity_bytes: there.capacity_bytes, ready_bytes: there.ready_bytes, stretches };
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

function scaling(): Scaling {
  const step = (minutes: number, name: string, outcome: string, detail: string | null) => ({ at: iso(Date.now() - minutes * 60_000), region: "fra", reservation_id: "r1", step: name, outcome, detail });
  return {
    dry_run: true, via: "replicas",
    targets: [{ region: "fra", pods: 5, pods_now: 2, nodes: 3, for_ids: ["a", "b"] }, { region: "hel", pods: 1, pods_now: 1, nodes: null, for_ids: [] }],
    log: [step(4, "scale", "dry_run", "would set 5 replicas"), step(14, "compute", "done", null), step(95, "scale_down", "dry_run", "would set 2 replicas")],
  };
}
