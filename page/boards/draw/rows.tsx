// A table: a row for each set of labels, a column for each label and target.
import { lookOf } from "../model";
import { table } from "../shown";
import { written } from "../units";
import type { Part } from "./board";

const ROW = 27;

export function Rows({ panel, answers, height }: Part) {
  const { columns, rows } = table(panel, answers);
  const fit = Math.floor(height / ROW) - 1;
  const shown = rows.length > fit ? rows.slice(0, fit - 1) : rows;
  const looks = columns.map(({ title }) => lookOf(panel, title));
  const text = (value: string | number | undefined, at: number) =>
    typeof value === "number" ? written(value, looks[at]!.unit, looks[at]!.decimals) : value;
  return (
    <table class="rows">
      <thead><tr>{columns.map(({ title, isNumber }) => <th key={title} class={isNumber ? "number" : ""}>{title}</th>)}</tr></thead>
      <tbody>
        {shown.map((row, index) => (
          <tr key={index}>{row.map((value, at) => <td key={at} class={columns[at]!.isNumber ? "number" : ""}>{text(value, at)}</td>)}</tr>
        ))}
        {shown.length < rows.length && <tr class="more"><td colSpan={columns.length}>and {rows.length - shown.length} more</td></tr>}
      </tbody>
    </table>
  );
}
