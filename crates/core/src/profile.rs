//! Profiles: what is remembered of a job, condensed, one per project, job name and command shape.

use crate::attempt::{Attempt, ProgramUse};
use crate::mode::Mode;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the stored form; a newer one is set aside, never overwritten.
pub const VERSION: u32 = 1;
/// Runs kept per profile; older ones are dropped.
pub const RUNS_MAX: usize = 20;

/// One run of the job: all its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it ended, in milliseconds since 1970 (the rim's clock).
    pub ended_unix_ms: u64,
    /// How the run ended.
    pub outcome: Outcome,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
}

/// An attempt that was started and has not been seen to end: written before the start, so that a death of the
/// whole container leaves a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// What the attempt was given.
    pub attempt: Attempt,
    /// When it started, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// Process that started it, and its start time in clock ticks after boot: is it still alive?
    pub pid: i32,
    /// See `pid`.
    pub pid_start_ticks: u64,
    /// Boot id of the machine, for the same question.
    pub boot_id: String,
}

/// What is remembered of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// [`VERSION`].
    pub version: u32,
    /// Project (repository path, or the folder's name).
    pub project: String,
    /// Job name.
    pub job: String,
    /// The command's shape: program and stable words, without paths and numbers.
    pub command: String,
    /// Latest runs, the oldest first, at most [`RUNS_MAX`].
    pub runs: Vec<Run>,
    /// Learned peak of one process per program and input (`cc1plus src/a.cc`), for the jobserver and the freezer.
    pub programs: BTreeMap<String, ProgramUse>,
    /// Attempts that were started and have not been seen to end.
    pub intents: Vec<Intent>,
}

impl Profile {
    /// A profile of a job that was never seen.
    pub fn new(project: &str, job: &str, command: &str) -> Profile {
        Profile {
            version: VERSION,
            project: project.to_string(),
            job: job.to_string(),
            command: command.to_string(),
            runs: Vec::new(),
            programs: BTreeMap::new(),
            intents: Vec::new(),
        }
    }

    /// The latest attempt that succeeded cleanly in this mode, and in a budget within 10 % of this one.
    pub fn last_success(&self, mode: Option<Mode>, budget_bytes: Option<u64>) -> Option<&Attempt> {
        let near = |attempt: &Attempt| match (attempt.budget_bytes, budget_bytes) {
            (Some(then), Some(now)) => then.abs_diff(now) <= now / 10,
            (None, None) => true,
            _ => false,
        };
        let fits = |attempt: &&Attempt| {
            attempt.is_clean_success()
                && mode.is_none_or(|mode| attempt.setting.mode == mode)
                && near(attempt)
        };
        self.runs.iter().rev().flat_map(|run| run.attempts.iter().rev()).find(fits)
    }
}
