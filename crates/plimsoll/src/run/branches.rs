//! The branches of the tree: promises for each, and what the freezer and the jobserver make of them.

use plimsoll_core::admission::{self, Holder, Job, View as AdmissionView};
use plimsoll_core::census::runtime_of;
use plimsoll_core::freezer::{Branch, Freezer, View};
use plimsoll_core::program::{Runtime, Shape};
use plimsoll_core::promise::{Promises, is_starter};
use plimsoll_probe::jobserver::Jobserver;
use plimsoll_probe::proc::Process;
use rustix::process::Signal;
use std::collections::HashMap;

/// Whether a branch can be stopped without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Compilers and the like: for any time.
    Patient,
    /// Workers of a test runner, which have time-outs: only as the last resort.
    Impatient,
}

/// Tools whose workers have clocks of their own: a test may take 2 to 30 s by default, and a forked test JVM ends
/// itself when it has not heard of Maven for 30 s. pytest has none.
const CLOCKED: [&str; 6] = ["jest", "vitest", "mocha", "playwright", "mvn", "gradle"];

impl Patience {
    /// What the command's shape says of its workers.
    pub fn of(shape: &Shape) -> Patience {
        if shape.tool.is_some_and(|tool| CLOCKED.contains(&tool)) {
            Patience::Impatient
        } else {
            Patience::Patient
        }
    }
}

/// What is remembered of a living process.
#[derive(Debug, Clone, Copy)]
struct Past {
    cpu_ticks: u64,
    peak_bytes: u64,
    active: bool,
    frozen: bool,
}

/// What the tree has at one look.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// The budget in bytes.
    pub budget_bytes: u64,
    /// Memory of the tree that cannot be reclaimed, in bytes.
    pub used_bytes: u64,
    /// Kept free, in bytes.
    pub margin_bytes: u64,
    /// Any clock that does not go back, in milliseconds.
    pub now_ms: u64,
}

/// The token pool of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// Hands them out.
    pub jobserver: &'a Jobserver,
    /// Parallel jobs of the setting.
    pub jobs_max: u32,
    /// Cores the build may use.
    pub cores: u32,
}

/// All branches of one attempt.
pub struct Branches<'a> {
    promises: &'a mut Promises,
    patience: Patience,
    freezer: Freezer,
    past: HashMap<u64, (Past, String, Option<String>)>,
    freezes: u64,
}

impl<'a> Branches<'a> {
    /// No branch yet.
    pub fn new(promises: &'a mut Promises, patience: Patience) -> Branches<'a> {
        Branches { promises, patience, freezer: Freezer::default(), past: HashMap::new(), freezes: 0 }
    }

    /// Takes a scan: learns from those that have ended, remembers the living.
    pub fn look(&mut self, processes: &[Process]) {
        let mut before = std::mem::take(&mut self.past);
        for process in processes {
            let held_bytes = process.private_bytes.unwrap_or(0);
            let (past, program, input) = before.remove(&process.id()).unwrap_or_else(|| {
                let past = Past { cpu_ticks: 0, peak_bytes: 0, active: true, frozen: false };
                (past, process.program.clone(), process.input.clone())
            });
            // A process that became another program starts anew.
            let same = program == process.program;
            let past = Past {
                cpu_ticks: process.cpu_ticks,
                peak_bytes: if same { past.peak_bytes.max(held_bytes) } else { held_bytes },
                active: process.cpu_ticks > past.cpu_ticks || matches!(process.state, 'R' | 'D'),
                frozen: past.frozen,
            };
            self.promises.raise(&process.program, process.input.as_deref(), past.peak_bytes);
            let (program, input) =
                if same { (program, input) } else { (process.program.clone(), process.input.clone()) };
            self.past.insert(process.id(), (past, program, input));
        }
        for (past, program, input) in before.into_values().filter(|(_, program, _)| !is_starter(program)) {
            self.promises.learn(&program, input.as_deref(), past.peak_bytes);
        }
    }

    /// Stops and wakes branches; true when nothing more can be stopped and the room is used up.
    pub fn freeze(&mut self, processes: &[Process], room: &Room) -> bool {
        let branches: Vec<Branch> =
            processes.iter().filter(|process| works(process)).map(|process| self.branch(process)).collect();
        let view = View {
            budget_bytes: room.budget_bytes,
            used_bytes: room.used_bytes,
            margin_bytes: room.margin_bytes,
            branches: &branches,
            now_ms: room.now_ms,
        };
        let verdict = self.freezer.decide(&view);
        for process in processes {
            let id = process.id();
            if verdict.freeze.contains(&id) && process.signal(Signal::STOP) {
                self.freezes += 1;
                self.mark(id, true);
            } else if verdict.thaw.contains(&id) {
                process.signal(Signal::CONT);
                self.mark(id, false);
            }
        }
        verdict.stuck
    }

    /// Sets how many tokens may be out.
    pub fn grant(&mut self, processes: &[Process], room: &Room, pool: &Pool) {
        let Ok(counts) = pool.jobserver.counts() else { return };
        let jobs: Vec<Job> = processes
            .iter()
            .filter(|process| process.leaf)
            .map(|process| Job {
                program: &process.program,
                input: process.input.as_deref(),
                held_bytes: process.private_bytes.unwrap_or(0),
                threads: process.threads,
            })
            .collect();
        let tokens = admission::grant(
            &AdmissionView {
                budget_bytes: Some(room.budget_bytes),
                reserve_bytes: room.margin_bytes,
                held_bytes: room.used_bytes,
                jobs: &jobs,
                outstanding: counts.outstanding,
                tokens_max: pool.jobs_max.saturating_sub(1),
                cores: pool.cores,
            },
            self.promises,
        );
        let holders: Vec<Holder> = processes
            .iter()
            .map(|process| Holder { program: &process.program, leaf: process.leaf })
            .collect();
        // A pool that cannot be written to serves what it has; the freezer still watches.
        let _ = pool.jobserver.set_target(tokens);
        let _ = pool.jobserver.reconcile(admission::holdable(&holders), room.now_ms);
    }

    /// Wakes every branch that waits.
    pub fn thaw_all(&mut self, processes: &[Process]) {
        for process in processes.iter().filter(|process| self.is_frozen(process.id())) {
            process.signal(Signal::CONT);
        }
        self.past.values_mut().for_each(|(past, ..)| past.frozen = false);
    }

    /// How many wait now.
    pub fn frozen(&self) -> usize {
        self.past.values().filter(|(past, ..)| past.frozen).count()
    }

    /// How many branches run.
    pub fn running(&self, processes: &[Process]) -> usize {
        processes.iter().filter(|process| works(process) && !self.is_frozen(process.id())).count()
    }

    /// The attempt is over: who was alive at the last look has ended with it, by itself where it `ended_well`. How
    /// often a branch was stopped.
    pub fn finish(mut self, ended_well: bool) -> u64 {
        if ended_well {
            self.look(&[]);
        }
        self.freezes
    }

    fn is_frozen(&self, id: u64) -> bool {
        self.past.get(&id).is_some_and(|(past, ..)| past.frozen)
    }

    fn mark(&mut self, id: u64, frozen: bool) {
        if let Some((past, ..)) = self.past.get_mut(&id) {
            past.frozen = frozen;
        }
    }

    fn branch(&self, process: &Process) -> Branch {
        let held_bytes = process.private_bytes.unwrap_or(0);
        // A runtime's heap was divided by the solver; its cap is a ceiling and says nothing about its need.
        let promise_bytes = match runtime_of(&process.program) {
            Runtime::Native => {
                self.promises.promise_bytes(&process.program, process.input.as_deref(), held_bytes)
            }
            Runtime::Node | Runtime::Jvm => held_bytes,
        };
        Branch {
            id: process.id(),
            started: process.start_ticks,
            current_bytes: held_bytes,
            promise_bytes,
            frozen: self.is_frozen(process.id()),
            patient: self.patience == Patience::Patient,
            active: self.past.get(&process.id()).is_none_or(|(past, ..)| past.active),
        }
    }
}

/// A leaf that is no shell or driver: what grows, and what can wait.
fn works(process: &Process) -> bool {
    process.leaf && !is_starter(&process.program)
}
