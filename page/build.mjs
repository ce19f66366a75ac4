// Builds the page into dist/: one script and one style with hashed names, the index that names them, and a `.gz` beside each.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** All that a browser loads, gzipped, in bytes. */
const TOTAL_BYTES_MAX = 200_000;
const DIST = new URL("dist/", import.meta.url);

for (const name of readdirSync(DIST)) {
  if (name !== ".gitignore") rmSync(new URL(name, DIST), { recursive: true });
}
mkdirSync(new URL("assets/", DIST), { recursive: true });

const bundled = await build({
  entryPoints: ["src/main.tsx", "src/style/page.css"],
  absWorkingDir: new URL(".", import.meta.url).pathname,
  bundle: true,
  write: false,
  minify: true,
  outdir: "dist/assets",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
});

let total = 0;

/** Writes a file and its gzipped twin. */
function put(name, bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  writeFileSync(new URL(name, DIST), bytes);
  writeFileSync(new URL(`${name}.gz`, DIST), packed);
  total += packed.length;
  console.log(`${name}: ${bytes.length} bytes, ${packed.length} gzipped`);
}

/** Writes a file under a name that changes with what is in it; the path it is served at. */
function putHashed(stem, ending, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const name = `assets/${stem}-${hash}.${ending}`;
  put(name, bytes);
  return `/${name}`;
}

const named = (ending) => Buffer.from(bundled.outputFiles.find((file) => file.path.endsWith(ending)).contents);
const paths = {
  "page.js": putHashed("page", "js", named(".js")),
  "page.css": putHashed("page", "css", named(".css")),
  "mark.svg": putHashed("mark", "svg", readFileSync(new URL("src/mark.svg", import.meta.url))),
};
const index = readFileSync(new URL("src/index.html", import.meta.url), "utf8");
put("index.html", Buffer.from(index.replace(/\{\{(.+?)\}\}/g, (_, name) => paths[name])));

console.log(`in all ${total} bytes gzipped, of at most ${TOTAL_BYTES_MAX}`);
if (total > TOTAL_BYTES_MAX) process.exit(1);
