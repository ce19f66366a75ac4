//! Waves: which part of a plan may be changed by when. Pods come and go, so a wave is a number of them and no list.

use crate::plan::{Plan, Way};

/// Each wave is so many times the one before.
const GROWTH: u64 = 4;

/// How much of a workload may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Nothing yet.
    None,
    /// So many of its pods.
    Pods(u32),
    /// All of it, and pods to come.
    All,
}

/// Pods that are changed by the end of each wave, in the plan's order. Of a workload whose template is changed there
/// is no part, so it is a wave's whatever its size.
fn ends(plan: &Plan) -> Vec<u64> {
    let total: u64 = plan.changes.iter().map(|change| u64::from(change.replicas)).sum();
    let first = plan.changes.first();
    let whole = first.is_some_and(|change| change.way == Way::Rollout);
    let replicas = first.map_or(0, |change| u64::from(change.replicas));
    let mut size = u64::from(plan.budget.canary_pods.max(1));
    let mut ends = vec![if whole { replicas } else { size.min(replicas) }];
    let mut end = ends.first().copied().unwrap_or(0);
    while end < total {
        size = size.saturating_mul(GROWTH);
        end = whole_end(plan, end.saturating_add(size)).min(total);
        ends.push(end);
    }
    ends
}

/// The end of the workload that cannot be parted, if one lies across it.
fn whole_end(plan: &Plan, end: u64) -> u64 {
    let mut start = 0;
    for change in &plan.changes {
        let stop = start + u64::from(change.replicas);
        if start < end && end < stop && change.way == Way::Rollout {
            return stop;
        }
        start = stop;
    }
    end
}

/// How many waves there are; at least one.
pub(super) fn count(plan: &Plan) -> u32 {
    u32::try_from(ends(plan).len()).unwrap_or(u32::MAX)
}

/// The shares of a wave, from 0, in the plan's order.
pub(super) fn shares(plan: &Plan, wave: u32) -> Vec<Share> {
    let ends = ends(plan);
    let is_last = wave as usize + 1 >= ends.len();
    let end = ends.get(wave as usize).or(ends.last()).copied().unwrap_or(0);
    let mut start = 0;
    let share = |change: &crate::plan::Change| {
        let (from, to) = (start, start + u64::from(change.replicas));
        start = to;
        match end {
            _ if is_last || (end >= to && end > from) => Share::All,
            _ if end <= from => Share::None,
            _ => Share::Pods(u32::try_from(end - from).unwrap_or(u32::MAX)),
        }
    };
    plan.changes.iter().map(share).collect()
}
