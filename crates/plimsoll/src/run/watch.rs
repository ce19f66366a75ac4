//! The watch: one tick after the other over the tree of an attempt, as fast as it grows.
//!
//! A tick reads the cgroup; where that is near the budget or enough time has passed, the processes too. What
//! follows is decided in core: who is frozen, how many jobserver tokens are out, whether the run stalls.

use super::branches::{Branches, Patience, Pool, Room};
use super::curve::Curve;
use super::pace::Pace;
use super::shares::Shares;
use super::stalls::Stalls;
use super::tree::{Reading, Tree};
use super::wakes::Wakes;
use plimsoll_core::attempt::Census;
use plimsoll_core::census::{Counter, Seen};
use plimsoll_core::outcome::EndedByUs;
use plimsoll_core::promise::Promises;
use plimsoll_probe::proc::{Process, Scan};
use plimsoll_probe::supervise::Ended;
use rustix::process::Signal;
use std::path::Path;
use std::time::Instant;

/// A livelock is answered by keeping this part of the budget free, and as much again each time it goes on.
const RELIEF_DIVISOR: u64 = 10;

/// What an attempt is watched with.
pub struct Watched<'a> {
    /// The budget in bytes.
    pub budget_bytes: Option<u64>,
    /// Cap of the heap in bytes, where one process with one JavaScript thread fills it: only then its other threads
    /// are the collector's.
    pub lone_heap_bytes: Option<u64>,
    /// The token pool, where the build may have one.
    pub pool: Option<Pool<'a>>,
    /// Kernel events of the tree.
    pub wakes: Wakes,
    /// Whether workers have clocks of their own.
    pub patience: Patience,
    /// Whether an attempt that collects garbage and little else has a better setting to move to, by what was seen of
    /// it so far; without one it may still come through.
    pub can_move: &'a dyn Fn(&Census) -> bool,
    /// Whether it has died before and will again: then it is ended when nobody is left to wait, before the kernel kills.
    pub last_resort: bool,
    /// Start of the run: the zero of the curve and the events.
    pub run_started: Instant,
}

/// What the live line shows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Now {
    /// Memory of the tree in bytes.
    pub used_bytes: Option<u64>,
    /// Share of the last 10 s in which some of the tree waited for memory, in percent.
    pub some_percent: Option<f64>,
    /// Branches that wait.
    pub frozen: usize,
}

/// What a tick decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// How long to wait for the next, in milliseconds.
    pub wait_ms: u64,
    /// Set when the attempt has to end.
    pub end: Option<EndedByUs>,
}

/// Watches one attempt.
pub struct Watch<'a> {
    with: Watched<'a>,
    scan: Scan,
    processes: Vec<Process>,
    counter: Counter,
    branches: Branches<'a>,
    shares: Shares,
    stalls: Stalls,
    pace: Pace,
    curve: &'a mut Curve,
    show: &'a mut dyn FnMut(Now),
    root_pid: i32,
    /// Kept free besides the margin, because the tree read its own code again and again.
    relief_bytes: u64,
}

impl<'a> Watch<'a> {
    /// A watch that has not begun. `show` is told what is seen, tick by tick.
    pub fn new(
        with: Watched<'a>,
        promises: &'a mut Promises,
        curve: &'a mut Curve,
        show: &'a mut dyn FnMut(Now),
    ) -> Watch<'a> {
        let branches = Branches::new(promises, with.patience);
        Watch {
            with,
            scan: Scan::new(Path::new("/")),
            processes: Vec::new(),
            counter: Counter::default(),
            branches,
            shares: Shares::default(),
            stalls: Stalls::default(),
            pace: Pace::default(),
            curve,
            show,
            root_pid: 0,
            relief_bytes: 0,
        }
    }

    /// The command has been started.
    pub fn begin(&mut self, root_pid: i32) {
        self.root_pid = root_pid;
    }

    /// A child of ours has ended: what it held at its peak is learned.
    pub fn ended(&mut self, ended: Ended) {
        if ended.pid == self.root_pid {
            self.thaw_all();
        }
    }

    /// One look, and what follows from it.
    pub fn tick(&mut self, tree: &Tree) -> Tick {
        let now_ms = self.with.run_started.elapsed().as_millis() as u64;
        let reading = tree.read();
        if self.pace.scan_is_due(now_ms, reading.used_bytes, self.with.budget_bytes) {
            let began = Instant::now();
            self.look_at_processes(tree, &reading);
            self.pace.scanned(now_ms, reading.used_bytes, began.elapsed());
        }
        let used_bytes =
            reading.used_bytes.or_else(|| self.shares.sum_bytes(Path::new("/"), &self.processes));
        if let Some(used_bytes) = used_bytes {
            self.counter.peak(used_bytes);
            self.curve.push(now_ms, used_bytes);
        }
        let some_percent = reading.some_percent;
        (self.show)(Now { used_bytes, some_percent, frozen: self.branches.frozen() });
        let end = used_bytes.and_then(|used_bytes| self.decide(tree, &reading, used_bytes, now_ms));
        let wait_ms = self.pace.wait_ms(now_ms, used_bytes, self.with.budget_bytes);
        Tick { wait_ms: wait_ms.min(tree.draw_line(&mut self.with.wakes)), end }
    }

    fn look_at_processes(&mut self, tree: &Tree, reading: &Reading) {
        self.processes = match tree.members() {
            Some(pids) => self.scan.of(&pids),
            None => self.scan.below(std::process::id() as i32),
        };
        let seen: Vec<Seen> = self.processes.iter().map(seen).collect();
        self.counter.look(&seen, reading.used_bytes);
        self.branches.look(&self.processes);
    }

    /// Freezes and wakes, sets the jobserver, looks for stalls.
    fn decide(&mut self, tree: &Tree, reading: &Reading, used_bytes: u64, now_ms: u64) -> Option<EndedByUs> {
        let budget_bytes = self.with.budget_bytes?;
        let margin_bytes = self.pace.margin_bytes(budget_bytes) + self.relief_bytes;
        let room = Room { budget_bytes, used_bytes, margin_bytes, now_ms };
        let stuck = self.branches.freeze(&self.processes, &room);
        if let Some(pool) = &self.with.pool {
            self.branches.grant(&self.processes, &room, pool);
        }
        // Without a cgroup of its own the build's kill could be ours too.
        if stuck && (self.branches.frozen() > 0 || tree.limit_bytes().is_none()) {
            return Some(EndedByUs::LimitReached);
        }
        // What has died here before is not given the benefit of the doubt: a crate grows by 10 MiB while it is doubted.
        let full = used_bytes.saturating_add(margin_bytes) >= budget_bytes;
        if self.with.last_resort && full && self.branches.running(&self.processes) <= 1 {
            return Some(EndedByUs::LimitReached);
        }
        match self.stalls.look(
            reading,
            &self.processes,
            used_bytes,
            budget_bytes,
            self.with.lone_heap_bytes,
            now_ms,
        )? {
            // First relief: more room for those that run, until nobody is left to wait.
            EndedByUs::Livelock if self.branches.running(&self.processes) > 1 => {
                self.relief_bytes += budget_bytes / RELIEF_DIVISOR;
                None
            }
            EndedByUs::GcThrash if !(self.with.can_move)(self.counter.census()) => None,
            end => Some(end),
        }
    }

    /// Sends a signal to every process of the tree.
    pub fn signal_all(&mut self, signal: Signal) {
        self.processes = self.scan.below(std::process::id() as i32);
        for process in &self.processes {
            process.signal(signal);
        }
    }

    /// Wakes everybody.
    pub fn thaw_all(&mut self) {
        self.branches.thaw_all(&self.processes);
    }

    /// Highest memory of the tree, in bytes.
    pub fn peak_bytes(&self) -> Option<u64> {
        self.counter.census().peak_bytes
    }

    /// The budget in bytes.
    pub fn budget_bytes(&self) -> Option<u64> {
        self.with.budget_bytes
    }

    /// Kernel events to wait for.
    pub fn wakes(&self) -> &Wakes {
        &self.with.wakes
    }

    /// What was seen, and how often a branch was frozen. `ended_well`: nothing of it was killed.
    pub fn finish(self, ended_well: bool) -> (Census, u64) {
        (self.counter.census().clone(), self.branches.finish(ended_well))
    }
}

fn seen(process: &Process) -> Seen<'_> {
    Seen { id: process.id(), program: &process.program, held_bytes: process.private_bytes.unwrap_or(0) }
}
