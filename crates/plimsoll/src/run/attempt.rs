//! One attempt: start the command, watch it, hear signals, end it cleanly, say what was seen.

use super::cpu;
use super::node_reports;
use super::texts::Texts;
use super::tree::Tree;
use super::watch::Watch;
use plimsoll_core::outcome::{EndedByUs, Evidence, Exit};
use plimsoll_core::signature::{Scanner, Sighting};
use plimsoll_probe::supervise::{Signals, Spawn, SpawnError, Spawned, Tee, reap};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::path::Path;
use std::time::{Duration, Instant};

/// A build we end gets this long to remove half-written files (make does on SIGTERM) before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// What is known when an attempt has ended, besides what its [`Watch`] gathered.
#[derive(Debug)]
pub struct Ended {
    /// For [`plimsoll_core::outcome::classify`].
    pub evidence: Evidence,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// Texts of `retry:` rules it printed.
    pub texts: Vec<String>,
    /// CPU time of the processes that ended, in milliseconds.
    pub cpu_ms: u64,
}

/// What is kept an eye on besides memory.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Wall time the attempt may take.
    pub timeout: Option<Duration>,
    /// Texts of `retry:` rules.
    pub texts: Texts,
    /// Where Node reports its death.
    pub report_dir: Option<&'a Path>,
}

/// Runs the command to its end.
pub fn run(
    spawn: Spawn,
    tree: &Tree,
    watch: &mut Watch,
    signals: &mut Signals,
    terms: Terms,
) -> Result<Ended, SpawnError> {
    let started = Instant::now();
    let cpu_before_ms = cpu::children_ms();
    let mut spawned = spawn.start()?;
    let tees = std::mem::take(&mut spawned.pipes)
        .into_iter()
        .map(|(from, to)| Tee::start(from, to, (Scanner::new(), terms.texts.clone()), look))
        .collect::<Result<Vec<_>, _>>()
        .map_err(SpawnError::Ours)?;
    watch.begin(spawned.pid);
    let mut supervision =
        Supervision { spawned, started, timeout: terms.timeout, ending: None, sigkilled: 0 };
    let exit = supervision.until_the_end(tree, watch, signals);
    let (scanners, texts): (Vec<Scanner>, Vec<Texts>) = tees.into_iter().filter_map(Tee::finish).unzip();
    supervision.clear(tree, watch);
    let reports = terms.report_dir.map(node_reports::take).unwrap_or_default();
    let sightings = scanners.into_iter().flat_map(Scanner::finish).chain(reports).collect();
    Ok(Ended {
        evidence: supervision.evidence(exit, sightings, tree, watch),
        wall_ms: started.elapsed().as_millis() as u64,
        texts: texts.into_iter().flat_map(Texts::finish).collect(),
        cpu_ms: cpu::children_ms().saturating_sub(cpu_before_ms),
    })
}

fn look((scanner, texts): &mut (Scanner, Texts), chunk: &[u8]) {
    scanner.feed(chunk);
    texts.feed(chunk);
}

/// A running command and what we are doing about it.
struct Supervision {
    spawned: Spawned,
    started: Instant,
    timeout: Option<Duration>,
    ending: Option<Ending>,
    sigkilled: u64,
}

/// We have told the build to end.
struct Ending {
    why: EndedByUs,
    /// When patience ends; `None` for a signal of the user's, which the build answers in its own time.
    kill_at: Option<Instant>,
}

impl Supervision {
    fn until_the_end(&mut self, tree: &Tree, watch: &mut Watch, signals: &mut Signals) -> Exit {
        let mut wait_ms = 0;
        loop {
            wait(signals, watch, wait_ms);
            if let Some(signal) = signals.take() {
                self.pass_on(signal, tree, watch);
            }
            if let Some(exit) = self.reap(watch) {
                return exit;
            }
            wait_ms = self.act(tree, watch);
        }
    }

    /// Collects the dead; the command's own end is the end of the attempt.
    fn reap(&mut self, watch: &mut Watch) -> Option<Exit> {
        let mut exit = None;
        for ended in reap() {
            if ended.pid == self.spawned.pid {
                exit = Some(ended.exit);
            } else if ended.exit == Exit::Signal(Signal::KILL.as_raw()) && self.ending.is_none() {
                self.sigkilled += 1;
            }
            watch.ended(ended);
        }
        exit
    }

    /// One tick: watches, or sees an ending through. Returns how long to wait for the next, in milliseconds.
    fn act(&mut self, tree: &Tree, watch: &mut Watch) -> u64 {
        if let Some(ending) = &self.ending {
            if ending.kill_at.is_some_and(|at| Instant::now() >= at) {
                tree.kill();
                watch.signal_all(Signal::KILL);
            }
            return 50;
        }
        if self.timeout.is_some_and(|timeout| self.started.elapsed() > timeout) {
            self.end(EndedByUs::Timeout, watch);
            return 0;
        }
        let tick = watch.tick(tree);
        if let Some(why) = tick.end {
            self.end(why, watch);
        }
        tick.wait_ms
    }

    /// Ends the attempt as a whole, cleanly: everybody is told, then woken, so that the first thing a frozen
    /// compiler does is to die and the first thing its make does is to remove the half-written target.
    fn end(&mut self, why: EndedByUs, watch: &mut Watch) {
        watch.signal_all(Signal::TERM);
        watch.thaw_all();
        self.ending = Some(Ending { why, kill_at: Some(Instant::now() + GRACE) });
    }

    /// Kills and reaps what is left of an attempt we have ended, so that its time counts with it and the next one
    /// starts alone.
    fn clear(&self, tree: &Tree, watch: &mut Watch) {
        if self.ending.as_ref().is_some_and(|ending| ending.kill_at.is_some()) {
            tree.kill();
            watch.signal_all(Signal::KILL);
            reap();
        }
    }

    /// A signal to us is meant for the build. The second one means it.
    fn pass_on(&mut self, signal: i32, tree: &Tree, watch: &mut Watch) {
        watch.thaw_all();
        if self.ending.is_some() {
            tree.kill();
            watch.signal_all(Signal::KILL);
            return;
        }
        self.ending = Some(Ending { why: EndedByUs::Signal(signal), kill_at: None });
        let from_the_keyboard = [Signal::INT.as_raw(), Signal::QUIT.as_raw()].contains(&signal);
        if from_the_keyboard && !self.spawned.own_group {
            // The terminal has sent it to the build as well.
            return;
        }
        let (Some(pid), Some(signal)) = (Pid::from_raw(self.spawned.pid), Signal::from_named_raw(signal))
        else {
            return;
        };
        // It may have ended in this moment.
        let _ =
            if self.spawned.own_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    }

    fn evidence(&self, exit: Exit, sightings: Vec<Sighting>, tree: &Tree, watch: &Watch) -> Evidence {
        Evidence {
            exit,
            kernel_kills: tree.kernel_kills(),
            sigkilled_in_tree: self.sigkilled,
            sightings,
            ended_by_us: self.ending.as_ref().map(|ending| ending.why),
            peak_bytes: watch.peak_bytes(),
            budget_bytes: watch.budget_bytes(),
        }
    }
}

/// Waits for a signal, the end of a child, a kernel event of the tree, or the time.
fn wait(signals: &Signals, watch: &Watch, wait_ms: u64) {
    let timeout = Timespec { tv_sec: (wait_ms / 1000) as i64, tv_nsec: (wait_ms % 1000 * 1_000_000) as i64 };
    let signal_fd = signals.fd();
    let mut fds = vec![PollFd::new(&signal_fd, PollFlags::IN)];
    fds.extend(watch.wakes().poll_fds());
    // Interrupted or not: the loop looks at everything anyway.
    let _ = poll(&mut fds, Some(&timeout));
    watch.wakes().drain();
}
