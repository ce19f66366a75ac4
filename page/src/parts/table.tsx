// A table that scrolls by itself where the screen is narrow, and the twin of a picture.
import type { ComponentChildren } from "preact";

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  /** It stands to the right, digits below each other. */
  isNumber?: boolean;
}

interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  /** Rows that are shown at most; a picture may have thousands. */
  most?: number;
}

export function Table<T>({ label, columns, rows, most = 200 }: TableProps<T>) {
  const kind = (column: Column<T>) => (column.isNumber ? "number" : undefined);
  return (
    <>
      <div class="scroll" role="region" aria-label={label} tabIndex={0}>
        <table>
          <thead>
            <tr>{columns.map((it) => <th key={it.head} scope="col" class={kind(it)}>{it.head}</th>)}</tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map((row, index) => (
              <tr key={index}>
                {columns.map((it, place) => place === 0
                  ? <th key={it.head} scope="row" class={kind(it)}>{it.cell(row)}</th>
                  : <td key={it.head} class={kind(it)}>{it.cell(row)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > most && <p class="soft">The first {most} of {rows.length}; the API has all.</p>}
    </>
  );
}

interface PictureProps<T> extends TableProps<T> {
  /** Reads as a caption of the picture. */
  caption?: ComponentChildren;
  children: ComponentChildren;
}

/** A picture, and below it the same as a table. */
export function Picture<T>({ caption, children, ...table }: PictureProps<T>) {
  return (
    <figure class="picture">
      {children}
      {caption && <figcaption>{caption}</figcaption>}
      <details class="twin">
        <summary>Show as table<span class="unseen">: {table.label}</span></summary>
        <Table {...table} />
      </details>
    </figure>
  );
}
