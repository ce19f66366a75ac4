// What runs in Chromium: draws a board into the page that it is given.
import { render } from "preact";
import type { Answers, Board } from "../model";
import { BoardPicture } from "./board";

declare global {
  interface Window { drawBoard(board: Board, answers: Answers): void }
}

window.drawBoard = (board, answers) => render(<BoardPicture board={board} answers={answers} />, document.body);
