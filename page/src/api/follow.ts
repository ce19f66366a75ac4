// Follows what happens at the server, and comes back where the connection is lost. By fetch, as an EventSource sends no token.
import { Frames } from "../reckon/frames";
import { authorized } from "./client";

/** The server says something every 15 s; after so long without it is gone. */
const SILENCE_MS = 45_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

export interface Follower {
  /** Something has happened, or may have while nobody listened. */
  onNews(): void;
  /** Connected, or not any more. */
  onConnection(isConnected: boolean): void;
}

/** Follows until it is told to end. */
export function follow(follower: Follower, signal: AbortSignal): void {
  void run(follower, signal);
}

async function run(follower: Follower, signal: AbortSignal): Promise<void> {
  let last: string | null = null;
  let failed = 0;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const silence = new Silence(() => attempt.abort());
    try {
      const headers: Record<string, string> = { accept: "text/event-stream", ...(last !== null && { "last-event-id": last }) };
      const response = await fetch("/api/capacity/events", { headers: authorized(headers), signal: AbortSignal.any([signal, attempt.signal]), cache: "no-store" });
      // Not one of its numbers any more: the store is another one.
      if (response.status === 400) last = null;
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      failed = 0;
      follower.onConnection(true);
      follower.onNews();
      const frames = new Frames();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        silence.broken();
        const found = frames.feed(piece.value);
        last = found.at(-1)?.id ?? last;
        if (found.length > 0) follower.onNews();
      }
    } catch {
      // Whatever it was, it is tried again.
    } finally {
      silence.end();
    }
    if (signal.aborted) return;
    follower.onConnection(false);
    await pause(RETRY_MS[Math.min(failed, RETRY_MS.length - 1)]!, signal);
    failed += 1;
  }
}

/** Calls when nothing was heard for too long. */
class Silence {
  private timer: ReturnType<typeof setTimeout>;

  constructor(private readonly then: () => void) {
    this.timer = setTimeout(then, SILENCE_MS);
  }

  broken(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.then, SILENCE_MS);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
