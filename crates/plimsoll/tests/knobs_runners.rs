//! Knobs, seen by real test runners and compilers through the built binary. `dev/tools` installs the runners below
//! `target/tools`; a test whose tool is missing says so and ends.

#[allow(dead_code)]
mod common;
#[allow(dead_code)]
mod tools;

use common::Bench;
use std::fs;
use tools::{ONE_JOB, link_modules, passes, tool, write};

/// Writes which process runs it, its heap limit in MiB, and the cap a worker is meant to have.
const NOTE: &str = "
const limit = Math.round(require('v8').getHeapStatistics().heap_size_limit / 1048576);
const line = [process.pid, limit, process.env.PLIMSOLL_WORKER_HEAP_MIB].join(' ');
require('fs').appendFileSync('notes', line + '\\n');
";

/// The notes as numbers: process, heap limit, cap.
fn notes(bench: &Bench) -> Vec<[u64; 3]> {
    let number = |word: &str| word.parse().expect("a number");
    let note = |line: &str| -> [u64; 3] {
        line.split(' ').map(number).collect::<Vec<_>>().try_into().expect("three numbers")
    };
    fs::read_to_string(bench.path("notes")).expect("notes").lines().map(note).collect()
}

#[test]
fn xdist_starts_as_many_workers_as_there_are_jobs() {
    let Some(pytest) = tool("venv/bin/pytest") else { return };
    let bench = Bench::new();
    write(&bench, &[("plimsoll.yaml", ONE_JOB), ("test_a.py", "def test_a(): pass\n")]);
    let said = passes(&bench, &[&pytest, "-p", "no:cacheprovider", "-n", "auto", "test_a.py"]);
    assert!(said.contains("1 worker"), "{said}");
    let said = passes(&bench, &[&pytest, "-p", "no:cacheprovider", "-n", "3", "test_a.py"]);
    assert!(said.contains("3 workers"), "the number asked for stands: {said}");
}

#[test]
fn cargo_tells_build_scripts_of_the_jobs() {
    let bench = Bench::new();
    write(
        &bench,
        &[
            ("plimsoll.yaml", ONE_JOB),
            ("Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n"),
            ("src/lib.rs", ""),
            (
                "build.rs",
                "fn main() { std::fs::write(\"jobs\", std::env::var(\"NUM_JOBS\").unwrap()).unwrap() }",
            ),
        ],
    );
    passes(&bench, &["cargo", "check", "--offline"]);
    assert_eq!(fs::read_to_string(bench.path("jobs")).unwrap(), "1");
}

/// Workers of a test runner have the workers' heap, and there are as many as jobs.
fn workers_have_their_heap(runner: &str, arguments: &[&str], file: &str) {
    let Some(program) = tool(&format!("node/node_modules/.bin/{runner}")) else { return };
    let bench = Bench::new();
    link_modules(&bench);
    write(&bench, &[("package.json", "{}"), (&file.replace('N', "1"), ""), ("plimsoll.yaml", "")]);
    for number in ["1", "2", "3"] {
        let test = format!("{NOTE}\ntest('note', () => {{}});\n");
        write(&bench, &[(&file.replace('N', number), &test)]);
    }
    let command: Vec<&str> = [program.as_str()].into_iter().chain(arguments.iter().copied()).collect();
    passes(&bench, &command);
    let notes = notes(&bench);
    assert_eq!(notes.len(), 3);
    for [_, limit_mib, cap_mib] in &notes {
        // V8 counts its young generation too, 48 MiB on Node 20.
        assert!((*cap_mib..cap_mib + 100).contains(limit_mib), "{notes:?}");
    }
}

#[test]
fn jest_s_workers_have_the_workers_heap() {
    workers_have_their_heap("jest", &["--maxWorkers=2", "--cache=false"], "aN.test.js");
}

#[test]
fn vitest_s_workers_have_the_workers_heap() {
    workers_have_their_heap("vitest", &["run", "--globals", "--pool=forks"], "aN.test.cjs");
}
