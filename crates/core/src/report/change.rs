//! What to change: sizes of what is in danger, and of what saves most.

use super::grew::{AT, runs_in};
use super::killed::Tally;
use super::money::per_month;
use super::seen::{Cluster, Period, Seen, Whose};
use super::wasted::saving;
use super::{Finding, Severity, words};
use crate::profile::Profile;
use crate::recommend::{Grounds, Policy, Recommendation, recommend, words as in_their_words};
use crate::rightsize::answer::{Answer, Container, Id};
use crate::rightsize::reason;
use crate::size::{MIB, human};
use crate::sizing::DAY_MS;
use std::collections::{BTreeMap, HashMap};

/// A limit that is to be higher by less is near enough, as a share.
const RAISE_MIN: f64 = 0.05;
/// Where less of the limit is held than this, what is near it is page cache, which the kernel takes back.
const HELD_MIN: f64 = 0.75;
/// A smaller saving is none, as a share, and in bytes of all pods.
const SAVING_SHARE_MIN: f64 = 0.1;
const SAVING_BYTES_MIN: u64 = 32 * MIB;
/// A limit that is reached within so many periods is a danger.
const PERIODS: f64 = 4.0;

/// What is in danger, and how much.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Dangers(HashMap<Id, Danger>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Danger {
    severity: Severity,
    why: String,
}

impl Dangers {
    pub fn of(seen: &Seen, kills: &BTreeMap<Whose, Tally>) -> Dangers {
        let Some(cluster) = seen.cluster.read() else { return Dangers::default() };
        let held: HashMap<&Id, u64> = cluster
            .held
            .iter()
            .filter_map(|(id, held)| Some((id, held.highest(seen.period.from_ms, seen.period.to_ms)?)))
            .collect();
        let danger = |(container, answer): &(Container, Answer)| {
            let id = &container.id;
            Some((id.clone(), danger(container, answer, held.get(id).copied(), kills, seen.period)?))
        };
        Dangers(cluster.judged.iter().filter_map(danger).collect())
    }

    pub fn of_container(&self, id: &Id) -> Option<&Danger> {
        self.0.get(id)
    }
}

/// The worst of: killed, its limit soon reached, its limit lower than what it holds wants.
fn danger(
    container: &Container,
    answer: &Answer,
    held_bytes: Option<u64>,
    kills: &BTreeMap<Whose, Tally>,
    period: Period,
) -> Option<Danger> {
    let period_days = period.length_ms() as f64 / DAY_MS as f64;
    let killed = killed(&container.id, kills).map(|(severity, count)| Danger {
        severity: severity.max(Severity::Warning),
        why: format!("killed {}", words::count(count, "time", "times")),
    });
    let reached =
        answer.to_limit.filter(|to_limit| to_limit.days <= period_days * PERIODS).map(|to_limit| Danger {
            severity: if to_limit.days <= period_days { Severity::Critical } else { Severity::Warning },
            why: format!("reaches its limit in {:.1} days", to_limit.days),
        });
    let tight = container.limit_bytes.and_then(|limit| {
        let is_raised = answer.limit_bytes as f64 >= limit as f64 * (1.0 + RAISE_MIN);
        let share = held_bytes.map(|held| held as f64 / limit.max(1) as f64);
        (is_raised && share.is_none_or(|share| share >= HELD_MIN)).then(|| Danger {
            severity: if share.is_some_and(|share| share >= AT) {
                Severity::Critical
            } else {
                Severity::Warning
            },
            why: share.map_or("too little room below its limit".to_string(), |share| {
                format!("holds {} of its limit", words::percent(share))
            }),
        })
    });
    [killed, reached, tight]
        .into_iter()
        .flatten()
        .reduce(|one, other| if other.severity > one.severity { other } else { one })
}

/// How bad kills of a container's workload are, and how many: its own, or such as nobody can tell of which container.
fn killed(id: &Id, kills: &BTreeMap<Whose, Tally>) -> Option<(Severity, u64)> {
    let whose = Whose::Workload {
        namespace: id.namespace.clone(),
        kind: id.kind.clone(),
        workload: id.workload.clone(),
    };
    let tally = kills.get(&whose)?;
    let is_it = tally.containers.contains(&id.container) || tally.containers.contains("");
    tally.severity().filter(|_| is_it).map(|severity| (severity, tally.now()))
}

pub(super) fn findings(seen: &Seen, dangers: &Dangers) -> Vec<Finding> {
    let mut all = Vec::new();
    if let Some(cluster) = seen.cluster.read() {
        let finding = |(container, answer): &(Container, Answer)| {
            of_container(container, answer, dangers.of_container(&container.id), cluster, seen)
        };
        all.extend(cluster.judged.iter().filter_map(finding));
    }
    let jobs = seen.builds.read().into_iter().flatten();
    all.extend(jobs.filter_map(|profile| Some(of_job(profile, &job_change(profile, seen.period)?))));
    all
}

fn of_container(
    container: &Container,
    answer: &Answer,
    danger: Option<&Danger>,
    cluster: &Cluster,
    seen: &Seen,
) -> Option<Finding> {
    let id = &container.id;
    let saved_bytes = saving(container, answer) * u64::from(container.pods);
    let requested = container.request_bytes.unwrap_or(0) * u64::from(container.pods);
    let is_saving =
        saved_bytes >= SAVING_BYTES_MIN && saved_bytes as f64 >= requested as f64 * SAVING_SHARE_MIN;
    let evidence = reason::of_limit(answer, seen.period.to_ms);
    let (severity, evidence, bytes) = match danger {
        Some(danger) => (danger.severity, format!("{}: {evidence}", danger.why), None),
        None if is_saving => (Severity::Info, reason::of_request(answer), Some(saved_bytes)),
        None => return None,
    };
    Some(Finding {
        severity,
        subject: words::component(id),
        what: format!(
            "request {} -> {}, limit {} -> {}, {}",
            words::size(container.request_bytes),
            human(answer.request_bytes),
            words::size(container.limit_bytes),
            human(answer.limit_bytes),
            words::count(container.pods.into(), "pod", "pods")
        ),
        evidence: format!("{evidence}; confidence {}", answer.confidence.name()),
        next: words::plan(seen.cluster.from(), &id.namespace),
        bytes,
        per_month: bytes.map(|bytes| per_month(bytes, &cluster.price)),
        kills: None,
    })
}

/// Another size for a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JobChange {
    pub limit_now_bytes: u64,
    pub size: Recommendation,
}

impl JobChange {
    pub fn is_in_danger(&self) -> bool {
        self.size.limit_bytes > self.limit_now_bytes
    }
}

/// The size of a job that has run in this period, where that is another than it has.
pub(super) fn job_change(profile: &Profile, period: Period) -> Option<JobChange> {
    let latest = runs_in(profile, period).last()?.attempts.last()?;
    let limit_now_bytes = latest.budget_bytes?;
    let grounds = Grounds { runs: &profile.runs, limit_now_bytes: Some(limit_now_bytes), need_bytes: None };
    let size = recommend(grounds, &Policy::default()).ok()?;
    let apart = limit_now_bytes.abs_diff(size.limit_bytes);
    let is_other = apart >= SAVING_BYTES_MIN && apart as f64 >= limit_now_bytes as f64 * SAVING_SHARE_MIN;
    is_other.then_some(JobChange { limit_now_bytes, size })
}

fn of_job(profile: &Profile, change: &JobChange) -> Finding {
    let is_in_danger = change.is_in_danger();
    let [request, limit] = in_their_words(&change.size).gitlab;
    Finding {
        severity: if is_in_danger { Severity::Warning } else { Severity::Info },
        subject: words::job(&profile.project, &profile.job),
        what: format!(
            "limit {} -> {}, request {}",
            human(change.limit_now_bytes),
            human(change.size.limit_bytes),
            human(change.size.request_bytes)
        ),
        evidence: change.size.reason.clone(),
        next: format!("{}: {}, {}: {}", request.0, request.1, limit.0, limit.1),
        bytes: (!is_in_danger).then(|| change.limit_now_bytes.saturating_sub(change.size.limit_bytes)),
        per_month: None,
        kills: None,
    }
}
