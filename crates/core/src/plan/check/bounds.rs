//! What namespaces allow.

use super::{Fault, FaultCode};
use crate::inventory::{Inventory, Sizes};
use crate::plan::{Change, ContainerChange, Plan, Way};
use std::collections::BTreeSet;

/// What LimitRanges have against a container's new sizes.
pub(super) fn limit_ranges(namespace: &str, one: &ContainerChange, inventory: &Inventory) -> Vec<String> {
    let (request, limit) = (one.after.requested_bytes(), one.after.limit_bytes());
    let ranges = inventory.limit_ranges.iter().filter(|range| range.namespace == namespace);
    let mut against = Vec::new();
    for range in ranges {
        let name = &range.name;
        if range.min_bytes.is_some_and(|min| request < min) {
            against.push(format!("LimitRange {name} wants container {} to request more", one.name));
        }
        if range.max_bytes.is_some_and(|max| limit.unwrap_or(request) > max) {
            against.push(format!("LimitRange {name} wants container {} to have less", one.name));
        }
        let ratio = limit.map(|limit| limit as f64 / request.max(1) as f64);
        if range.max_ratio.zip(ratio).is_some_and(|(most, ratio)| ratio > most) {
            let what =
                format!("LimitRange {name} wants container {}'s limit closer to its request", one.name);
            against.push(what);
        }
    }
    against
}

/// Adds what ResourceQuotas have against the plan as a whole.
pub(super) fn quotas(plan: &Plan, inventory: &Inventory, faults: &mut Vec<Fault>) {
    let namespaces: BTreeSet<&str> =
        plan.changes.iter().map(|change| change.workload.namespace.as_str()).collect();
    for quota in inventory.quotas.iter().filter(|quota| namespaces.contains(quota.namespace.as_str())) {
        let ours = plan.changes.iter().filter(|change| change.workload.namespace == quota.namespace);
        let requests = grown(ours.clone(), Sizes::requested_bytes);
        let limits = grown(ours, |sizes| sizes.limit_bytes().unwrap_or(0));
        for (of, bound, more) in [("requests", quota.requests, requests), ("limits", quota.limits, limits)] {
            // What is over its quota already may stay so; it may not get worse.
            let breaks = |(hard, used): (u64, u64)| more > 0 && i128::from(used) + more > i128::from(hard);
            if bound.is_some_and(breaks) {
                let what =
                    format!("ResourceQuota {}/{} has no room for its {of}", quota.namespace, quota.name);
                faults.push(Fault { code: FaultCode::Bounds, workload: None, what });
            }
        }
    }
}

/// By how much all pods together would have more, in bytes, and one pod of the largest while its workload rolls out.
fn grown<'a>(changes: impl Iterator<Item = &'a Change>, of: impl Fn(&Sizes) -> u64) -> i128 {
    let (mut sum, mut surge) = (0, 0);
    for change in changes {
        let pod = |sizes: fn(&ContainerChange) -> &Sizes| {
            change.containers.iter().map(|one| i128::from(of(sizes(one)))).sum::<i128>()
        };
        let more = pod(|one| &one.after) - pod(|one| &one.before);
        sum += more * i128::from(change.replicas);
        if change.way == Way::Rollout && change.replicas > 0 {
            surge = surge.max(more);
        }
    }
    if sum > 0 { sum + surge } else { sum }
}
