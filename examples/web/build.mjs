// Stands for a bundler: holds a graph of modules on the heap, some 600 MiB, and writes what comes of it.
import { mkdirSync, writeFileSync } from "node:fs";

const MODULES = 60_000;
const modules = [];
for (let id = 0; id < MODULES; id++) {
  const imports = Array.from({ length: 400 }, (_, at) => (id * 31 + at * 17) % MODULES);
  const names = Array.from({ length: 80 }, (_, at) => ({ local: `m${id}_${at}`, used: at % 3 }));
  modules.push({ id, imports, names });
}
const used = modules.reduce((sum, it) => sum + it.imports.length + it.names.filter((name) => name.used).length, 0);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/app.js", `// ${modules.length} modules, ${used} references\n`);
console.log(`built ${modules.length} modules`);
