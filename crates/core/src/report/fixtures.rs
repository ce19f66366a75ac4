//! A small cluster and some jobs, two weeks of them, for tests.

use super::seen::{Cluster, Kills, Period, Price, Seen, Source, Whose};
use crate::attempt::{Attempt, Census, Setting};
use crate::capacity::booking::price::Money;
use crate::mode::Mode;
use crate::outcome::{Cause, Outcome};
use crate::profile::{Profile, Run};
use crate::rightsize::answer::{Answer, Confidence, Container, Id, LimitWhy, RequestWhy};
use crate::rightsize::course::Course;
use crate::rightsize::envelope::Envelope;
use crate::rightsize::profile::Profile as Usage;
use crate::size::MIB;
use crate::sizing::{DAY_MS, HOUR_MS};

/// The second of two weeks.
pub(super) const WEEK: Period = Period { from_ms: 7 * DAY_MS, to_ms: 14 * DAY_MS };

pub(super) fn id(workload: &str) -> Id {
    Id {
        namespace: "shop".into(),
        kind: "Deployment".into(),
        workload: workload.into(),
        container: workload.into(),
    }
}

pub(super) fn whose(workload: &str) -> Whose {
    Whose::Workload { namespace: "shop".into(), kind: "Deployment".into(), workload: workload.into() }
}

/// A container with its sizes in MiB: request and limit now, and as they should be; two pods of it.
pub(super) fn judged(workload: &str, now: [Option<u64>; 2], then: [u64; 2]) -> (Container, Answer) {
    let container = Container {
        id: id(workload),
        profile: Usage::new(0, WEEK.to_ms),
        pods: 2,
        request_bytes: now[0].map(|mib| mib * MIB),
        limit_bytes: now[1].map(|mib| mib * MIB),
    };
    let answer = Answer {
        request_bytes: then[0] * MIB,
        request_why: RequestWhy::MostDays(then[0] * MIB),
        limit_bytes: then[1] * MIB,
        limit_why: LimitWhy::Policy,
        confidence: Confidence::High,
        peak: None,
        course: Course::Level,
        to_limit: None,
    };
    (container, answer)
}

/// What is held, in MiB, by the week before and this one.
pub(super) fn held(before: u64, now: u64) -> Envelope {
    let mut held = Envelope::new(0, WEEK.to_ms);
    for hour in 0..14 * 24 {
        let mib = if hour < 7 * 24 { before } else { now };
        held.take(hour * HOUR_MS, (mib * MIB) as f64);
    }
    held
}

/// A kill on a day, by the status of a pod.
pub(super) fn kill(workload: &str, day: i64) -> Kills {
    Kills {
        whose: whose(workload),
        container: workload.into(),
        at_ms: day * DAY_MS,
        count: 1,
        is_counted: false,
    }
}

/// An attempt that peaked at so many MiB of its budget.
pub(super) fn attempt(peak_mib: u64, budget_mib: u64, outcome: Outcome) -> Attempt {
    let died = outcome == Outcome::OutOfMemory;
    Attempt {
        setting: Setting {
            mode: Mode::Safe,
            jobs: 2,
            heap_bytes: None,
            worker_heap_bytes: None,
            less_work: false,
        },
        budget_bytes: Some(budget_mib * MIB),
        outcome,
        cause: died.then_some(Cause::KernelKill),
        exit_code: Some(if died { 137 } else { 0 }),
        kernel_kills: Some(u64::from(died)),
        heap_errors: 0,
        freezes: 0,
        wall_ms: 60_000,
        census: Census { peak_bytes: Some(peak_mib * MIB), ..Census::default() },
    }
}

/// A run that ended on a day, after these attempts.
pub(super) fn run(day: u64, attempts: Vec<Attempt>) -> Run {
    let outcome = attempts.last().map_or(Outcome::Failed, |last| last.outcome);
    Run { ended_unix_ms: day * DAY_MS as u64 + 1, outcome, attempts }
}

pub(super) fn job(name: &str, runs: Vec<Run>) -> Profile {
    let mut profile = Profile::new("group/app", name, "make");
    runs.into_iter().for_each(|run| profile.record(run));
    profile
}

pub(super) fn price() -> Price {
    Price { gib_hour: Money::of_nanos(4_000_000), currency: "USD".into(), source: "a test".into() }
}

/// What was seen of a cluster and of builds, where they were asked.
pub(super) fn seen(cluster: Option<Cluster>, builds: Option<Vec<Profile>>) -> Seen {
    fn source<T>(read: Option<T>, from: &str, how: &str) -> Source<T> {
        let from = from.to_string();
        read.map_or(Source::NotAsked(how.into()), |read| Source::Asked { from, remarks: Vec::new(), read })
    }
    Seen {
        period: WEEK,
        cluster: source(cluster, "http://prometheus:9090", "--source URL"),
        builds: source(builds, "/store", "--store DIR"),
        capacity: source(None, "", "--server URL"),
    }
}
