// Asks while somebody writes whether it would fit: a moment after the last key, and only the latest answer counts.
import { useEffect, useState } from "preact/hooks";
import { answer } from "../../api/client";
import { useLive } from "../../api/live";
import type { Decision, ProblemBody } from "../../api/shapes";
import { type Draft, asked } from "../../reckon/draft";
import { type Verdict, verdict } from "../../reckon/verdict";

const WAIT_MS = 250;

export function useVerdict(draft: Draft): { verdict: Verdict | null; isAsking: boolean } {
  const { beat } = useLive();
  const [found, setFound] = useState<{ text: string; verdict: Verdict } | null>(null);
  const request = asked(draft);
  const text = JSON.stringify(request);
  useEffect(() => {
    if (typeof request === "string") {
      setFound({ text, verdict: missing(request) });
      return;
    }
    const end = new AbortController();
    const timer = setTimeout(() => {
      const body = { ...request, dry_run: true };
      answer("/api/capacity/schedule", { method: "POST", body, signal: end.signal }).then(
        (it) => setFound({ text, verdict: verdict({ status: it.status, body: it.body as Decision | ProblemBody }) }),
        () => { if (!end.signal.aborted) setFound({ text, verdict: verdict({ status: 0, body: {} }) }); },
      );
    }, WAIT_MS);
    return () => { clearTimeout(timer); end.abort(); };
    // The request is the same as long as its text is; what others book changes the answer.
  }, [text, beat]);
  return { verdict: found?.verdict ?? null, isAsking: found?.text !== text };
}

function missing(what: string): Verdict {
  return { kind: "not_valid", headline: what, because: null, facts: [], offers: [], heldBy: [], heldByCount: 0 };
}
