// How the files of the page are sent.
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, get } from "node:http";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Served } from "./served";

let served: Served;
before(async () => { served = await Served.start(""); });
after(async () => { await served.end(); });

/** As it comes, not unpacked. */
function raw(path: string, headers: Record<string, string> = {}): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    get(served.url + path, { headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(pieces) }));
    }).on("error", reject);
  });
}

test("the index is looked at each time, and lets nothing in that is not ours", async () => {
  const { status, headers, bytes } = await raw("/");
  assert.deepEqual([status, headers["content-type"], headers["cache-control"]], [200, "text/html; charset=utf-8", "no-cache"]);
  const policy = String(headers["content-security-policy"]);
  for (const part of ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) assert.ok(policy.includes(part), policy);
  assert.ok(!policy.includes("unsafe"), policy);
  assert.deepEqual([headers["x-content-type-options"], headers["referrer-policy"]], ["nosniff", "no-referrer"]);
  const text = bytes.toString();
  assert.ok(!/<style|<script>|style=|https?:/.test(text), "nothing inline, nothing from elsewhere");
});

test("files with hashed names are kept for ever, and packed for who takes that", async () => {
  const index = (await raw("/")).bytes.toString();
  const paths = [...index.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((it) => it[1]!);
  assert.deepEqual(paths.map((path) => path.split(".").at(-1)).sort(), ["css", "js", "svg"]);
  for (const path of paths) {
    const [plain, packed] = [await raw(path), await raw(path, { "accept-encoding": "br, gzip" })];
    assert.match(plain.headers["cache-control"] ?? "", /max-age=31536000, immutable/);
    assert.deepEqual([plain.headers["content-encoding"], packed.headers["content-encoding"]], [undefined, "gzip"]);
    assert.deepEqual([plain.headers["vary"], packed.headers["vary"]], ["accept-encoding", "accept-encoding"]);
    assert.ok(gunzipSync(packed.bytes).equals(plain.bytes), path);
    assert.equal(packed.headers["content-type"], plain.headers["content-type"]);
    assert.ok(!/https?:\/\/(?!www\.w3\.org\/)/.test(plain.bytes.toString()), `${path} names another host`);
  }
  const missing = await raw("/assets/page-000000000000.js");
  assert.deepEqual([missing.status, missing.headers["content-type"]], [404, "application/problem+json"]);
});
