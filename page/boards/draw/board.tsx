// A whole board: its title and variables, panels where Grafana would put them, and what this picture is.
import { WIDTH, heightOf, leftOf, topOf, widthOf } from "../grid";
import type { Answers, Board, Panel } from "../model";
import { hasValues } from "../shown";
import { Bars } from "./bars";
import { Dials } from "./dials";
import { Lines } from "./lines";
import { Numbers } from "./numbers";
import { Rows } from "./rows";

export interface Part { panel: Panel; board: Board; answers: Answers; width: number; height: number }

/** Of a panel's title, in px. */
const TITLE = 32;
const PADDING = 8;

const PARTS = { timeseries: Lines, stat: Numbers, gauge: Dials, bargauge: Bars, table: Rows };

export function BoardPicture({ board, answers }: { board: Board; answers: Answers }) {
  const bottom = Math.max(...board.panels.map(({ place }) => topOf(place) + heightOf(place)));
  return (
    <main style={{ width: WIDTH }}>
      <Head board={board} />
      <div class="panels" style={{ height: bottom }}>
        {board.panels.map((panel) => <PanelPicture key={panel.id} {...{ panel, board, answers }} />)}
      </div>
      <footer>
        <span>{board.title}, {span(answers)}</span>
        <span>Drawn by Plimsoll from the board’s JSON and the answers of a Prometheus. Not a picture of Grafana.</span>
      </footer>
    </main>
  );
}

function Head({ board }: { board: Board }) {
  return (
    <header>
      <h1>{board.title}</h1>
      {board.variables.map(({ label, shown }) => <span key={label} class="variable"><span>{label}</span><b>{shown}</b></span>)}
      {board.marks.map(({ name }) => <span key={name} class="mark">{name}</span>)}
    </header>
  );
}

function PanelPicture({ panel, board, answers }: { panel: Panel; board: Board; answers: Answers }) {
  const [width, height] = [widthOf(panel.place), heightOf(panel.place)];
  const style = { left: leftOf(panel.place), top: topOf(panel.place), width, height };
  if (panel.kind === "row") return <h2 data-panel={panel.id} style={style}>{panel.title}</h2>;
  const Inside = PARTS[panel.kind];
  const inside = { width: width - 2 * PADDING, height: height - TITLE - PADDING };
  return (
    <section data-panel={panel.id} class={panel.kind} style={style}>
      <h3>{panel.title}</h3>
      <div class="inside" style={{ ...inside, left: PADDING, top: TITLE }}>
        {hasValues(panel, answers) ? <Inside {...{ panel, board, answers, ...inside }} /> : <p class="absent">{absent(panel)}</p>}
      </div>
    </section>
  );
}

/** Grafana says only what the board gives it; what that means is said in front. */
function absent({ look }: Panel): string {
  return look.absent === "No data" ? look.absent : `No data: ${look.absent}`;
}

function span({ span: { from_s, to_s }, step_s }: Answers): string {
  const at = (time_s: number) => new Date(time_s * 1000).toISOString().slice(0, 16).replace("T", " ");
  const [from, to] = [at(from_s), at(to_s)];
  const end = from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to;
  return `${from} to ${end} UTC${Number.isFinite(step_s) ? `, a value each ${step_s} s` : ""}`;
}
