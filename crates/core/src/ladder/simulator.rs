//! A simulated build: what it needs, and how a setting and a budget end it.

use super::*;
use crate::attempt::Census;
use crate::outcome::{Evidence, Exit, classify};
use crate::profile::Run;
use crate::program::Runtime;
use crate::signature::{Sighting, Signature};
use crate::size::MIB;
use crate::solver::process_bytes;

/// A build as far as memory goes, all sizes in MiB.
#[derive(Debug, Clone)]
pub struct Build {
    pub runtime: Runtime,
    /// Live heap of the main process; 0 for a native build.
    pub main_mib: u64,
    /// Live heap of each worker; 0 without workers.
    pub worker_mib: u64,
    /// Peak of one native job; 0 without.
    pub job_mib: u64,
    /// Everything else.
    pub rest_mib: u64,
}

impl Build {
    pub fn shape(&self) -> Shape {
        Shape { tool: None, runtime: Some(self.runtime), workers: self.worker_mib > 0, ..Shape::default() }
    }

    /// Runs it: a runtime grows half again over its live heap where its cap lets it.
    pub fn run(&self, setting: &Setting, budget_bytes: u64) -> Attempt {
        let grown = |need_mib: u64, cap: Option<u64>| {
            let greedy = need_mib * MIB * 3 / 2;
            process_bytes(self.runtime, cap.map_or(greedy, |cap| greedy.min(cap)))
        };
        let (main, worker, jobs) = match self.runtime {
            Runtime::Native => (self.job_mib * MIB, 0, u64::from(setting.jobs) - 1),
            _ => {
                let worker =
                    if self.worker_mib > 0 { grown(self.worker_mib, setting.worker_heap_bytes) } else { 0 };
                (grown(self.main_mib, setting.heap_bytes), worker, u64::from(setting.jobs))
            }
        };
        let others = if self.runtime == Runtime::Native { jobs * self.job_mib * MIB } else { jobs * worker };
        let tree = main + others + self.rest_mib * MIB;
        let short = |need_mib: u64, cap: Option<u64>| cap.is_some_and(|cap| cap < need_mib * MIB);
        let heap_error = self.runtime != Runtime::Native
            && (short(self.main_mib, setting.heap_bytes)
                || (self.worker_mib > 0 && short(self.worker_mib, setting.worker_heap_bytes)));
        let killed = tree > budget_bytes;
        let sighting = Sighting { signature: Signature::V8Heap, count: 1, line: String::new() };
        let code = if killed { 137 } else { i32::from(heap_error) * 134 };
        let (outcome, cause) = classify(&Evidence {
            exit: Exit::Code(code),
            kernel_kills: Some(u64::from(killed)),
            sigkilled_in_tree: 0,
            sightings: if heap_error && !killed { vec![sighting] } else { vec![] },
            ended_by_us: None,
            peak_bytes: Some(tree.min(budget_bytes)),
            budget_bytes: Some(budget_bytes),
        });
        Attempt {
            setting: setting.clone(),
            budget_bytes: Some(budget_bytes),
            outcome,
            cause,
            exit_code: Some(code),
            kernel_kills: Some(u64::from(killed)),
            heap_errors: u64::from(heap_error && !killed),
            freezes: 0,
            wall_ms: 1000,
            census: Census {
                peak_bytes: Some(tree.min(budget_bytes)),
                main_peak_bytes: Some(main.min(budget_bytes)),
                main_program: None,
                main_runtime: Some(self.runtime),
                worker_peak_bytes: (worker > 0).then_some(worker.min(budget_bytes)),
                parallel: setting.jobs,
                rest_peak_bytes: self.rest_mib * MIB,
                ..Census::default()
            },
        }
    }

    /// Whether any setting of a sweep passes with some room to spare: nobody can promise the last few percent.
    /// More jobs never help, so the sweep leaves them at one.
    pub fn some_fixed_setting_passes(&self, budget_bytes: u64) -> bool {
        let spared = budget_bytes / 100 * 92;
        let heaps: Vec<u64> = (1..=40).map(|step| spared / 40 * step).collect();
        let passes = |heap, worker| {
            let worker_heap_bytes = (self.worker_mib > 0).then_some(worker);
            let setting = Setting {
                mode: Mode::Safe,
                jobs: 1,
                heap_bytes: Some(heap),
                worker_heap_bytes,
                less_work: false,
            };
            self.run(&setting, spared).outcome == Outcome::Succeeded
        };
        heaps.iter().any(|heap| heaps.iter().any(|worker| passes(*heap, *worker)))
    }
}

pub fn context<'a>(
    build: &Build,
    modes: &'a Modes,
    profile: Option<&'a Profile>,
    budget_bytes: u64,
) -> Context<'a> {
    Context {
        jobs_asked: None,
        budget_bytes: Some(budget_bytes),
        cores: 8,
        modes,
        fixed_mode: None,
        shape: build.shape(),
        attempts_max: 4,
        profile,
    }
}

/// Plays a whole run; the last move is the stop.
pub fn play(context: &Context, build: &Build) -> (Vec<Attempt>, Move) {
    let mut attempts = Vec::new();
    loop {
        match next(context, &attempts) {
            Move::Run { setting, .. } => attempts.push(build.run(&setting, context.budget_bytes.unwrap())),
            stop => return (attempts, stop),
        }
        assert!(attempts.len() <= context.attempts_max as usize, "{attempts:#?}");
    }
}

pub fn remember(attempts: &[Attempt]) -> Profile {
    let mut profile = Profile::new("p", "j", "c");
    let outcome = attempts.last().map_or(Outcome::OutOfMemory, |last| last.outcome);
    profile.runs.push(Run { ended_unix_ms: 1, outcome, attempts: attempts.to_vec() });
    profile
}

pub fn node(main_mib: u64, worker_mib: u64, rest_mib: u64) -> Build {
    Build { runtime: Runtime::Node, main_mib, worker_mib, job_mib: 0, rest_mib }
}

pub fn native(job_mib: u64) -> Build {
    Build { runtime: Runtime::Native, main_mib: 0, worker_mib: 0, job_mib, rest_mib: 10 }
}
