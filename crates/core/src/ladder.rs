//! The ladder: where a run starts and where it goes after an attempt, directed by the cause.

use crate::attempt::{Attempt, Setting};
use crate::mode::{Mode, Modes};
use crate::profile::Profile;
use crate::program::Shape;

/// What the ladder knows besides the attempts of this run.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The budget in bytes; `None` when nothing was readable.
    pub budget_bytes: Option<u64>,
    /// Cores the build may use.
    pub cores: u32,
    /// The four modes.
    pub modes: &'a Modes,
    /// `--mode NAME`: the mode is fixed, heap and jobs may still move.
    pub fixed_mode: Option<Mode>,
    /// What the command looks like.
    pub shape: Shape,
    /// Attempts this run may make in all.
    pub attempts_max: u32,
    /// What is remembered of the job.
    pub profile: Option<&'a Profile>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Run an attempt with this setting.
    Run {
        /// The setting.
        setting: Setting,
        /// Why, in a few words.
        reason: String,
    },
    /// Stop.
    Stop {
        /// Which kind.
        stop: Stop,
        /// What the build needs in bytes, where it can be said.
        need_bytes: Option<u64>,
        /// Why, in a sentence.
        reason: String,
    },
}

/// Why a run stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The last attempt's outcome is final: it succeeded, failed by itself, timed out or was signalled.
    Final,
    /// Another attempt can pass, but this run may make no more (exit 86).
    AttemptsSpent,
    /// Nothing that fits can pass (exit 87).
    NothingFits,
}

/// The first move of a run.
pub fn start(context: &Context) -> Move {
    next(context, &[])
}

/// The move after `attempts`, the latest last.
pub fn next(_context: &Context, _attempts: &[Attempt]) -> Move {
    unreachable!("written next")
}
