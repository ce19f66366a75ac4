//! The session: attempts one after the other until the ladder stops, and one report of them all.

use super::attempt::{self, Ended, Terms};
use super::branches::{Patience, Pool};
use super::cleanup::{self, Cleanup};
use super::curve::Curve;
use super::outputs;
use super::report_parts;
use super::saved;
use super::settings::Settings;
use super::setup::Setup;
use super::texts::Texts;
use super::tree::Tree;
use super::watch::{Now, Watch, Watched};
use crate::exit::Exit;
use crate::render::live::Live;
use crate::render::report::{self, AttemptPart, RunReport};
use crate::store::Store;
use plimsoll_core::attempt::{Attempt, Census, Setting};
use plimsoll_core::budget::Budget;
use plimsoll_core::ladder::{self, Context, Move, Stop};
use plimsoll_core::outcome::{Cause, Exit as ChildExit, Outcome, classify};
use plimsoll_core::profile::{Profile, Run};
use plimsoll_core::program::Shape;
use plimsoll_core::promise::Promises;
use plimsoll_core::signature::heap_errors;
use plimsoll_probe::cgroup::Layout;
use plimsoll_probe::supervise::{Signals, SpawnError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// An attempt that collects garbage is cut short for a heap of this many percent of its own.
const WORTH_MOVING_PERCENT: u64 = 115;

/// What a run works with from its first to its last attempt.
pub struct Session {
    /// What was asked for.
    pub settings: Settings,
    /// Where our cgroups are.
    pub layout: Layout,
    /// The memory there is.
    pub budget: Budget,
    /// Cores the build may use.
    pub cores: u32,
    /// What the command looks like.
    pub shape: Shape,
    /// What is remembered of the job.
    pub store: Store,
    /// The same, as evidence for the ladder.
    pub evidence: Profile,
    /// What the run is set up with besides: jobserver, preload.
    pub setup: Setup,
    /// What was not possible, one line each.
    pub notes: Vec<String>,
}

/// What has happened so far.
struct Progress {
    started: Instant,
    started_at: SystemTime,
    attempts: Vec<Attempt>,
    parts: Vec<AttemptPart>,
    promises: Promises,
    curve: Curve,
    last_exit: Option<ChildExit>,
    last_texts: Vec<String>,
    tree_kind: &'static str,
}

impl Session {
    /// Runs attempts until the ladder stops.
    pub fn run(mut self, signals: &mut Signals) -> Exit {
        let mut progress = Progress {
            started: Instant::now(),
            started_at: SystemTime::now(),
            attempts: Vec::new(),
            parts: Vec::new(),
            promises: Promises::new(self.store.profile.programs.clone(), self.budget.bytes),
            curve: Curve::default(),
            last_exit: None,
            last_texts: Vec::new(),
            tree_kind: "processes",
        };
        let (stop, need_bytes, reason) = loop {
            match ladder::next(&self.context(), &progress.attempts) {
                Move::Stop { stop: Stop::Final, .. } if self.retry_allowed(&progress) => {
                    let setting = progress.attempts[progress.attempts.len() - 1].setting.clone();
                    progress.attempts.clear();
                    let reason = "the retry: rule".to_string();
                    if let Err(error) = self.attempt(&mut progress, setting, reason, false, signals) {
                        return self.not_started(&error);
                    }
                }
                Move::Stop { stop, need_bytes, reason } => break (stop, need_bytes, reason),
                Move::Run { setting, reason, last_resort } => {
                    if let Err(error) = self.attempt(&mut progress, setting, reason, last_resort, signals) {
                        return self.not_started(&error);
                    }
                }
            }
        };
        self.end(progress, stop, need_bytes, reason)
    }

    /// What the ladder is told.
    pub fn context(&self) -> Context<'_> {
        Context {
            budget_bytes: self.budget.bytes,
            cores: self.cores,
            jobs_asked: self.setup.jobs_asked(&self.settings, &self.shape, self.cores),
            modes: &self.settings.modes,
            fixed_mode: self.settings.mode,
            shape: self.shape.clone(),
            attempts_max: self.settings.attempts,
            profile: Some(&self.evidence),
        }
    }

    /// One attempt: its intent on disk, its tree, its watch, its outcome.
    fn attempt(
        &mut self,
        progress: &mut Progress,
        setting: Setting,
        reason: String,
        last_resort: bool,
        signals: &mut Signals,
    ) -> Result<(), SpawnError> {
        let number = progress.parts.len() + 1;
        if !self.settings.quiet && number > 1 {
            eprintln!("plimsoll: attempt {number}: {reason}");
        }
        let mut tree = Tree::open(&self.layout, &number.to_string(), self.budget.bytes);
        progress.tree_kind = tree.kind();
        let prepared = self.setup.prepare(&self.settings, &self.shape, &setting, self.budget.bytes);
        let spawn = prepared.spawn(&mut tree);
        note_all(&mut self.notes, tree.notes.drain(..));
        let started_ms = progress.started.elapsed().as_millis() as u64;
        self.store.begin(unfinished(&setting, self.budget.bytes), unix_ms());
        let mut live = Live::new(self.settings.quiet);
        let mode = setting.mode;
        // What the tree may really use: its cgroup has a little less than the budget, which is for us.
        let budget_bytes = tree.limit_bytes().or(self.budget.bytes);
        let run_started = progress.started;
        let mut show = |now: Now| {
            let now_ms = run_started.elapsed().as_millis() as u64;
            live.show(now_ms, now.used_bytes, budget_bytes, mode, now.some_percent, now.frozen);
        };
        let can_move = |census: &Census| self.can_move(&progress.attempts, &setting, census);
        let watched = Watched {
            can_move: &can_move,
            last_resort,
            lone_heap_bytes: setting.heap_bytes.filter(|_| self.shape.is_lone()),
            budget_bytes,
            pool: prepared.jobserver.as_ref().map(|jobserver| Pool {
                jobserver,
                jobs_max: setting.jobs,
                cores: self.cores,
            }),
            wakes: tree.wakes(budget_bytes),
            patience: Patience::of(&self.shape),
            run_started,
        };
        let mut watch = Watch::new(watched, &mut progress.promises, &mut progress.curve, &mut show);
        let report_dir = self.setup.report_dir();
        let terms = Terms { timeout: self.settings.timeout, texts: self.retry_texts(), report_dir };
        let ended = attempt::run(spawn, &tree, &mut watch, signals, terms)?;
        let unkilled = ended.evidence.kernel_kills.is_none_or(|kills| kills == 0);
        let ended_well = ended.evidence.exit == ChildExit::Code(0) && unkilled;
        let (census, freezes) = watch.finish(ended_well);
        live.clear();
        progress.last_exit = Some(ended.evidence.exit);
        progress.last_texts = ended.texts.clone();
        let attempt = judged(unfinished(&setting, self.budget.bytes), &ended, census, freezes);
        progress.parts.push(report_parts::attempt(&attempt, &ended, reason, started_ms, &prepared.knobs));
        progress.attempts.push(attempt);
        self.after(progress, tree);
        Ok(())
    }

    /// Whether the ladder has a setting with more heap, and enough of it, for an attempt whose heap is full.
    fn can_move(&self, attempts: &[Attempt], setting: &Setting, census: &Census) -> bool {
        let (outcome, cause) = (Outcome::OutOfMemory, Some(Cause::GcThrash));
        let ended =
            Attempt { outcome, cause, census: census.clone(), ..unfinished(setting, self.budget.bytes) };
        let attempts: Vec<Attempt> = attempts.iter().cloned().chain([ended]).collect();
        let heap_bytes = match ladder::next(&self.context(), &attempts) {
            Move::Run { setting, .. } => setting.heap_bytes,
            Move::Stop { .. } => None,
        };
        let enough = |heap: u64| heap / 100 * WORTH_MOVING_PERCENT;
        heap_bytes.zip(setting.heap_bytes).is_some_and(|(next, now)| next >= enough(now))
    }

    /// Cleans up when another attempt follows, and counts what it will find; else leaves everything as it is.
    fn after(&mut self, progress: &mut Progress, tree: Tree) {
        let another = matches!(ladder::next(&self.context(), &progress.attempts), Move::Run { .. })
            || self.retry_allowed(progress);
        if another {
            let folder = &self.settings.folder;
            let cleanup: Cleanup =
                cleanup::after_attempt(&tree, folder, &self.settings.clean, &mut self.notes);
            let part = progress.parts.last_mut().expect("an attempt has just ended");
            part.cleanup = Some(cleanup);
            part.saved = Some(saved::count(folder, progress.started_at));
        } else if progress.attempts.last().is_some_and(|last| last.outcome != Outcome::Succeeded) {
            tree.kill();
        }
        tree.close();
    }

    /// Whether a `retry:` rule of the user's asks for the same again.
    fn retry_allowed(&self, progress: &Progress) -> bool {
        let Some(last) = progress.parts.last().filter(|last| last.outcome == Outcome::Failed) else {
            return false;
        };
        let tried = progress.parts.iter().filter(|part| part.outcome == Outcome::Failed).count() as u32;
        self.settings.retry.iter().any(|rule| {
            let code = rule.exit_code.is_none_or(|code| last.exit_code == Some(code));
            let text = rule.text.as_ref().is_none_or(|text| progress.last_texts.contains(text));
            code && text && tried <= rule.max
        })
    }

    fn retry_texts(&self) -> Texts {
        Texts::new(self.settings.retry.iter().filter_map(|rule| rule.text.clone()).collect())
    }

    fn end(mut self, progress: Progress, stop: Stop, need_bytes: Option<u64>, reason: String) -> Exit {
        let outcome = progress.parts.last().map_or(Outcome::OutOfMemory, |last| last.outcome);
        let exit = match (stop, progress.last_exit) {
            (Stop::NothingFits, _) => Exit::NothingFits,
            (Stop::AttemptsSpent, _) => Exit::TryAgain,
            (Stop::Final, Some(exit)) => Exit::Child(exit),
            (Stop::Final, None) => Exit::Ours,
        };
        let run = Run { ended_unix_ms: unix_ms(), outcome, attempts: progress.attempts };
        self.store.finish(run, progress.promises.learned());
        note_all(&mut self.notes, std::mem::take(&mut self.store.notes));
        let need_bytes = need_bytes.filter(|_| stop == Stop::NothingFits);
        let recommend = report_parts::recommend(&self.store.profile, &self.budget, need_bytes);
        let report = RunReport {
            schema: report::SCHEMA,
            job: self.store.profile.job.clone(),
            command: self.settings.command_words(),
            outcome,
            exit_code: exit.code(),
            wall_ms: progress.started.elapsed().as_millis() as u64,
            budget: report::BudgetPart { bytes: self.budget.bytes, binding: self.budget.binding.clone() },
            tree: report::TreePart { kind: progress.tree_kind.to_string() },
            attempts: progress.parts,
            need_bytes,
            recommend,
            reason,
            notes: self.notes,
            curve: progress.curve.points().to_vec(),
        };
        outputs::write(&self.settings, &report);
        exit
    }

    fn not_started(&self, error: &SpawnError) -> Exit {
        eprintln!("plimsoll: {error}");
        match error {
            SpawnError::NotFound { .. } => Exit::NotFound,
            SpawnError::NotExecutable { .. } => Exit::NotExecutable,
            SpawnError::Ours(_) => Exit::Ours,
        }
    }
}

/// What an attempt comes to, from its evidence. Its budget stays the run's, which is what attempts are compared by;
/// the tree's own limit is a little less.
fn judged(started: Attempt, ended: &Ended, census: Census, freezes: u64) -> Attempt {
    let (outcome, cause) = classify(&ended.evidence);
    Attempt {
        outcome,
        cause,
        exit_code: Some(ended.evidence.exit.shell_code()),
        kernel_kills: ended.evidence.kernel_kills,
        heap_errors: heap_errors(&ended.evidence.sightings),
        freezes,
        wall_ms: ended.wall_ms,
        census,
        ..started
    }
}

/// An attempt as it stands on disk while it runs: should it never end, this is what died.
fn unfinished(setting: &Setting, budget_bytes: Option<u64>) -> Attempt {
    Attempt {
        setting: setting.clone(),
        budget_bytes,
        outcome: Outcome::Abandoned,
        cause: None,
        exit_code: None,
        kernel_kills: None,
        heap_errors: 0,
        freezes: 0,
        wall_ms: 0,
        census: Census::default(),
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A note is said once, however often it came up.
fn note_all(notes: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for note in more {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}
