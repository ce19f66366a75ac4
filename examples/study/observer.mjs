// Observations: what the app says of itself at /metrics, once each minute that is played, as Plimsoll takes it.

import { appendFile } from 'node:fs/promises';

const MINUTE_MS = 60_000;
/** They are handed on when there are so many, or when so much real time has passed. */
const BATCH = 500;
const BATCH_MS = 2_000;
/** An answer takes no longer, in real milliseconds. */
const TIMEOUT_MS = 5_000;

export class Observer {
  /** Into a file, a line each, and to Plimsoll. */
  constructor(clock, apps, { file, url }) {
    // Pods are called as Plimsoll calls them where it asks by itself: by their host, and the port where that is not enough.
    const pods = apps.map((app) => ({ app, name: apps.length > 1 ? new URL(app).host : new URL(app).hostname }));
    Object.assign(this, { clock, pods, file, url, seen: [], handedMs: Date.now() });
  }

  /** Goes on until the process ends. */
  async observe() {
    await this.clock.every(MINUTE_MS, async () => {
      // In the present Plimsoll asks by itself; what was before it cannot ask.
      if (this.url && this.clock.hasCaughtUp()) return;
      await Promise.all(this.pods.map(({ app, name }) => this.#look(app, name)));
      if (this.seen.length >= BATCH || Date.now() - this.handedMs >= BATCH_MS) await this.end();
    });
  }

  /** Hands on what there is. */
  async end() {
    const batch = this.seen.splice(0);
    this.handedMs = Date.now();
    if (batch.length === 0) return;
    if (this.file) await appendFile(this.file, batch.map((one) => `${JSON.stringify(one)}\n`).join(''));
    if (this.url) await this.#post(batch);
  }

  async #look(app, pod) {
    const atMs = this.clock.now();
    try {
      const answer = await fetch(`${app}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      this.seen.push(observation(atMs, pod, await answer.text()));
    } catch (error) {
      console.error(`${app}/metrics: ${error.message}`);
    }
  }

  async #post(observations) {
    try {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const url = `${this.url}/api/capacity/observations`;
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ observations }), signal });
      if (!answer.ok) console.error(`${url}: ${answer.status} ${await answer.text()}`);
    } catch (error) {
      console.error(`${this.url}: ${error.message}`);
    }
  }
}

/** One observation, from the text of /metrics; what it does not say is left out. */
export function observation(atMs, pod, text) {
  const values = [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? ([0-9.e+-]+)$/gm)].map(([, name, labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key, label])),
    value: Number(value),
  }));
  const one = (name) => values.find((it) => it.name === name);
  const roles = {};
  for (const { labels, value } of values.filter(({ name }) => name === 'hyperstudy_active_users_online')) {
    const role = labels.role !== 'participant' ? labels.role
      : labels.video_enabled === 'true' ? 'participant_video' : 'participant_no_video';
    roles[role] = (roles[role] ?? 0) + value;
  }
  const startSeconds = one('process_start_time_seconds')?.value;
  return {
    at: new Date(atMs).toISOString(),
    pod,
    version: one('hyperstudy_app_info')?.labels.version,
    memory_bytes: one('process_resident_memory_bytes')?.value,
    uptime_seconds: startSeconds && Math.max(0, Math.floor(atMs / 1000 - startSeconds)),
    connections: one('socket_io_connected')?.value,
    roles,
  };
}
