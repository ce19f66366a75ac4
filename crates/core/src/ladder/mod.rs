//! The ladder: where a run starts and where it goes after an attempt, directed by the cause.
//!
//! | seen | next |
//! |---|---|
//! | a heap limit, or collection without end below it, with room left | larger heap: budget less the rest of the tree |
//! | a kernel kill, or an attempt ended before one | fewer workers first, then smaller heaps |
//! | both, or no room left | fewer workers with larger heaps, then less work where allowed, else stop |
//!
//! Every memory death rules out its own setting and all that are worse in the direction of its cause, so the
//! ladder ends; what the profile remembers counts like what this run saw.

mod candidate;
mod known;
#[cfg(test)]
mod simulator;
#[cfg(test)]
mod tests;

use crate::attempt::{Attempt, Setting};
use crate::mode::{Mode, Modes};
use crate::outcome::{Cause, Outcome};
use crate::profile::Profile;
use crate::program::Shape;
use crate::size::human;
use known::Known;

/// What the ladder knows besides the attempts of this run.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The budget in bytes; `None` when nothing was readable.
    pub budget_bytes: Option<u64>,
    /// Cores the build may use.
    pub cores: u32,
    /// Parallel jobs or workers the user asked for, where fewer can be had without a change of the build: from a
    /// jobserver, or by another number in the command.
    pub jobs_asked: Option<u32>,
    /// The four modes.
    pub modes: &'a Modes,
    /// `--mode NAME`: the mode is fixed, heap and jobs may still move.
    pub fixed_mode: Option<Mode>,
    /// What the command looks like.
    pub shape: Shape,
    /// Attempts this run may make in all.
    pub attempts_max: u32,
    /// What is remembered of the job. Its intents are taken for group kills, so leave out those still alive.
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
        /// It has died before and nothing better is left: to be ended before the kernel does.
        last_resort: bool,
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
pub fn next(context: &Context, attempts: &[Attempt]) -> Move {
    let Some(last) = attempts.last() else {
        return first(context);
    };
    match last.outcome {
        Outcome::OutOfMemory => after_death(context, attempts, last),
        outcome => Move::Stop {
            stop: Stop::Final,
            need_bytes: None,
            reason: match outcome {
                Outcome::Succeeded => "the command succeeded",
                Outcome::TimedOut => "the time limit was reached",
                Outcome::Signalled => "a signal ended it",
                Outcome::Abandoned => "the attempt was given up",
                _ => "the build failed by itself; it is not retried",
            }
            .to_string(),
        },
    }
}

fn first(context: &Context) -> Move {
    if let Some((setting, reason)) = candidate::remembered(context) {
        return run(setting, reason);
    }
    let known = Known::of(context, &[], false);
    let mode = context.start_mode();
    let reason = match (context.budget_bytes, known.deaths.last()) {
        (_, Some(death)) => format!("an earlier attempt died here: {}", cause_words(death.cause)),
        (Some(budget), None) => format!("budget {}: mode {}", human(budget), mode.name()),
        (None, None) => format!("no budget is readable: mode {}", mode.name()),
    };
    match climb(context, &[], &known, mode, false, reason) {
        // Every setting has died before, but the build may have changed since: one honest attempt.
        Move::Stop { reason, .. } if !known.deaths.is_empty() => {
            let setting = candidate::last_resort(context, &known, mode);
            let reason = format!("{reason}; one attempt, should the build have changed");
            Move::Run { setting, reason, last_resort: true }
        }
        climbed => climbed,
    }
}

fn after_death(context: &Context, attempts: &[Attempt], last: &Attempt) -> Move {
    let less_work = last.setting.less_work;
    let known = Known::of(context, attempts, less_work);
    let mode = match context.fixed_mode {
        Some(mode) => mode,
        None if known::tree_was_too_large(last.cause) => last.setting.mode.lower().unwrap_or(Mode::Minimal),
        None => last.setting.mode,
    };
    let attempts_left = context.attempts_max.saturating_sub(attempts.len() as u32);
    let seen = cause_words(last.cause);
    // Two deaths have told too little about the workers; one of them leaves the heaps to be found.
    let one_job = attempts_left == 1 || attempts.len() >= 2;
    match climb(context, attempts, &known, mode, one_job, seen.to_string()) {
        Move::Run { .. } if attempts_left == 0 => Move::Stop {
            stop: Stop::AttemptsSpent,
            need_bytes: candidate::need_bytes(context, &known),
            reason: format!("{seen}; {} attempts are spent, another setting can pass", attempts.len()),
        },
        climbed => climbed,
    }
}

/// The best setting not ruled out: with all the work, else with less where the user allows it.
fn climb(
    context: &Context,
    attempts: &[Attempt],
    known: &Known,
    mode: Mode,
    one_job: bool,
    seen: String,
) -> Move {
    if let Some(setting) = candidate::setting(context, known, mode, one_job) {
        let reason = format!("{seen}; {}", setting_words(&setting));
        return run(setting, reason);
    }
    if let Some(setting) = candidate::taking_turns(context, attempts) {
        let reason = format!("{seen}; what each process needs is known now, they take turns");
        return run(setting, reason);
    }
    if let Some(setting) = candidate::squeezed(context, known, mode) {
        let reason = format!("{seen}; nearly all there is, {}", setting_words(&setting));
        return run(setting, reason);
    }
    if !known.less_work && !context.modes.spec(mode).less_work_env.is_empty() {
        let jobs_most = known.jobs_most;
        let lighter = Known { jobs_most, ..Known::of(context, attempts, true) };
        if let Some(setting) = candidate::setting(context, &lighter, mode, true) {
            let reason = format!("{seen}; less work, {}", setting_words(&setting));
            return run(setting, reason);
        }
    }
    let need_bytes = candidate::need_bytes(context, known);
    let reason = match (need_bytes, context.budget_bytes) {
        (Some(need), Some(budget)) => format!("needs about {}; this job has {}", human(need), human(budget)),
        _ => format!("{seen}; no other setting is left"),
    };
    Move::Stop { stop: Stop::NothingFits, need_bytes, reason }
}

fn run(setting: Setting, reason: String) -> Move {
    Move::Run { setting, reason, last_resort: false }
}

fn cause_words(cause: Option<Cause>) -> &'static str {
    match cause {
        Some(Cause::HeapLimit) => "heap limit reached with room left",
        Some(Cause::KernelKill) | None => "killed by the kernel",
        Some(Cause::HeapLimitAndKernelKill) => "heap limit reached with no room left",
        Some(Cause::GcThrash) => "garbage collection ate the run",
        Some(Cause::Livelock) => "the tree read its own code again and again",
        Some(Cause::LimitReached) => "ended before the kernel would kill",
        Some(Cause::AllocationRefused) => "an allocation was refused",
    }
}

fn setting_words(setting: &Setting) -> String {
    let plural = if setting.jobs == 1 { "" } else { "s" };
    let mut words = format!("{} job{plural}", setting.jobs);
    if let Some(heap) = setting.heap_bytes {
        words += &format!(", heap {}", human(heap));
    }
    if let Some(heap) = setting.worker_heap_bytes {
        words += &format!(", workers {} each", human(heap));
    }
    words
}

impl Context<'_> {
    fn start_mode(&self) -> Mode {
        let by_budget = || self.budget_bytes.map_or(Mode::Safe, |budget| self.modes.for_budget(budget));
        self.fixed_mode.unwrap_or_else(by_budget)
    }
}
