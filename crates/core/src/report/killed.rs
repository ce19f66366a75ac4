//! What was killed: workloads and jobs that died for want of memory, this period beside the one before.

use super::grew::runs_in;
use super::seen::{Period, Seen, Whose};
use super::{Finding, Severity, words};
use crate::outcome::{Cause, Outcome};
use crate::profile::{Profile, RUNS_MAX, Run};
use crate::size::human;
use std::collections::{BTreeMap, BTreeSet};

/// Killed so often in one period it does not get over it by itself.
const OFTEN: u64 = 3;

/// Kills of one workload or job.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tally {
    /// By the agent's counters, in this period and in the one before.
    counted: [u64; 2],
    /// By the status of pods.
    told: [u64; 2],
    /// When the last one was seen, in this period.
    last_ms: Option<i64>,
    /// Which containers; an empty name is one that has gone with its name.
    pub containers: BTreeSet<String>,
    /// Of a job: what its runs say.
    runs: Option<Runs>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Runs {
    all: u64,
    died: [u64; 2],
    rescued: u64,
    kills: [u64; 2],
    lost: u64,
    last_died: bool,
    why: String,
    is_cut: bool,
}

impl Tally {
    /// In this period. Two sources may tell of the same kill: the higher counts, never the sum.
    pub fn now(&self) -> u64 {
        self.of(0)
    }

    fn of(&self, period: usize) -> u64 {
        let of_runs = self.runs.as_ref().map_or(0, |runs| runs.kills[period]);
        self.counted[period].max(self.told[period]).max(of_runs)
    }

    /// Nothing where nothing died in this period.
    pub fn severity(&self) -> Option<Severity> {
        let of_runs = self.runs.as_ref().and_then(Runs::severity);
        let is_seen = self.counted[0] > 0 || self.told[0] > 0;
        // A job's kernel kills cost no run where it was rescued: how its runs ended says how bad they are.
        let of_kills = (is_seen && self.runs.is_none()).then(|| {
            let again = self.of(1) > 0 || self.now() >= OFTEN;
            if again { Severity::Critical } else { Severity::Warning }
        });
        of_runs.max(of_kills).or(is_seen.then_some(Severity::Info))
    }
}

impl Runs {
    fn severity(&self) -> Option<Severity> {
        if self.last_died {
            Some(Severity::Critical)
        } else if self.died[0] > 0 || self.lost > 0 {
            Some(Severity::Warning)
        } else {
            (self.kills[0] > 0).then_some(Severity::Info)
        }
    }
}

/// By whom it was that died.
pub(super) fn by_whom(seen: &Seen) -> BTreeMap<Whose, Tally> {
    let periods = [seen.period, seen.period.before()];
    let mut all: BTreeMap<Whose, Tally> = BTreeMap::new();
    for kills in seen.cluster.read().into_iter().flat_map(|cluster| &cluster.kills) {
        let Some(period) = periods.iter().position(|period| period.has(kills.at_ms)) else { continue };
        let tally = all.entry(kills.whose.clone()).or_default();
        let counts = if kills.is_counted { &mut tally.counted } else { &mut tally.told };
        counts[period] += kills.count;
        if period == 0 && kills.count > 0 {
            tally.last_ms = tally.last_ms.max(Some(kills.at_ms));
            tally.containers.insert(kills.container.clone());
        }
    }
    for profile in seen.builds.read().into_iter().flatten() {
        let whose = Whose::Job { project: profile.project.clone(), job: profile.job.clone() };
        all.entry(whose).or_default().runs.get_or_insert_default().take(profile, periods);
    }
    all.retain(|_, tally| tally.severity().is_some());
    all
}

impl Runs {
    /// Adds what a profile says: a job may have run more than one command.
    fn take(&mut self, profile: &Profile, periods: [Period; 2]) {
        for (index, period) in periods.into_iter().enumerate() {
            for run in runs_in(profile, period) {
                self.died[index] += u64::from(run.outcome == Outcome::OutOfMemory);
                self.kills[index] += deaths(run);
            }
        }
        let runs: Vec<&Run> = runs_in(profile, periods[0]).collect();
        self.all += runs.len() as u64;
        self.rescued +=
            runs.iter().filter(|run| run.outcome == Outcome::Succeeded && deaths(run) > 0).count() as u64;
        let started = profile.intents.iter().map(|intent| intent.started_unix_ms);
        self.lost +=
            started.filter(|at| i64::try_from(*at).is_ok_and(|at_ms| periods[0].has(at_ms))).count() as u64;
        self.last_died |= runs.last().is_some_and(|run| run.outcome == Outcome::OutOfMemory);
        let oldest = profile.runs.first().and_then(|run| i64::try_from(run.ended_unix_ms).ok());
        self.is_cut |=
            profile.runs.len() >= RUNS_MAX && oldest.is_some_and(|at_ms| at_ms >= periods[1].from_ms);
        if let Some(why) = runs.iter().rev().find(|run| deaths(run) > 0).and_then(|run| why(run)) {
            self.why = why;
        }
    }
}

/// How often memory ended something in a run: what the kernel killed, or an attempt that ended of it otherwise.
fn deaths(run: &Run) -> u64 {
    let of_attempt = |kills: Option<u64>, outcome: Outcome| {
        kills.unwrap_or(0).max(u64::from(outcome == Outcome::OutOfMemory))
    };
    run.attempts.iter().map(|attempt| of_attempt(attempt.kernel_kills, attempt.outcome)).sum()
}

/// Of its last attempt that died.
fn why(run: &Run) -> Option<String> {
    let died = |attempt: &&crate::attempt::Attempt| {
        attempt.outcome == Outcome::OutOfMemory || attempt.kernel_kills.is_some_and(|kills| kills > 0)
    };
    let attempt = run.attempts.iter().rev().find(died)?;
    let cause = match attempt.cause {
        Some(Cause::HeapLimit) => "its heap limit was reached with room left",
        Some(Cause::HeapLimitAndKernelKill) => "its heap limit was reached with no room left",
        Some(Cause::GcThrash) => "garbage collection ate the run",
        Some(Cause::Livelock) => "its code was read back again and again",
        Some(Cause::LimitReached) => "the limit was reached",
        Some(Cause::AllocationRefused) => "an allocation was refused",
        Some(Cause::KernelKill) | None => "killed by the kernel",
    };
    let peak = attempt.census.peak_bytes.zip(attempt.budget_bytes);
    let peak =
        peak.map_or(String::new(), |(peak, budget)| format!(", peak {} of {}", human(peak), human(budget)));
    Some(format!("{cause}{peak}"))
}

pub(super) fn findings(seen: &Seen, kills: &BTreeMap<Whose, Tally>) -> Vec<Finding> {
    let finding = |(whose, tally): (&Whose, &Tally)| {
        Some(Finding {
            severity: tally.severity()?,
            subject: words::whose(whose),
            what: what(tally),
            evidence: evidence(tally, seen.period),
            next: next(whose, tally, seen),
            bytes: None,
            per_month: None,
            kills: Some(tally.now()),
        })
    };
    kills.iter().filter_map(finding).collect()
}

fn what(tally: &Tally) -> String {
    let Some(runs) = tally.runs.as_ref().filter(|runs| runs.severity().is_some()) else {
        let (now, before) = (words::count(tally.now(), "kill", "kills"), tally.of(1));
        return format!("{now}, {before} in the period before");
    };
    let mut parts = Vec::new();
    if runs.died[0] > 0 {
        let last = if runs.last_died { ", the last one too" } else { "" };
        parts.push(format!(
            "{} of {} died of memory{last}",
            runs.died[0],
            words::count(runs.all, "run", "runs")
        ));
    }
    if runs.rescued > 0 {
        parts.push(format!("{} came through after kills", words::count(runs.rescued, "run", "runs")));
    }
    if runs.lost > 0 {
        parts.push(format!("{} started and not seen to end", words::count(runs.lost, "attempt", "attempts")));
    }
    if !runs.is_cut {
        parts.push(format!("{} died in the period before", runs.died[1]));
    }
    parts.join(", ")
}

fn evidence(tally: &Tally, period: Period) -> String {
    let mut parts = Vec::new();
    if tally.counted[0] > 0 {
        parts.push(format!("{} by the agent's counter", tally.counted[0]));
    }
    if tally.told[0] > 0 {
        parts.push(format!("{} by the status of pods", tally.told[0]));
    }
    let named: Vec<&str> =
        tally.containers.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    if !named.is_empty() {
        let more = if named.len() > NAMES_MAX {
            format!(" and {} more", named.len() - NAMES_MAX)
        } else {
            String::new()
        };
        parts.push(format!("container {}{more}", named[..named.len().min(NAMES_MAX)].join(", ")));
    }
    if let Some(last_ms) = tally.last_ms {
        parts.push(format!("the last one {} before the end of the period", ago(period.to_ms - last_ms)));
    }
    if let Some(runs) = &tally.runs {
        parts.extend((!runs.why.is_empty()).then(|| runs.why.clone()));
        parts.extend(
            (runs.lost > 0)
                .then(|| "killed with their container, or cancelled: their runs say nothing".to_string()),
        );
        parts.extend(runs.is_cut.then(|| format!("only the last {RUNS_MAX} runs are remembered")));
    }
    parts.join("; ")
}

/// Containers that are named.
const NAMES_MAX: usize = 3;

fn ago(ms: i64) -> String {
    let hours = ms / 3_600_000;
    if hours < 48 {
        words::count(hours.max(0) as u64, "hour", "hours")
    } else {
        format!("{} days", hours / 24)
    }
}

fn next(whose: &Whose, tally: &Tally, seen: &Seen) -> String {
    match whose {
        Whose::Workload { namespace, .. } => words::rightsize(seen.cluster.from(), namespace),
        Whose::Job { job, .. } if tally.runs.is_some() => {
            format!("plimsoll diagnose {} --store {}", words::quoted(job), words::quoted(seen.builds.from()))
        }
        Whose::Job { .. } => {
            "plimsoll run -- THE SAME COMMAND, which sets what fits and remembers what it took".to_string()
        }
        Whose::Container(_) => "plimsoll budget, on that machine: which limit binds".to_string(),
    }
}
