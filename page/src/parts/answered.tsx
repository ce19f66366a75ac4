// What stands where an answer is to be shown, until it is there or where there is none.
import type { ComponentChildren } from "preact";
import type { Shown } from "../api/live";

interface Props<T> {
  of: Shown<T>;
  /** What it is, for "... is not served here". */
  what: string;
  children: (value: T) => ComponentChildren;
}

export function Answered<T>({ of, what, children }: Props<T>) {
  switch (of.state) {
    case "loading": return <p class="empty" aria-busy="true">Asking …</p>;
    case "absent": return <p class="empty">{what} is not served here.</p>;
    case "failed": return <p class="empty bad">{what} could not be read: {of.why}.</p>;
    case "shown": return <>{children(of.value)}</>;
  }
}

/** Nothing is there yet, and what to do about it. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
