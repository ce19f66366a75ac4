import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { packed, pixels } from "../../boards/png";

/** A PNG whose rows are filtered in all five ways, of pixels that are given. */
function png(width: number, rgb: number[]): Buffer {
  const row = width * 3;
  const at = (x: number, y: number) => (x < 0 || y < 0 ? 0 : rgb[y * row + x]!);
  const paeth = (a: number, b: number, c: number) => [a, b, c].sort((one, other) => Math.abs(a + b - c - one) - Math.abs(a + b - c - other))[0]!;
  const rows = Array.from({ length: rgb.length / row }, (_, y) => [y % 5, ...Array.from({ length: row }, (_, x) => {
    const [a, b, c] = [at(x - 3, y), at(x, y - 1), x < 3 ? 0 : at(x - 3, y - 1)];
    return (at(x, y) - [0, a, b, (a + b) >> 1, paeth(a, b, c)][y % 5]!) & 255;
  })]);
  const chunk = (name: string, bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), Buffer.from(name), bytes, Buffer.alloc(4)]);
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, rows.length, 8, 2, 0, 0, 0]);
  return Buffer.concat([Buffer.alloc(8), chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.from(rows.flat()))), chunk("IEND", Buffer.alloc(0))]);
}

const noise = (count: number) => Array.from({ length: count }, (_, index) => (index * 7919 + ((index * index) >> 3)) & 255);

test("few colours stay as they are, whatever filter they came by", () => {
  const rgb = noise(7 * 10 * 3);
  const source = png(7, rgb);
  assert.deepEqual([...pixels(source).rgb], rgb);
  const again = pixels(packed(source));
  assert.deepEqual([again.width, again.height, [...again.rgb]], [7, 10, rgb]);
});

test("of many colours the frequent ones stay, and none changes much", () => {
  const shades = Array.from({ length: 40 * 40 }, (_, index) => [index % 4 ? 244 : index >> 3, index % 4 ? 246 : (index >> 2) & 255, 249]).flat();
  const again = [...pixels(packed(png(40, shades))).rgb];
  assert.ok(new Set(Array.from({ length: 1_600 }, (_, at) => again.slice(at * 3, at * 3 + 3).join())).size <= 256);
  assert.ok(Math.max(...shades.map((value, index) => Math.abs(value - again[index]!))) <= 6);
  shades.forEach((value, index) => { if (Math.floor(index / 3) % 4) assert.equal(again[index], value); });
});
