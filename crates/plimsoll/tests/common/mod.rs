//! What the end-to-end tests share: the built binary, a step that eats memory, a folder, a report.

#[allow(dead_code)]
pub mod cluster;
#[allow(dead_code)]
pub mod steps;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built `plimsoll`.
pub const PLIMSOLL: &str = env!("CARGO_BIN_EXE_plimsoll");

/// The built example `eater`.
#[allow(dead_code)]
pub fn eater() -> PathBuf {
    Path::new(PLIMSOLL).parent().expect("a binary is in a folder").join("examples/eater")
}

/// Where `dev/tools` puts what Debian has not.
#[allow(dead_code)]
pub fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools")
}

/// The most steps that ran at once, by notes of `start` and whatever says that one has ended.
#[allow(dead_code)]
pub fn most_at_once(notes: &str) -> usize {
    let running = notes.lines().scan(0_usize, |running, line| {
        *running = if line == "start" { *running + 1 } else { *running - 1 };
        Some(*running)
    });
    running.max().expect("a step ran")
}

/// A folder for one test, with a store and a place for the report.
pub struct Bench {
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, in a folder of its own where its name has one.
    #[allow(dead_code)]
    pub fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// `plimsoll run --store .. --report .. FLAGS -- COMMAND`, in the folder.
    pub fn command(&self, flags: &[&str], command: &[&str]) -> Command {
        let mut run = Command::new(PLIMSOLL);
        run.arg("run").arg("--store").arg(self.path("store")).arg("--report").arg(self.path("report.json"));
        run.args(flags).arg("--").args(command).current_dir(self.folder.path());
        for name in ["CI", "CI_JOB_NAME", "CI_PROJECT_PATH", "NODE_OPTIONS", "MAKEFLAGS", "PLIMSOLL_STORE"] {
            run.env_remove(name);
        }
        run
    }

    #[allow(dead_code)]
    pub fn run(&self, flags: &[&str], command: &[&str]) -> Output {
        self.command(flags, command).output().expect("plimsoll starts")
    }

    #[allow(dead_code)]
    pub fn report(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path("report.json")).expect("a report was written");
        serde_json::from_str(&text).expect("the report is JSON")
    }
}

/// Whether a memory cgroup can be made here; tests of real kills say so and end where not.
#[allow(dead_code)]
pub fn cgroups() -> bool {
    let probe = Bench::new();
    probe.run(&["--limit", "64MiB"], &["true"]);
    let can = probe.report()["tree"]["kind"] == "cgroup";
    if !can {
        eprintln!("skipped: no memory cgroup can be made here");
    }
    can
}
