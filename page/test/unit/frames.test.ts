import assert from "node:assert/strict";
import { test } from "node:test";
import { Frames } from "../../src/reckon/frames";

const TEXT = ":\n\nid: 7\nevent: reservation\ndata: {\"a\":1}\n\ndata: one\ndata: two\r\n\r\nid: 9\nevent: reset\ndata: {}\n\n";
const EXPECT = [
  { id: "7", event: "reservation", data: '{"a":1}' },
  { id: null, event: "message", data: "one\ntwo" },
  { id: "9", event: "reset", data: "{}" },
];

test("events are the same in whatever pieces they come", () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const frames = new Frames();
    const pieces = Array.from({ length: Math.ceil(TEXT.length / size) }, (_, index) => TEXT.slice(index * size, (index + 1) * size));
    assert.deepEqual(pieces.flatMap((piece) => frames.feed(piece)), EXPECT, `pieces of ${size}`);
  }
});

test("what is not complete waits", () => {
  const frames = new Frames();
  assert.deepEqual(frames.feed("id: 3\ndata: x\n"), []);
  assert.equal(frames.feed("\n")[0]?.id, "3");
});
