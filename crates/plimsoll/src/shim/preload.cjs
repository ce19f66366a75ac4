// Loaded into every Node of a build by NODE_OPTIONS=--require. It tells tools the build's own cores and memory
// instead of the host's, and gives the processes that the main Node starts their own share of the heap.
// It never throws and never prints: a build must not know that it is there.
'use strict';
try {
  const os = require('os');
  const { env } = process;
  // A tool that hands its tasks only the variables it knows leaves ours to the file beside this one.
  let facts = env;
  if (!env.PLIMSOLL_JOBS) {
    try {
      facts = JSON.parse(require('fs').readFileSync(__filename.replace(/cjs$/, 'facts'), 'utf8'));
    } catch {}
  }
  const positive = (name) => (/^[1-9]\d*$/.test(facts[name] || '') ? Number(facts[name]) : undefined);
  const jobs = positive('PLIMSOLL_JOBS');
  const budget = positive('PLIMSOLL_BUDGET_BYTES');

  if (jobs) {
    const { cpus, availableParallelism } = os;
    os.cpus = () => cpus().slice(0, jobs);
    if (availableParallelism) os.availableParallelism = () => Math.min(availableParallelism(), jobs);
  }
  if (budget) {
    const { totalmem, freemem } = os;
    os.totalmem = () => Math.min(totalmem(), budget);
    os.freemem = () => Math.min(freemem(), budget);
  }
  // ESM importers see the built-in's exports as they were when it was first loaded.
  if (jobs || budget) require('module').syncBuiltinESMExports();

  // These only start the real program and wait for it, so their child is still the main one.
  const WRAPPERS =
    /^(npm|npm-cli|npx|npx-cli|yarn|yarnpkg|pnpm|pnpx|corepack|cross-env|cross-env-shell|dotenv|env-cmd|run-s|tsx|nodemon|react-scripts|craco)$/;
  const path = require('path');
  const program = (process.argv[1] || '').replace(/\.[cm]?js$/, '');
  const folder = path.basename(path.dirname(path.dirname(program)));
  const isWrapper =
    WRAPPERS.test(path.basename(program)) || /^(tsx|cross-env|react-scripts)$/.test(folder) || /\/yarn-[\d.]+$/.test(program);
  const workerHeap = positive('PLIMSOLL_WORKER_HEAP_MIB');
  const heap = positive('PLIMSOLL_HEAP_MIB');
  const isMain = require('worker_threads').isMainThread;
  if (isMain && workerHeap && heap && !isWrapper && env.NODE_OPTIONS) {
    // Only our own flag: a user's heap stays the user's.
    const ours = `--max-old-space-size=${heap}`;
    env.NODE_OPTIONS = env.NODE_OPTIONS.split(' ')
      .map((word) => (word === ours ? `--max-old-space-size=${workerHeap}` : word))
      .join(' ');
  }
} catch {
  // Whatever it was, the build is worth more.
}
