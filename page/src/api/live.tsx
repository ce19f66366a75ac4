// What is shown follows the server: each answer is asked for again when something has happened.
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Problem, ask, token, whenUnauthorized } from "./client";
import { follow } from "./follow";

/** Events that come together are answered by one look. */
const SETTLE_MS = 250;
/** What time alone changes is looked at again after so long. */
const LOOK_EACH_MS = 30_000;

export interface Live {
  /** Another number each time something may have changed. */
  beat: number;
  /** Milliseconds since 1970, by the half minute. */
  nowMs: number;
  /** When the connection was lost; `null` while it is there. */
  lostMs: number | null;
  /** The API wants a token, or another one. */
  needsToken: boolean;
  /** Has everything asked for again. */
  refresh(): void;
  /** A token was given: all is tried with it. */
  retry(): void;
}

const Context = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(Context);
  if (!live) throw new Error("outside of LiveProvider");
  return live;
}

export function LiveProvider({ children }: { children: ComponentChildren }) {
  const [beat, setBeat] = useState(0);
  const [nowMs, setNowMs] = useState(() => Date.now());
  const [lostMs, setLostMs] = useState<number | null>(null);
  const [needsToken, setNeedsToken] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const refresh = useCallback(() => {
    clearTimeout(pending.current);
    pending.current = setTimeout(() => { setNowMs(Date.now()); setBeat((it) => it + 1); }, SETTLE_MS);
  }, []);
  const retry = useCallback(() => {
    setNeedsToken(false);
    setAttempt((it) => it + 1);
  }, []);

  useEffect(() => {
    whenUnauthorized(() => setNeedsToken(true));
    const timer = setInterval(() => { if (!document.hidden) refresh(); }, LOOK_EACH_MS);
    document.addEventListener("visibilitychange", refresh);
    return () => { clearInterval(timer); document.removeEventListener("visibilitychange", refresh); };
  }, [refresh]);

  useEffect(() => {
    const end = new AbortController();
    const onConnection = (isConnected: boolean) => setLostMs((since) => (isConnected ? null : since ?? Date.now()));
    follow({ onNews: refresh, onConnection }, end.signal);
    return () => end.abort();
  }, [attempt, refresh]);

  const live = useMemo(
    () => ({ beat: beat + attempt, nowMs, lostMs, needsToken, refresh, retry }),
    [beat, attempt, nowMs, lostMs, needsToken, refresh, retry],
  );
  return <Context.Provider value={live}>{children}</Context.Provider>;
}

export type Shown<T> =
  | { state: "loading" }
  | { state: "shown"; value: T }
  /** This server has no such thing. */
  | { state: "absent" }
  | { state: "failed"; why: string };

/** The answer to a question, kept up to date; what was shown stays until there is something new. */
export function useAnswer<T>(path: string | null, body?: unknown): Shown<T> {
  const { beat } = useLive();
  const [shown, setShown] = useState<Shown<T>>({ state: "loading" });
  const sent = body === undefined ? undefined : JSON.stringify(body);
  useEffect(() => {
    if (path === null) return;
    const end = new AbortController();
    const asked = sent === undefined ? {} : { method: "POST", body: JSON.parse(sent) as unknown };
    ask<T>(path, { ...asked, signal: end.signal }).then(
      (value) => { if (!end.signal.aborted) setShown({ state: "shown", value }); },
      (error: unknown) => { if (!end.signal.aborted) setShown((before) => failed(before, error)); },
    );
    return () => end.abort();
  }, [path, sent, beat]);
  return shown;
}

function failed<T>(before: Shown<T>, error: unknown): Shown<T> {
  if (error instanceof Problem && error.status === 404) return { state: "absent" };
  if (error instanceof Problem && error.status === 401 && !token()) return { state: "failed", why: "a token is needed" };
  // While the server is away, what it said last is better than nothing; the page says that the connection is lost.
  if (!(error instanceof Problem) && before.state === "shown") return before;
  return { state: "failed", why: error instanceof Problem ? error.message.split("\n")[0]! : "the server does not answer" };
}
