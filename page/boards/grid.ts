// Grafana's grid: 24 columns, rows of 30 px, 8 px between.
import type { Place } from "./model";

/** Of a picture of a board, in px. */
export const WIDTH = 1400;
const EDGE = 16;
const GAP = 8;
const ROW = 30;
const COLUMN = (WIDTH - 2 * EDGE - 23 * GAP) / 24;

/** Of panels, in px. */
export const widthOf = ({ w }: Place): number => Math.floor(w * (COLUMN + GAP) - GAP);
export const heightOf = ({ h }: Place): number => h * (ROW + GAP) - GAP;

/** Where it stands in the picture below the board's title. */
export const leftOf = ({ x }: Place): number => Math.round(EDGE + x * (COLUMN + GAP));
export const topOf = ({ y }: Place): number => y * (ROW + GAP);
