//! What the tests with real tools share: the tools of `dev/tools`, a project made of texts, and a step that shows how
//! many of it ran at the same time.

use crate::common::{self, Bench, eater, tools};
use std::fs;

/// One job whatever the machine has: a mode of a hundredth of its cores.
pub const ONE_JOB: &str = "modes:\n  minimal: {jobs_percent: 1}\n";
/// A preload of the user's own: every Node sees eight cores, whatever the machine has.
pub const EIGHT_CORES: &str = "const os = require('os'), core = os.cpus()[0];
os.cpus = () => Array(8).fill(core);
os.availableParallelism = () => 8;
require('module').syncBuiltinESMExports();
";
/// How many steps each project has.
pub const STEPS: usize = 3;
/// How long a step waits for the others, in tenths of a second: where they must not come, and where they must.
const ALONE: u32 = 4;
const TOGETHER: u32 = 200;

/// A program of `dev/tools`.
pub fn tool(below_tools: &str) -> Option<String> {
    let path = tools().join(below_tools);
    let found = path.exists().then(|| path.display().to_string());
    if found.is_none() {
        eprintln!("skipped: no {below_tools} in target/tools; run dev/tools");
    }
    found
}

/// Gives the project the packages of `dev/tools`.
pub fn link_modules(bench: &Bench) {
    let modules = fs::canonicalize(tools().join("node/node_modules")).expect("packages");
    std::os::unix::fs::symlink(modules, bench.path("node_modules")).expect("a link");
}

pub fn write(bench: &Bench, files: &[(&str, &str)]) {
    files.iter().for_each(|(name, text)| bench.file(name, text));
}

/// The command succeeds in the mode with the fewest jobs; what it printed.
pub fn passes(bench: &Bench, command: &[&str]) -> String {
    passes_with(bench, &[], &["--limit", "2GiB", "--mode", "minimal"], command)
}

/// The command succeeds in an environment with these variables too; what it printed.
pub fn passes_with(bench: &Bench, env: &[(&str, &str)], flags: &[&str], command: &[&str]) -> String {
    let output = bench.command(flags, command).envs(env.iter().copied()).output().expect("plimsoll starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{command:?} {env:?}\n{out}\n{err}");
    format!("{out}{err}")
}

/// A step that notes its start in this file, waits for the others, does something, and notes its end.
fn step(notes: &str, tenths: u32, then: &str) -> String {
    format!(
        "echo start >>{notes}; n=0
while [ $n -lt {tenths} ] && [ $(grep -c start {notes}) -lt {STEPS} ]; do sleep 0.1; n=$((n + 1)); done
{then}
echo end >>{notes}
"
    )
}

fn write_step(bench: &Bench, text: &str) {
    let text = format!("cd {}\n{text}", bench.folder.path().display());
    write(bench, &[("step.sh", &text), ("notes", "")]);
}

/// Runs the command, whose steps are `step.sh`, and tells how many ran at the same time at most. `expect` only says how
/// long a step waits for the others.
pub fn at_once(bench: &Bench, env: &[(&str, &str)], command: &[&str], expect: usize) -> usize {
    let tenths = if expect == STEPS { TOGETHER } else { ALONE };
    write_step(bench, &step("notes", tenths, ""));
    passes_with(bench, env, &["--limit", "2GiB", "--mode", "minimal"], command);
    most_at_once(bench)
}

fn most_at_once(bench: &Bench) -> usize {
    let notes = fs::read_to_string(bench.path("notes")).expect("notes");
    assert_eq!(notes.matches("end").count(), STEPS, "each step ran once: {notes}");
    common::most_at_once(&notes)
}

/// The command asks for as many workers as there are steps. Whoever of them goes on once all have started takes more
/// than the others leave, so the attempt dies; the next one runs fewer at once.
pub fn falls_after_a_death(bench: &Bench, env: &[(&str, &str)], command: &[&str]) {
    let eater = eater();
    let eat = format!("{0} 350 100 15000 & sleep 1; mkdir -p died; {0} 1100 100", eater.display());
    let dies = step("first", TOGETHER, &format!("{eat} || exit"));
    let passes = step("notes", ALONE, "");
    write_step(bench, &format!("if [ ! -e died ]; then\n{dies}else\n{passes}fi\n"));
    passes_with(bench, env, &["--limit", "2GiB"], command);
    let first = fs::read_to_string(bench.path("first")).expect("notes of the first attempt");
    assert_eq!(first.matches("start").count(), STEPS, "the number asked for stands until it has died");
    assert!(most_at_once(bench) < STEPS, "{:#}", bench.report());
}
