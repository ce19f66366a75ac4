//! The preload and worker numbers, seen by real webpack with terser, and by vitest. `dev/tools` installs them; a test
//! whose tool is missing says so and ends.

#[allow(dead_code)]
mod common;
#[allow(dead_code)]
mod tools;

use common::{Bench, cgroups};
use std::fs;
use tools::{
    EIGHT_CORES, ONE_JOB, STEPS, at_once, falls_after_a_death, link_modules, passes_with, tool, write,
};

/// Three bundles, and a note of the thread that minifies each: 0 is the main one.
const WEBPACK_CONFIG: &str = "
const Terser = require('terser-webpack-plugin');
const minify = async (input) => {
  require('fs').appendFileSync(PATH, require('worker_threads').threadId + '\\n');
  return { code: Object.values(input)[0] };
};
module.exports = {
  mode: 'production',
  entry: { a: './src/a.js', b: './src/b.js', c: './src/c.js' },
  optimization: { minimizer: [new Terser({ parallel: true, minify })] },
};
";

/// A project with one job and the packages, on a machine that seems to have eight cores.
fn project() -> (Bench, String) {
    let bench = Bench::new();
    link_modules(&bench);
    write(&bench, &[("plimsoll.yaml", ONE_JOB), ("package.json", "{}"), ("eight.cjs", EIGHT_CORES)]);
    let node_options = format!("--require {}", bench.path("eight.cjs").display());
    (bench, node_options)
}

#[test]
fn terser_counts_its_workers_by_the_jobs() {
    let Some(webpack) = tool("node/node_modules/.bin/webpack") else { return };
    let (bench, node_options) = project();
    let config = WEBPACK_CONFIG.replace("PATH", &format!("{:?}", bench.path("notes")));
    write(&bench, &[("webpack.config.cjs", &config)]);
    for name in ["a", "b", "c"] {
        write(&bench, &[(&format!("src/{name}.js"), &format!("console.log('{name}');\n"))]);
    }
    let threads = |flags: &[&str], command: &[&str]| {
        write(&bench, &[("notes", "")]);
        passes_with(&bench, &[("NODE_OPTIONS", &node_options)], flags, command);
        let notes = fs::read_to_string(bench.path("notes")).unwrap();
        assert_eq!(notes.lines().count(), STEPS, "{notes}");
        notes.lines().filter(|thread| *thread != "0").count()
    };
    let minimal = ["--limit", "2GiB", "--mode", "minimal"];
    let theirs = format!("NODE_OPTIONS={node_options}");
    let without = ["env", &theirs, &webpack, "-c", "webpack.config.cjs"];
    assert_eq!(threads(&minimal, &without), STEPS, "without the preload: a worker for each bundle");
    // One worker fewer than cores, so one core leaves the work to the main thread.
    assert_eq!(threads(&minimal, &without[2..]), 0);
}

fn vitest() -> Option<(String, Bench, String)> {
    let vitest = tool("node/node_modules/.bin/vitest")?;
    let (bench, node_options) = project();
    let run = "require('child_process').execFileSync('sh', ['step.sh'], { stdio: 'inherit' })";
    for name in ["a", "b", "c"] {
        let test = format!("test('step', () => {{ {run}; }}, 60000);\n");
        write(&bench, &[(&format!("{name}.test.cjs"), &test)]);
    }
    Some((vitest, bench, node_options))
}

#[test]
fn vitest_counts_its_workers_by_the_jobs() {
    let Some((vitest, bench, node_options)) = vitest() else { return };
    let env = [("NODE_OPTIONS", node_options.as_str())];
    let command = [vitest.as_str(), "run", "--globals", "--maxWorkers=3"];
    assert_eq!(at_once(&bench, &env, &command[..3], 1), 1);
    assert_eq!(at_once(&bench, &env, &command, STEPS), STEPS, "the number asked for stands");
    write(&bench, &[("vitest.config.mjs", "export default { test: { maxWorkers: 3 } };\n")]);
    assert_eq!(at_once(&bench, &env, &command[..3], STEPS), STEPS, "the project's own number");
}

#[test]
fn vitest_s_number_falls_after_a_death() {
    let Some((vitest, bench, _)) = vitest().filter(|_| cgroups()) else { return };
    falls_after_a_death(&bench, &[], &[&vitest, "run", "--globals", "--maxWorkers=3"]);
}
