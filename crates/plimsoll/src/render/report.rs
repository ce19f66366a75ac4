//! The report of a run: what every other rendering is made from, and a contract others build on.

use crate::run::Cleanup;
use plimsoll_core::mode::Mode;
use plimsoll_core::outcome::{Cause, Outcome};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Name and version of this form.
pub const SCHEMA: &str = "plimsoll.run/1";

/// One run, all its attempts. `null` means unknown, never zero.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Name the job is remembered by.
    pub job: String,
    /// The command as it was given.
    pub command: Vec<String>,
    /// How the run ended.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// Exit code of `plimsoll`.
    pub exit_code: u8,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// The memory the build had.
    pub budget: BudgetPart,
    /// What was watched.
    pub tree: TreePart,
    /// The attempts, in order.
    pub attempts: Vec<AttemptPart>,
    /// What the build needs, in bytes, where that can be said.
    pub need_bytes: Option<u64>,
    /// The request and limit this job needs; `null` while there is not enough evidence.
    pub recommend: Option<RecommendPart>,
    /// Why the run ended as it did, in a sentence.
    pub reason: String,
    /// What was not possible, one line each.
    pub notes: Vec<String>,
    /// Memory over time: milliseconds since the start, bytes.
    pub curve: Vec<(u64, u64)>,
}

/// The budget.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BudgetPart {
    /// In bytes; `null` when nothing was readable.
    pub bytes: Option<u64>,
    /// Name of the limit that binds.
    pub binding: Option<String>,
}

/// The tree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TreePart {
    /// `cgroup` when the build had a memory cgroup of its own, else `processes`.
    pub kind: String,
}

/// One attempt.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttemptPart {
    /// The mode it ran in.
    pub mode: Mode,
    /// Why with this setting.
    pub reason: String,
    /// How it ended.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// What about memory ended it.
    #[schemars(with = "Option<String>")]
    pub cause: Option<Cause>,
    /// The code a shell would report.
    pub exit_code: Option<i32>,
    /// Kernel OOM kills; `null` when no counter was readable.
    pub kernel_kills: Option<u64>,
    /// Runtime heap errors seen.
    pub heap_errors: u64,
    /// Times a branch was frozen.
    pub freezes: u64,
    /// Highest memory that could not be reclaimed, in bytes.
    pub peak_bytes: Option<u64>,
    /// Parallel jobs or workers.
    pub jobs: u32,
    /// Main heap in bytes.
    pub heap_bytes: Option<u64>,
    /// When it began, in milliseconds since the run did.
    pub started_ms: u64,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// CPU time in milliseconds.
    pub cpu_ms: u64,
    /// The line that speaks of memory, where one was seen.
    pub evidence: Vec<String>,
    /// What was set, by name.
    pub knobs: BTreeMap<String, String>,
    /// What was cleaned up after it; `null` when nothing followed.
    pub cleanup: Option<Cleanup>,
    /// Files it left for the next attempt, and their bytes; `null` when nothing followed.
    pub saved: Option<SavedPart>,
}

/// What an attempt left for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedPart {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// False when there were too many to count.
    pub complete: bool,
}

/// A recommendation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RecommendPart {
    /// Memory to request, in bytes.
    pub request_bytes: u64,
    /// Memory to be limited to, in bytes.
    pub limit_bytes: u64,
    /// The evidence, in a sentence.
    pub reason: String,
}
