// Compiles the command that draws boards and runs it.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

await build({
  entryPoints: ["boards/main.ts"], absWorkingDir: ROOT, outfile: "work/boards/main.mjs", bundle: true, platform: "node",
  format: "esm", packages: "external", target: "node18", logLevel: "warning",
});
const ran = spawnSync(process.execPath, [`${ROOT}work/boards/main.mjs`, ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(ran.status ?? 1);
