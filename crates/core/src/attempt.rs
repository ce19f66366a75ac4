//! Attempts: the setting one run of the command gets, and what was seen of it.

use crate::mode::Mode;
use crate::outcome::{Cause, Outcome};
use crate::program::Runtime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an attempt is given. The knobs are derived from it ([`crate::knobs`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The rung.
    pub mode: Mode,
    /// Parallel jobs or workers, at least one.
    pub jobs: u32,
    /// Heap of the main runtime process (the first real Node, the build's JVM) in bytes; `None` leaves the
    /// runtime's own default.
    pub heap_bytes: Option<u64>,
    /// Heap of each worker that process starts, in bytes; `None` leaves the default.
    pub worker_heap_bytes: Option<u64>,
    /// True when the user's less-work settings are applied.
    pub less_work: bool,
}

/// What one program of the tree was seen to use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramUse {
    /// Processes of it seen.
    pub count: u64,
    /// Largest private memory of one of them, in bytes.
    pub peak_bytes: u64,
}

/// The shape of the tree, as the watcher saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Highest non-reclaimable memory of the tree in bytes.
    pub peak_bytes: Option<u64>,
    /// Peak of the largest single process, in bytes.
    pub main_peak_bytes: Option<u64>,
    /// Program name of that process (`node`, `java`, `cc1plus`).
    pub main_program: Option<String>,
    /// Its runtime.
    pub main_runtime: Option<Runtime>,
    /// Peak of the largest other process of the same program while the main one lived, in bytes: a worker.
    pub worker_peak_bytes: Option<u64>,
    /// Most processes of at least 32 MiB alive at once, the main one included.
    pub parallel: u32,
    /// Largest sum over all processes but the main one and its workers, in bytes.
    pub rest_peak_bytes: u64,
    /// Per program, at most 64 programs, the largest kept.
    pub programs: BTreeMap<String, ProgramUse>,
}

/// One attempt that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What it was given.
    pub setting: Setting,
    /// The budget it ran in, in bytes.
    pub budget_bytes: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when memory ended it.
    pub cause: Option<Cause>,
    /// The code a shell would report; `None` when we died with it.
    pub exit_code: Option<i32>,
    /// Kernel OOM kills counted; `None` when no counter was readable.
    pub kernel_kills: Option<u64>,
    /// Runtime heap errors seen in text or exit codes.
    pub heap_errors: u64,
    /// Times a branch of the tree was frozen.
    pub freezes: u64,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// What the tree looked like.
    pub census: Census,
}

impl Attempt {
    /// It succeeded, and not only because something inside replaced what the kernel had killed. With one job
    /// there is nothing less to try, so that counts as well.
    pub fn is_clean_success(&self) -> bool {
        self.outcome == Outcome::Succeeded && (self.kernel_kills.unwrap_or(0) == 0 || self.setting.jobs == 1)
    }
}
