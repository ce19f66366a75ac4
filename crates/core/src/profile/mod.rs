//! Profiles: what is remembered of a job, condensed, one per project, job name and command shape.

#[cfg(test)]
mod tests;

use crate::attempt::{Attempt, ProgramUse};
use crate::mode::Mode;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the stored form; a newer one is set aside, never overwritten.
pub const VERSION: u32 = 1;
/// Runs kept per profile; older ones are dropped.
pub const RUNS_MAX: usize = 20;

/// Programs kept per profile, the largest.
pub const PROGRAMS_MAX: usize = 512;
/// Intents kept per profile, the latest.
pub const INTENTS_MAX: usize = 64;

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

    /// Adds a run that has ended.
    pub fn record(&mut self, run: Run) {
        self.runs.push(run);
        self.condense();
    }

    /// Adds what programs were seen to use, under the keys the admission looks up.
    pub fn learn(&mut self, seen: &BTreeMap<String, ProgramUse>) {
        for (key, seen) in seen {
            let known = self.programs.entry(key.clone()).or_default();
            known.count = known.count.max(seen.count);
            known.peak_bytes = known.peak_bytes.max(seen.peak_bytes);
        }
        self.condense();
    }

    /// Adds an attempt that is about to start.
    pub fn intend(&mut self, intent: Intent) {
        self.intents.push(intent);
        self.condense();
    }

    /// Forgets the intents of a process, whose attempts are recorded now or found to live on elsewhere.
    pub fn settle(&mut self, pid: i32, pid_start_ticks: u64, boot_id: &str) {
        self.intents.retain(|intent| {
            (intent.pid, intent.pid_start_ticks, intent.boot_id.as_str()) != (pid, pid_start_ticks, boot_id)
        });
    }

    /// Takes in what another copy of the same profile knows. Merging twice, or the other way round, changes
    /// nothing, so jobs that ran at the same time lose nothing. Settle intents after merging, not before.
    pub fn merge(&mut self, other: &Profile) {
        self.runs.extend(other.runs.iter().cloned());
        self.intents.extend(other.intents.iter().cloned());
        self.learn(&other.programs);
    }

    /// One of each, in order, within the limits.
    fn condense(&mut self) {
        // Two jobs can end in the same millisecond; the text makes the order the same on every machine.
        self.runs.sort_by_cached_key(|run| (run.ended_unix_ms, format!("{run:?}")));
        self.runs.dedup();
        self.runs.drain(..self.runs.len().saturating_sub(RUNS_MAX));
        self.intents.sort_by_cached_key(|intent| (intent.started_unix_ms, format!("{intent:?}")));
        self.intents.dedup();
        self.intents.drain(..self.intents.len().saturating_sub(INTENTS_MAX));
        if self.programs.len() > PROGRAMS_MAX {
            let mut by_size: Vec<_> = std::mem::take(&mut self.programs).into_iter().collect();
            by_size.sort_by(|(key, one), (other_key, other)| {
                other.peak_bytes.cmp(&one.peak_bytes).then_with(|| key.cmp(other_key))
            });
            self.programs = by_size.into_iter().take(PROGRAMS_MAX).collect();
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
