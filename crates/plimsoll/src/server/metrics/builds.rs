//! Builds of this machine's store, by project and job: gauges over the runs that are remembered, at most twenty each. The label
//! `job` is Prometheus' own.

use super::number;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::profile::Profile;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use crate::render::words;
use crate::store::jobs::Job;

/// Jobs that have series of their own: those that ran last.
const JOBS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    project: String,
    job_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    project: String,
    job_name: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModeLabels {
    project: String,
    job_name: String,
    mode: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;
type Whole = Family<JobLabels, Gauge>;

/// What is summed over the runs of a job, whatever its command.
#[derive(Default)]
struct Sums {
    outcomes: BTreeMap<String, u64>,
    attempts: u64,
    kills: u64,
    freezes: u64,
    rescued: u64,
}

impl Sums {
    fn add(&mut self, profile: &Profile) {
        for run in &profile.runs {
            *self.outcomes.entry(words::outcome(run.outcome).replace(' ', "_")).or_default() += 1;
            self.attempts += run.attempts.len() as u64;
            self.kills += run.attempts.iter().filter_map(|it| it.kernel_kills).sum::<u64>();
            self.freezes += run.attempts.iter().map(|it| it.freezes).sum::<u64>();
            let died = run.attempts.iter().any(|it| it.outcome == Outcome::OutOfMemory);
            self.rescued += u64::from(died && run.outcome == Outcome::Succeeded);
        }
    }
}

/// Shows them.
pub(super) fn register(registry: &mut Registry, profiles: &[Profile]) {
    let mut latest: Vec<&Profile> = profiles.iter().filter(|it| !it.runs.is_empty()).collect();
    latest.sort_by_key(|it| std::cmp::Reverse(it.runs.last().map(|run| run.ended_unix_ms)));
    latest.truncate(JOBS_MAX);
    // The latest command of a job last, so that its numbers stay.
    latest.reverse();
    summed(registry, &latest);
    last(registry, &latest);
}

fn labels(profile: &Profile) -> JobLabels {
    JobLabels { project: profile.project.clone(), job_name: profile.job.clone() }
}

fn summed(registry: &mut Registry, profiles: &[&Profile]) {
    let mut sums: BTreeMap<(String, String), Sums> = BTreeMap::new();
    for profile in profiles {
        sums.entry((profile.project.clone(), profile.job.clone())).or_default().add(profile);
    }
    let runs: Family<OutcomeLabels, Gauge> = Family::default();
    let [attempts, kills, freezes, rescued]: [Whole; 4] = std::array::from_fn(|_| Whole::default());
    for ((project, job_name), sums) in sums {
        for (outcome, count) in sums.outcomes {
            let labels = OutcomeLabels { project: project.clone(), job_name: job_name.clone(), outcome };
            runs.get_or_create(&labels).set(number(count));
        }
        let labels = JobLabels { project, job_name };
        for (family, count) in [
            (&attempts, sums.attempts),
            (&kills, sums.kills),
            (&freezes, sums.freezes),
            (&rescued, sums.rescued),
        ] {
            family.get_or_create(&labels).set(number(count));
        }
    }
    registry.register("runs", "Runs that are remembered, by how they ended", runs);
    registry.register("attempts", "Attempts of these runs", attempts);
    registry.register(
        "kernel_kills",
        "Processes of these runs that the kernel killed for want of memory",
        kills,
    );
    registry.register("freezes", "Times a branch of these runs waited, so that nothing was killed", freezes);
    registry.register("rescued_runs", "Runs that succeeded after an attempt had died of memory", rescued);
}

fn last(registry: &mut Registry, profiles: &[&Profile]) {
    let durations: Family<JobLabels, Seconds> = Family::default();
    let modes: Family<ModeLabels, Gauge> = Family::default();
    let [peaks, budgets, limits]: [Whole; 3] = std::array::from_fn(|_| Whole::default());
    for profile in profiles {
        let (labels, job) = (labels(profile), Job::of(profile));
        if let Some(run) = profile.runs.last() {
            let wall_ms: u64 = run.attempts.iter().map(|it| it.wall_ms).sum();
            durations.get_or_create(&labels).set(wall_ms as f64 / 1000.0);
        }
        for (family, bytes) in
            [(&peaks, job.peak_bytes), (&budgets, job.budget_bytes), (&limits, job.limit_bytes)]
        {
            if let Some(bytes) = bytes {
                family.get_or_create(&labels).set(number(bytes));
            }
        }
        if let Some(mode) = job.mode {
            let JobLabels { project, job_name } = labels;
            modes.get_or_create(&ModeLabels { project, job_name, mode: mode.name() }).set(1);
        }
    }
    registry.register_with_unit("last_duration", "Wall time of the last run", Unit::Seconds, durations);
    registry.register_with_unit(
        "peak",
        "What the last run took at most and could not be reclaimed",
        Unit::Bytes,
        peaks,
    );
    registry.register_with_unit("budget", "What the last run had", Unit::Bytes, budgets);
    registry.register_with_unit(
        "recommended_limit",
        "What the job should be limited to",
        Unit::Bytes,
        limits,
    );
    registry.register("mode", "The mode the last run ended in", modes);
}
