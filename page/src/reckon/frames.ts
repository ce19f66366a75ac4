// Server-sent events, taken out of text that comes in pieces (WHATWG HTML, 9.2.6).

export interface Frame {
  id: string | null;
  event: string;
  data: string;
}

/** Longest text that is waited for the end of, in characters; longer is dropped. */
const PENDING_MAX = 1 << 20;

/** Feeds on pieces of a stream, and hands out what is complete. */
export class Frames {
  private pending = "";

  feed(piece: string): Frame[] {
    this.pending = (this.pending + piece).replace(/\r\n/g, "\n");
    const blocks = this.pending.split("\n\n");
    this.pending = (blocks.pop() ?? "").slice(-PENDING_MAX);
    return blocks.map(frame).filter((it) => it !== null);
  }
}

function frame(block: string): Frame | null {
  const found: Frame = { id: null, event: "message", data: "" };
  const lines: string[] = [];
  for (const row of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(row) ?? [];
    if (field === "data") lines.push(value ?? "");
    if (field === "id") found.id = value ?? "";
    if (field === "event") found.event = value ?? "message";
  }
  // A comment keeps the connection alive, and is no event.
  return lines.length > 0 ? { ...found, data: lines.join("\n") } : null;
}
