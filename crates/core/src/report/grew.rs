//! What grew: memory that cannot be reclaimed, peaks of builds, and what people take.

use super::seen::{Cluster, People, Period, Seen};
use super::steady::{Grown, grown, is_rise, middle};
use super::{Finding, Severity, words};
use crate::attempt::Attempt;
use crate::profile::{Profile, Run};
use crate::recommend::is_alike;
use crate::rightsize::answer::{Answer, Container, Id};
use crate::rightsize::envelope::Envelope;
use crate::rightsize::reason;
use crate::size::human;
use crate::sizing::DAY_MS;
use std::collections::BTreeMap;

/// Of a limit, what is held at most: from here on somebody should look, and from there on act. As alerts have it.
pub(super) const NEAR: f64 = 0.85;
pub(super) const AT: f64 = 0.95;
/// A limit that is reached within so many periods is worth a look; within one, it has to be seen to.
const PERIODS_WARNED: f64 = 4.0;
/// Runs of a job that must be known in each period.
const RUNS_MIN: usize = 3;
/// Of all pairs of a run of this period and one of the period before, so many must be higher.
const PAIRS_HIGHER_SHARE: f64 = 0.9;

pub(super) fn findings(seen: &Seen) -> Vec<Finding> {
    let mut all = Vec::new();
    if let Some(cluster) = seen.cluster.read() {
        all.extend(of_cluster(cluster, seen.cluster.from(), seen.period));
    }
    let builds = seen.builds.read().into_iter().flatten();
    all.extend(builds.filter_map(|profile| of_job(profile, seen.builds.from(), seen.period)));
    if let Some(people) = seen.capacity.read() {
        all.extend(of_people(people, seen.capacity.from(), seen.period));
    }
    all
}

fn of_cluster<'a>(
    cluster: &'a Cluster,
    source: &'a str,
    period: Period,
) -> impl Iterator<Item = Finding> + 'a {
    let judged: BTreeMap<&Id, &(Container, Answer)> =
        cluster.judged.iter().map(|one| (&one.0.id, one)).collect();
    cluster
        .held
        .iter()
        .filter_map(move |(id, held)| of_container(id, held, judged.get(id).copied(), source, period))
}

/// Grown beside the period before, or on the way to its limit whatever that shows: a leak that restarts hide is one.
fn of_container(
    id: &Id,
    held: &Envelope,
    judged: Option<&(Container, Answer)>,
    source: &str,
    period: Period,
) -> Option<Finding> {
    let grown = grown(held.samples(), period);
    let limit_bytes = judged.and_then(|(container, _)| container.limit_bytes);
    let highest = held.highest(period.from_ms, period.to_ms);
    let rises = judged.filter(|(_, answer)| answer.course.rise().is_some() && answer.to_limit.is_some());
    let days = days_to_limit(rises, grown, highest, limit_bytes);
    let used = highest.zip(limit_bytes).map(|(highest, limit)| highest as f64 / limit.max(1) as f64);
    let severity = severity(days, grown.and(used), period);
    let what = match (grown, days) {
        (Some(grown), _) => told(&grown),
        (None, Some(days)) if severity > Severity::Info => {
            format!("reaches its limit in {days:.1} days as it rises")
        }
        _ => return None,
    };
    let mut evidence = Vec::new();
    if let Some(grown) = grown {
        evidence.push(format!(
            "not reclaimable, {} of {} days of the period above the same day before",
            grown.up.0, grown.up.1
        ));
        evidence.push(format!("{} a day", human(grown.bytes_per_day as u64)));
    }
    if let Some(((highest, limit), used)) = highest.zip(limit_bytes).zip(used) {
        evidence.push(format!(
            "highest {}, {} of its limit of {}",
            human(highest),
            words::percent(used),
            human(limit)
        ));
    }
    if let Some((container, answer)) = rises {
        evidence.extend(reason::warnings(container, answer, period.to_ms).into_iter().next());
    }
    Some(Finding {
        severity,
        subject: words::component(id),
        what,
        evidence: evidence.join("; "),
        next: words::rightsize(source, &id.namespace),
        bytes: grown.map(|grown| grown.now_bytes.saturating_sub(grown.before_bytes)),
        per_month: None,
        kills: None,
    })
}

fn told(grown: &Grown) -> String {
    let share = grown.now_bytes as f64 / grown.before_bytes.max(1) as f64 - 1.0;
    format!(
        "holds {}, {} in the period before: +{}",
        human(grown.now_bytes),
        human(grown.before_bytes),
        words::percent(share)
    )
}

/// Until the limit, in days: by its whole course where that rises, else by how it has grown.
fn days_to_limit(
    rises: Option<&(Container, Answer)>,
    grown: Option<Grown>,
    highest: Option<u64>,
    limit_bytes: Option<u64>,
) -> Option<f64> {
    if let Some(to_limit) = rises.and_then(|(_, answer)| answer.to_limit) {
        return Some(to_limit.days);
    }
    let left = limit_bytes?.saturating_sub(highest?) as f64;
    grown.map(|grown| left / grown.bytes_per_day.max(1.0))
}

fn severity(days: Option<f64>, used: Option<f64>, period: Period) -> Severity {
    let period_days = period.length_ms() as f64 / DAY_MS as f64;
    let within = |periods: f64| days.is_some_and(|days| days <= period_days * periods);
    let above = |share: f64| used.is_some_and(|used| used >= share);
    if within(1.0) || above(AT) {
        Severity::Critical
    } else if within(PERIODS_WARNED) || above(NEAR) {
        Severity::Warning
    } else {
        Severity::Info
    }
}

/// Peaks of runs that are alike: a heap grows with the room it is given, and that is no growth of the build.
fn of_job(profile: &Profile, store: &str, period: Period) -> Option<Finding> {
    let latest =
        profile.runs.iter().flat_map(|run| &run.attempts).rfind(|attempt| attempt.is_clean_success())?;
    let peaks = |period: Period| -> Vec<f64> {
        runs_in(profile, period).filter_map(|run| peak(run, latest)).collect()
    };
    let (before, now) = (peaks(period.before()), peaks(period));
    if before.len() < RUNS_MIN || now.len() < RUNS_MIN {
        return None;
    }
    let pairs = (before.len() * now.len()) as f64;
    let higher =
        now.iter().map(|now| before.iter().filter(|before| now > before).count()).sum::<usize>() as f64;
    let (low, high) = (middle(before.clone())?, middle(now.clone())?);
    if higher < pairs * PAIRS_HIGHER_SHARE || !is_rise(low, high - low) {
        return None;
    }
    let used = latest.budget_bytes.map(|budget| high / budget.max(1) as f64);
    let severity = if used.is_some_and(|used| used >= NEAR) { Severity::Warning } else { Severity::Info };
    let budget =
        latest.budget_bytes.map_or(String::new(), |budget| format!("; its budget is {}", human(budget)));
    Some(Finding {
        severity,
        subject: words::job(&profile.project, &profile.job),
        what: format!(
            "peaks at {}, {} in the period before: +{}",
            human(high as u64),
            human(low as u64),
            words::percent(high / low.max(1.0) - 1.0)
        ),
        evidence: format!(
            "the middle of {}, and of {} before, in mode {}{budget}",
            words::count(now.len() as u64, "run", "runs"),
            before.len(),
            latest.setting.mode.name()
        ),
        next: format!("plimsoll jobs show {} --store {}", words::quoted(&profile.job), words::quoted(store)),
        bytes: Some((high - low) as u64),
        per_month: None,
        kills: None,
    })
}

/// The runs that ended in a period.
pub(super) fn runs_in(profile: &Profile, period: Period) -> impl Iterator<Item = &Run> {
    profile
        .runs
        .iter()
        .filter(move |run| i64::try_from(run.ended_unix_ms).is_ok_and(|at_ms| period.has(at_ms)))
}

fn peak(run: &Run, latest: &Attempt) -> Option<f64> {
    let alike = run.attempts.iter().filter(|attempt| attempt.is_clean_success() && is_alike(attempt, latest));
    alike.filter_map(|attempt| attempt.census.peak_bytes).max().map(|bytes| bytes as f64)
}

/// What people take, where that has changed in this period.
fn of_people<'a>(people: &'a People, server: &'a str, period: Period) -> impl Iterator<Item = Finding> + 'a {
    let drifted =
        people.drifts.iter().filter(move |(at_ms, share)| period.has(*at_ms) && *share >= RISE_OF_PEOPLE);
    let drifted = drifted.map(move |(at_ms, share)| {
        let days = (period.to_ms - at_ms) as f64 / DAY_MS as f64;
        (
            format!("people take {} more than before", words::percent(*share)),
            format!("since {days:.1} days before its end"),
        )
    });
    let leaks = (people.leak_mb_per_hour >= LEAK_MB_PER_HOUR).then(|| {
        let what = format!("each hour of running adds {:.1} MB", people.leak_mb_per_hour);
        (what, "the profile in force has a leak".to_string())
    });
    let missed = people
        .scored
        .filter(|scored| scored.breach_share > BREACHES_MAX && scored.projections >= SCORED_MIN)
        .map(|scored| {
            (
                format!("{:.1} % of projections were passed where 1 % may be", scored.breach_share * 100.0),
                format!(
                    "{} projections, {:.1} % off on average",
                    scored.projections,
                    scored.error_share * 100.0
                ),
            )
        });
    drifted.chain(leaks).chain(missed).map(move |(what, evidence)| Finding {
        severity: Severity::Warning,
        subject: "capacity".to_string(),
        what,
        evidence,
        next: match server.contains("://") {
            true => format!("plimsoll capacity profiling --server {}", words::quoted(server)),
            false => format!("plimsoll capacity profiling --store {}", words::quoted(server)),
        },
        bytes: None,
        per_month: None,
        kills: None,
    })
}

/// People who take less need no report; neither does less than a tenth more.
const RISE_OF_PEOPLE: f64 = 0.1;
/// A slower leak than this is hidden by any restart, in MB an hour: a GB in six weeks.
const LEAK_MB_PER_HOUR: f64 = 1.0;
/// Share of projections that may use more than p99, and twice that for chance.
const BREACHES_MAX: f64 = 0.02;
/// Fewer projections say nothing about one in a hundred.
const SCORED_MIN: u64 = 100;
