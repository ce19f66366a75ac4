//! Steps: what the tests of worker counts give a real tool to do. Each notes when it starts and when it ends, so the
//! notes tell how many the tool ran at once; with more than one job it then fails as one whose memory was refused.

use super::{Bench, most_at_once, tools};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// One job whatever the machine has, and an attempt with less work once one job has died.
const ONE_JOB: &str = "modes:\n  minimal: {jobs_percent: 1, less_work: {LESS_WORK: '1'}}\n";
/// What the one who runs the tests may have set.
const VARIABLES: [&str; 14] = [
    "CARGO_BUILD_JOBS",
    "CARGO_PROFILE_DEV_DEBUG",
    "CARGO_PROFILE_RELEASE_DEBUG",
    "CARGO_TARGET_DIR",
    "CMAKE_BUILD_PARALLEL_LEVEL",
    "GOFLAGS",
    "GOMEMLIMIT",
    "GRADLE_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "MALLOC_ARENA_MAX",
    "MAVEN_OPTS",
    "MFLAGS",
    "_JAVA_OPTIONS",
];

/// Whether one of the programs is neither in `target/tools` nor on the path; the test says so and ends.
pub fn is_missing(programs: &[&str]) -> bool {
    let path = path("bin");
    let is_found = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing = programs.iter().find(|program| !is_found(program));
    if let Some(program) = missing {
        eprintln!("skipped: no {program} here; run dev/tools");
    }
    missing.is_some()
}

/// The path, behind a folder of `target/tools` and the Python tools there.
fn path(first: &str) -> String {
    let tools = tools();
    let user = std::env::var("PATH").expect("a PATH");
    format!("{}:{}:{user}", tools.join(first).display(), tools.join("venv/bin").display())
}

/// A folder with the step in it.
pub struct Steps {
    pub bench: Bench,
    /// The folder of `target/tools` whose programs come first.
    pub first: &'static str,
    limit: &'static str,
}

impl Steps {
    pub fn new() -> Steps {
        Steps::within("2GiB", 0.3)
    }

    /// Of so long a step for tools that take their time to start a second worker.
    pub fn within(limit: &'static str, seconds: f32) -> Steps {
        let steps = Steps { bench: Bench::new(), first: "bin", limit };
        steps.bench.file("plimsoll.yaml", ONE_JOB);
        let notes = steps.bench.path("notes").display().to_string();
        let refused = "virtual memory exhausted: Cannot allocate memory";
        steps.script(
            "step",
            &format!(
                "echo start >> {notes}.$PLIMSOLL_JOBS; sleep {seconds}; echo end >> {notes}.$PLIMSOLL_JOBS\n\
                 [ $PLIMSOLL_JOBS = 1 ] || {{ echo '{refused}' >&2; exit 1; }}\n"
            ),
        );
        steps
    }

    /// The step as a word of a build file.
    pub fn step(&self) -> String {
        self.bench.path("step").display().to_string()
    }

    pub fn script(&self, name: &str, text: &str) {
        self.bench.file(name, &format!("#!/bin/sh\n{text}"));
        let permissions = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.bench.path(name), permissions).expect("a script");
    }

    /// What the command printed under Plimsoll; it has to pass.
    pub fn run(&self, env: &[(&str, &str)], command: &[&str]) -> String {
        let mut run = self.bench.command(&["--limit", self.limit, "--mode", "minimal"], command);
        for name in VARIABLES {
            run.env_remove(name);
        }
        let output = run.env("PATH", path(self.first)).envs(env.iter().copied()).output();
        let output = output.expect("plimsoll starts");
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert_eq!(output.status.code(), Some(0), "{command:?}: {out}\n{err}");
        format!("{out}{err}")
    }

    /// The most steps at once in the attempt that had so many jobs, counted anew for each run.
    pub fn most_at_once(&self, jobs: u32) -> usize {
        let notes = self.bench.path(&format!("notes.{jobs}"));
        let text = fs::read_to_string(&notes).expect("notes");
        fs::remove_file(notes).expect("notes");
        most_at_once(&text)
    }

    /// Without a word from the user there is one step at a time, where their own variable says two there are two,
    /// and so there are where the command asks for two, until that has died.
    pub fn check(&self, plain: &[&str], own: (&str, &str), asks_for_two: &[&str]) {
        self.run(&[], plain);
        assert_eq!(self.most_at_once(1), 1, "{plain:?}");
        self.run(&[own], plain);
        assert_eq!(self.most_at_once(1), 2, "{own:?} {plain:?}");
        self.check_asked(asks_for_two);
    }

    /// A number on the command line stands until it has died, then a smaller one is in its place.
    pub fn check_asked(&self, asks_for_two: &[&str]) -> String {
        let said = self.run(&[], asks_for_two);
        assert_eq!(self.most_at_once(2), 2, "{asks_for_two:?}");
        assert_eq!(self.most_at_once(1), 1, "{asks_for_two:?}");
        said
    }
}
