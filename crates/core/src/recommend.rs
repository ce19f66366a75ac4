//! Recommendations: the memory request and limit a job needs, with the evidence, or why not yet.
//!
//! V8 and JVMs grow toward the room they have (the same webpack build peaks at 1.7, 2.4 or 2.6 GiB with heaps of
//! 1, 2 and 8 GiB, measured), so a peak counts only beside those taken in the same mode and room, and a size goes
//! up only after a true kernel kill or a heap error with no room left, never because a heap has grown.
//!
//! The limit is the one that [wastes least](crate::sizing::builds::newsvendor), where a death costs as much as an average run
//! besides what it wastes: of the policies that `plimsoll backtest --jobs` compares, this one wasted least on real builds.

use crate::attempt::Attempt;
use crate::outcome::Cause;
use crate::profile::Run;
use crate::size::{MIB, human};
use crate::sizing::builds::newsvendor::{Weighted, cheapest};

/// How a size follows from peaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Share of the runs whose peak the request covers, in percent.
    pub request_quantile_percent: u32,
    /// What a death costs besides its waste, in average loads of a run.
    pub death_price_loads: f64,
    /// Sizes are rounded up to a multiple of this, in bytes.
    pub step_bytes: u64,
    /// The least a limit becomes in one step, as a share of the one in force, in percent.
    pub step_down_percent: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            request_quantile_percent: 90,
            death_price_loads: 1.0,
            step_bytes: 64 * MIB,
            step_down_percent: 50,
        }
    }
}

/// What a recommendation is made from.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// Runs of the job, the oldest first.
    pub runs: &'a [Run],
    /// The limit in force, in bytes; `None` where only the host bounds the job.
    pub limit_now_bytes: Option<u64>,
    /// What the ladder said the build needs, when it stopped for that.
    pub need_bytes: Option<u64>,
}

/// A size with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// What to reserve for the job, in bytes.
    pub request_bytes: u64,
    /// What to bound it with, in bytes.
    pub limit_bytes: u64,
    /// Why, in a sentence.
    pub reason: String,
    /// Attempts whose peaks it rests on.
    pub peaks: usize,
    /// The highest of these peaks, in bytes.
    pub peak_bytes: u64,
    /// Deaths for want of memory at the limit in force.
    pub deaths: usize,
}

/// Why there is no recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYet {
    /// In a sentence.
    pub reason: String,
}

/// The request and limit the job needs.
pub fn recommend(grounds: Grounds, policy: &Policy) -> Result<Recommendation, NotYet> {
    let attempts = || grounds.runs.iter().flat_map(|run| &run.attempts);
    let deaths = attempts().filter(|attempt| died_for_want(attempt, grounds.limit_now_bytes)).count();
    if let Some(need_bytes) = grounds.need_bytes {
        let limit_bytes = need_bytes.next_multiple_of(policy.step_bytes);
        let reason = format!("nothing that fits here can pass; needs about {}", human(need_bytes));
        return Ok(Recommendation {
            request_bytes: limit_bytes,
            limit_bytes,
            reason,
            peaks: 0,
            peak_bytes: need_bytes,
            deaths,
        });
    }
    let not_yet = |reason: &str| NotYet { reason: reason.to_string() };
    let latest = attempts().rfind(|attempt| attempt.is_clean_success());
    let latest = latest.ok_or_else(|| not_yet("no attempt has succeeded yet"))?;
    let alike: Vec<&Attempt> = attempts()
        .filter(|attempt| attempt.is_clean_success() && is_alike(attempt, latest))
        .filter(|attempt| attempt.census.peak_bytes.is_some())
        .collect();
    let mut peaks: Vec<u64> = alike.iter().filter_map(|attempt| attempt.census.peak_bytes).collect();
    peaks.sort_unstable();
    let peak_bytes = *peaks.last().ok_or_else(|| not_yet("no peak was measured"))?;
    let request_peak_bytes = quantile(&peaks, policy.request_quantile_percent).unwrap_or(peak_bytes);

    let wanted = least_waste(&alike, policy).unwrap_or(peak_bytes).next_multiple_of(policy.step_bytes);
    let (limit_bytes, remark) = bounded(wanted, grounds.limit_now_bytes, deaths, policy);
    let runs = if peaks.len() == 1 { "1 run".to_string() } else { format!("{} runs", peaks.len()) };
    let mode = latest.setting.mode.name();
    let reason = format!("highest of {runs} in mode {mode}: {}{remark}", human(peak_bytes));
    let request_bytes = request_peak_bytes.next_multiple_of(policy.step_bytes).min(limit_bytes);
    Ok(Recommendation { request_bytes, limit_bytes, reason, peaks: peaks.len(), peak_bytes, deaths })
}

/// The limit for the next run like these, in bytes.
fn least_waste(alike: &[&Attempt], policy: &Policy) -> Option<u64> {
    let runs: Vec<Weighted> = alike
        .iter()
        .filter_map(|attempt| {
            // A run too short to be timed still counts.
            let hours = attempt.wall_ms.max(1) as f64 / 3_600_000.0;
            Some(Weighted { peak_bytes: attempt.census.peak_bytes? as f64, hours, weight: 1.0 })
        })
        .collect();
    let load = runs.iter().map(|run| run.peak_bytes * run.hours).sum::<f64>() / runs.len().max(1) as f64;
    cheapest(&runs, policy.death_price_loads * load)
}

/// Up only after a death for want of memory, down only so far at once.
fn bounded(wanted: u64, limit_now_bytes: Option<u64>, deaths: usize, policy: &Policy) -> (u64, String) {
    let Some(now) = limit_now_bytes else { return (wanted, String::new()) };
    let least = (now / 100 * policy.step_down_percent).next_multiple_of(policy.step_bytes);
    if wanted > now && deaths == 0 {
        (now, format!("; {} has never killed it, so it stays", human(now)))
    } else if wanted > now {
        (wanted, format!("; {deaths} died in {}", human(now)))
    } else if wanted < least {
        (least.min(now), format!("; from {} down by half at most", human(now)))
    } else {
        (wanted, String::new())
    }
}

/// The kernel killed in it, or a heap was full with no room left, in a room no larger than the one in force.
fn died_for_want(attempt: &Attempt, limit_now_bytes: Option<u64>) -> bool {
    let killed = attempt.kernel_kills.is_some_and(|kills| kills > 0)
        || matches!(attempt.cause, Some(Cause::KernelKill | Cause::HeapLimitAndKernelKill));
    let here = match (attempt.budget_bytes, limit_now_bytes) {
        (Some(then), Some(now)) => is_near(then, now),
        _ => true,
    };
    killed && here
}

pub(crate) fn is_alike(attempt: &Attempt, latest: &Attempt) -> bool {
    let same_room = match (attempt.budget_bytes, latest.budget_bytes) {
        (Some(then), Some(now)) => is_near(then, now),
        (then, now) => then == now,
    };
    attempt.setting.mode == latest.setting.mode
        && attempt.setting.less_work == latest.setting.less_work
        && same_room
}

fn is_near(one: u64, other: u64) -> bool {
    one.abs_diff(other) <= other / 10
}

/// Nearest rank: the least value that many percent of all do not exceed.
fn quantile(sorted: &[u64], percent: u32) -> Option<u64> {
    let rank = (sorted.len() * percent as usize).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A recommendation in the words of those who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Variables of a GitLab job, name and value.
    pub gitlab: [(&'static str, String); 2],
    /// The `resources` of a Kubernetes container, as YAML.
    pub kubernetes: String,
    /// Options of `docker run`.
    pub docker: String,
}

/// The same two sizes as GitLab, Kubernetes and Docker want them. All three read them as binary.
pub fn words(recommendation: &Recommendation) -> Words {
    let mib = |bytes: u64| bytes.div_ceil(MIB);
    let (request, limit) = (mib(recommendation.request_bytes), mib(recommendation.limit_bytes));
    Words {
        gitlab: [
            ("KUBERNETES_MEMORY_REQUEST", format!("{request}Mi")),
            ("KUBERNETES_MEMORY_LIMIT", format!("{limit}Mi")),
        ],
        kubernetes: format!(
            "resources:\n  requests:\n    memory: {request}Mi\n  limits:\n    memory: {limit}Mi\n"
        ),
        docker: format!("--memory-reservation={request}m --memory={limit}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::{Census, Setting};
    use crate::mode::Mode;
    use crate::outcome::Outcome;
    use proptest::prelude::*;

    fn run(mode: Mode, budget_mib: u64, peak_mib: u64, cause: Option<Cause>) -> Run {
        let outcome = if cause.is_some() { Outcome::OutOfMemory } else { Outcome::Succeeded };
        let setting = Setting { mode, jobs: 2, heap_bytes: None, worker_heap_bytes: None, less_work: false };
        let attempt = Attempt {
            setting,
            budget_bytes: Some(budget_mib * MIB),
            outcome,
            cause,
            exit_code: None,
            kernel_kills: Some(u64::from(cause == Some(Cause::KernelKill))),
            heap_errors: 0,
            freezes: 0,
            wall_ms: 1,
            census: Census { peak_bytes: Some(peak_mib * MIB), ..Census::default() },
        };
        Run { ended_unix_ms: 0, outcome, attempts: vec![attempt] }
    }

    fn passed(peaks_mib: &[u64]) -> Vec<Run> {
        peaks_mib.iter().map(|peak| run(Mode::Critical, 2048, *peak, None)).collect()
    }

    #[test]
    fn sizes_in_mib() {
        let check = |runs: &[Run], now_mib: Option<u64>, expect: (u64, u64)| {
            let grounds = Grounds { runs, limit_now_bytes: now_mib.map(|mib| mib * MIB), need_bytes: None };
            let size = recommend(grounds, &Policy::default()).unwrap();
            assert_eq!((size.request_bytes / MIB, size.limit_bytes / MIB), expect, "{}", size.reason);
        };
        check(&passed(&[1000]), None, (1024, 1408));
        check(&passed(&[1000]), Some(2048), (1024, 1408));
        // The more runs agree, the less room a surprise needs.
        check(&passed(&[1000; 10]), None, (1024, 1216));
        // Down by half at most.
        check(&passed(&[100]), Some(2048), (128, 1024));
        // A tree that fills its room is no reason for more; a kernel kill in it is.
        check(&passed(&[1950]), Some(2048), (1984, 2048));
        let with = |cause| [vec![run(Mode::Safe, 2048, 2040, Some(cause))], passed(&[1950])].concat();
        check(&with(Cause::KernelKill), Some(2048), (1984, 2688));
        check(&with(Cause::HeapLimitAndKernelKill), Some(2048), (1984, 2688));
        check(&with(Cause::HeapLimit), Some(2048), (1984, 2048));
        // One wild run of twenty does not set the size; another mode's or room's peak neither.
        let mut calm = vec![1000; 19];
        calm.push(1900);
        check(&passed(&calm), Some(2048), (1024, 1088));
        check(&[vec![run(Mode::Optimized, 8192, 4000, None)], passed(&[1000])].concat(), None, (1024, 1408));
    }

    #[test]
    fn no_evidence_no_size() {
        let check = |runs: &[Run], expect: &str| {
            let grounds = Grounds { runs, limit_now_bytes: None, need_bytes: None };
            assert_eq!(recommend(grounds, &Policy::default()).unwrap_err().reason, expect);
        };
        check(&[], "no attempt has succeeded yet");
        check(&[run(Mode::Safe, 2048, 2040, Some(Cause::KernelKill))], "no attempt has succeeded yet");
        let mut unmeasured = passed(&[1]);
        unmeasured[0].attempts[0].census.peak_bytes = None;
        check(&unmeasured, "no peak was measured");
    }

    #[test]
    fn what_the_ladder_says_is_needed() {
        let runs = [run(Mode::Critical, 2048, 2040, Some(Cause::KernelKill))];
        let grounds =
            Grounds { runs: &runs, limit_now_bytes: Some(2048 * MIB), need_bytes: Some(2650 * MIB) };
        let size = recommend(grounds, &Policy::default()).unwrap();
        assert_eq!((size.limit_bytes / MIB, size.deaths), (2688, 1));
    }

    #[test]
    fn words_of_those_who_set_it() {
        let grounds = Grounds { runs: &passed(&[1000]), limit_now_bytes: None, need_bytes: None };
        let words = words(&recommend(grounds, &Policy::default()).unwrap());
        assert_eq!(words.gitlab[0], ("KUBERNETES_MEMORY_REQUEST", "1024Mi".to_string()));
        assert_eq!(words.gitlab[1], ("KUBERNETES_MEMORY_LIMIT", "1408Mi".to_string()));
        assert_eq!(
            words.kubernetes,
            "resources:\n  requests:\n    memory: 1024Mi\n  limits:\n    memory: 1408Mi\n"
        );
        assert_eq!(words.docker, "--memory-reservation=1024m --memory=1408m");
    }

    proptest! {
        #[test]
        fn never_up_without_a_death_nor_below_half(
            peaks in prop::collection::vec(1u64..4000, 1..20), now_mib in 64u64..8192,
        ) {
            let runs = passed(&peaks);
            let now = now_mib * MIB;
            let grounds = Grounds { runs: &runs, limit_now_bytes: Some(now), need_bytes: None };
            let size = recommend(grounds, &Policy::default()).unwrap();
            prop_assert!(size.limit_bytes <= now && size.limit_bytes >= now / 100 * 50);
            prop_assert!(size.request_bytes <= size.limit_bytes);
        }
    }
}
