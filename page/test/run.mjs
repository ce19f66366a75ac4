// Compiles the tests and has node's own runner run them; with an argument only files whose name has it.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const only = process.argv[2];
const found = ["test/unit", "test/browser"].flatMap((folder) => readdirSync(`${ROOT}${folder}`).map((name) => `${folder}/${name}`));
const entryPoints = only
  ? found.filter((name) => name.includes(only))
  : found.filter((name) => name.endsWith(".test.ts"));

rmSync(`${ROOT}work`, { recursive: true, force: true });
await build({
  entryPoints, absWorkingDir: ROOT, outdir: "work", outbase: "test", outExtension: { ".js": ".mjs" }, bundle: true, platform: "node",
  format: "esm", packages: "external", target: "node18", logLevel: "warning",
});
const files = entryPoints.map((name) => name.replace(/^test\//, "work/").replace(/\.ts$/, ".mjs"));
const isTest = files.every((name) => name.endsWith(".test.mjs"));
const ran = spawnSync(process.execPath, [...(isTest ? ["--test"] : []), ...files], { cwd: ROOT, stdio: "inherit" });
process.exit(ran.status ?? 1);
