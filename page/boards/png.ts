// The same picture in a third of the bytes: Chromium writes all colours in full, a board has few that can be told apart.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PALETTE_MAX = 256;
/** So many of the most frequent colours are kept as they are: grounds, lines, letters. */
const KEPT = 96;

export interface Pixels { width: number; height: number; /** Three bytes each, by rows. */ rgb: Buffer }

/** Writes it with at most 256 colours; others become the nearest of those, which is as near as that many allow. */
export function packed(png: Buffer): Buffer {
  const { width, height, rgb } = pixels(png);
  const counts = new Map<number, number>();
  for (let at = 0; at < rgb.length; at += 3) counts.set(rgb.readUIntBE(at, 3), (counts.get(rgb.readUIntBE(at, 3)) ?? 0) + 1);
  const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const palette = chosen(colours);
  const place = new Map(colours.map((colour) => [colour, nearest(colour, palette)]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = place.get(rgb.readUIntBE((y * width + x) * 3, 3))!;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.alloc(palette.length * 3);
  palette.forEach((colour, index) => table.writeUIntBE(colour, index * 3, 3));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", table), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

/** The most frequent colours, and of the others those that are far from all of these: so far that there are few enough. */
function chosen(colours: number[]): number[] {
  for (let apart = 0; ; apart++) {
    const palette = colours.slice(0, KEPT);
    for (const colour of colours.slice(KEPT)) {
      if (palette.length <= PALETTE_MAX && palette.every((it) => distance(it, colour) > apart)) palette.push(colour);
    }
    if (palette.length <= PALETTE_MAX) return palette;
  }
}

function nearest(colour: number, palette: number[]): number {
  let best = 0;
  for (let index = 1; index < palette.length; index++) {
    if (distance(palette[index]!, colour) < distance(palette[best]!, colour)) best = index;
  }
  return best;
}

/** Of that channel in which it is largest. */
function distance(a: number, b: number): number {
  return Math.max(Math.abs((a >> 16) - (b >> 16)), Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)), Math.abs((a & 255) - (b & 255)));
}

/** Reads what Chromium writes, and what `packed` does: eight bits, not interlaced. */
export function pixels(png: Buffer): Pixels {
  const parts = chunks(png);
  const head = parts.find(([name]) => name === "IHDR")![1];
  const [width, height, kind] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9]!];
  const each = { 2: 3, 3: 1, 6: 4 }[kind];
  if (!each || head[8] !== 8 || head[12] !== 0) throw new Error("not a PNG as Chromium writes it");
  const raw = inflateSync(Buffer.concat(parts.filter(([name]) => name === "IDAT").map(([, bytes]) => bytes)));
  const values = unfiltered(raw, width * each, each);
  const table = parts.find(([name]) => name === "PLTE")?.[1];
  const rgb = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const from = table ? table.subarray(values[at]! * 3) : values.subarray(at * each);
    rgb.set(from.subarray(0, 3), at * 3);
  }
  return { width, height, rgb };
}

function chunks(png: Buffer): [string, Buffer][] {
  const all: [string, Buffer][] = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    all.push([png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  return all;
}

/** Each row begins with what its bytes are the difference to: nothing, the left, above, both, or Paeth's choice. */
function unfiltered(raw: Buffer, row: number, each: number): Buffer {
  const values = Buffer.alloc(raw.length - raw.length / (row + 1));
  for (let y = 0; y * (row + 1) < raw.length; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const to = y * row + x;
      const left = x >= each ? values[to - each]! : 0;
      const above = y > 0 ? values[to - row]! : 0;
      const corner = x >= each && y > 0 ? values[to - row - each]! : 0;
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter!]!;
      values[to] = raw[y * (row + 1) + 1 + x]! + guess;
    }
  }
  return values;
}

function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

function chunk(name: string, bytes: Buffer): Buffer {
  const whole = Buffer.alloc(bytes.length + 12);
  whole.writeUInt32BE(bytes.length, 0);
  whole.write(name, 4, "latin1");
  whole.set(bytes, 8);
  whole.writeUInt32BE(crc(whole.subarray(4, bytes.length + 8)), bytes.length + 8);
  return whole;
}

function crc(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
