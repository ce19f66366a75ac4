// The page: a head that stays, what there is to see, and how it is kept up to date.
import { LiveProvider, useLive } from "./api/live";
import { ThemeSwitch } from "./parts/theme";
import { TokenForm } from "./parts/token";
import { clock } from "./reckon/format";
import { Accuracy } from "./sections/accuracy";
import { Ahead } from "./sections/ahead";
import { Builds } from "./sections/builds";
import { Costs } from "./sections/costs";
import { Now } from "./sections/now";
import { Planner } from "./sections/planner";
import { Profiles } from "./sections/profiles";
import { Reservations } from "./sections/reservations";

const PARTS = [
  ["now", "Now"], ["calendar", "Calendar"], ["reservations", "Reservations"], ["profiles", "Profiles"],
  ["accuracy", "Accuracy"], ["ahead", "Ahead"], ["builds", "Builds"], ["costs", "Cost"],
] as const;

export function App() {
  return (
    <LiveProvider>
      <a class="skip" href="#main">Skip to what is shown</a>
      <header>
        <h1><Mark />Plimsoll <span class="soft">capacity</span></h1>
        <nav aria-label="Parts of the page">
          {PARTS.map(([id, name]) => <a key={id} href={`#${id}`}>{name}</a>)}
        </nav>
        <Connection />
        <ThemeSwitch />
      </header>
      <main id="main" tabIndex={-1}>
        <Lost />
        <TokenForm />
        <Now />
        <Planner />
        <Reservations />
        <Profiles />
        <Accuracy />
        <Ahead />
        <Builds />
        <Costs />
      </main>
      <footer>
        <p>Memory is in MB of 10<sup>6</sup> bytes, times are of this device. <a href="/docs">The API</a></p>
      </footer>
    </LiveProvider>
  );
}

/** A load line, as ships have it. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <circle cx="16" cy="16" r="10" />
      <path d="M1 16h30" />
    </svg>
  );
}

function Connection() {
  const { lostMs } = useLive();
  return <p class={lostMs === null ? "live" : "live lost"}>{lostMs === null ? "live" : "not live"}</p>;
}

function Lost() {
  const { lostMs, needsToken, refresh } = useLive();
  return (
    <div role="status" aria-live="polite">
      {lostMs !== null && !needsToken && (
        <p class="note">
          The connection was lost at {clock(lostMs)}: what is shown may be old. It is tried again by itself.
          <button type="button" onClick={refresh}>Look again now</button>
        </p>
      )}
    </div>
  );
}
