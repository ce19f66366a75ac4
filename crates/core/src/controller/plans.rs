//! Plans of the controller: what its planner is told, and a plan of its own for each workload.

use super::policy::Policy;
use super::sizing::{ContainerId, Wanted};
use super::{BY, Seen};
use crate::inventory::quantity::Quantity;
use crate::inventory::{Inventory, Sizes, Workload, WorkloadId};
use crate::plan::{Change, ContainerChange, Plan, Recommended, SCHEMA, Totals, Way, planner};
use std::collections::BTreeMap;

/// What the planner is told; where a policy's schedule is closed, or a workload may only be raised, nothing gets smaller than
/// it is.
pub(super) fn recommended(
    seen: Seen,
    present: &Inventory,
    sizes: &BTreeMap<ContainerId, Wanted>,
    is_only_raised: impl Fn(&WorkloadId) -> bool,
) -> Vec<Recommended> {
    let of = |(id, wanted): (&ContainerId, &Wanted)| {
        let workload = present.workloads.get(&id.workload)?;
        let container = workload.containers.iter().find(|container| container.name == id.container)?;
        let policy = &seen.policies[*seen.governed.get(&id.workload)?];
        let (mut request, mut limit) = (wanted.request_bytes, wanted.limit_bytes);
        if !policy.is_open || is_only_raised(&id.workload) {
            request = request.max(container.sizes.requested_bytes());
            limit = limit.max(container.sizes.limit_bytes().unwrap_or(u64::MAX));
        }
        // Only a container that has a limit gets another.
        let limit = container.sizes.limit.as_ref().map(|_| Quantity::of_bytes(limit));
        Some(Recommended {
            workload: id.workload.clone(),
            container: id.container.clone(),
            request: Quantity::of_bytes(request),
            limit,
            floor_bytes: wanted.floor_bytes.min(wanted.limit_bytes),
            evidence: wanted.why.clone(),
        })
    };
    sizes.iter().filter_map(of).collect()
}

/// A change in the parts that can be carried out by themselves: what gets more does not wait for what gets less, which a kubelet
/// may refuse for minutes.
pub(super) fn parts(change: &Change) -> impl Iterator<Item = Change> {
    let limit = |sizes: &Sizes| sizes.limit_bytes().unwrap_or(u64::MAX);
    let gets_less = |it: &&ContainerChange| limit(&it.after) < limit(&it.before);
    let (less, more): (Vec<_>, Vec<_>) = change.containers.iter().partition(gets_less);
    let part = |containers: Vec<&ContainerChange>| Change {
        containers: containers.into_iter().cloned().collect(),
        ..change.clone()
    };
    let parts = [part(more), part(less)];
    parts.into_iter().filter(|part| !part.containers.is_empty())
}

/// One change of a plan as a plan of its own, by the budget of its policy. What only gets larger needs no canary.
pub(super) fn single(plan: &Plan, change: &Change, policy: &Policy) -> Plan {
    let is_lower = |it: &ContainerChange| {
        it.after.requested_bytes() < it.before.requested_bytes()
            || it.after.limit_bytes().unwrap_or(u64::MAX) < it.before.limit_bytes().unwrap_or(u64::MAX)
    };
    let mut budget = policy.budget;
    if !change.containers.iter().any(is_lower) {
        budget.canary_pods = u32::MAX;
    }
    let changes = vec![change.clone()];
    Plan { totals: planner::totals(&changes), changes, left_alone: Vec::new(), budget, ..plan.clone() }
}

/// What was before is what the template says; what our object says, and pods have, is for the journal to know.
pub(super) fn by_template(mut plan: Plan, seen: &Inventory) -> Plan {
    for change in &mut plan.changes {
        let Some(workload) = seen.workloads.get(&change.workload) else { continue };
        for it in &mut change.containers {
            if let Some(container) = workload.containers.iter().find(|container| container.name == it.name) {
                it.before = container.sizes.clone();
            }
        }
    }
    plan
}

/// From the template to our sizes: what is taken back is the way back of this.
pub(super) fn back_plan(workload: &Workload, sizes: &[(String, Sizes)], now_ms: i64) -> Plan {
    let of = |(name, sizes): &(String, Sizes)| {
        let container = workload.containers.iter().find(|container| container.name == *name)?;
        Some(ContainerChange {
            name: name.clone(),
            before: container.sizes.clone(),
            after: sizes.clone(),
            floor_bytes: 0,
            evidence: "as it was".to_string(),
        })
    };
    let change = Change {
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        generation: workload.generation,
        way: Way::InPlace,
        replicas: workload.replicas,
        containers: sizes.iter().filter_map(of).collect(),
        warnings: Vec::new(),
    };
    Plan {
        schema: SCHEMA.to_string(),
        id: BY.to_string(),
        parent: None,
        made_ms: now_ms,
        evidence_ms: now_ms,
        changes: vec![change],
        left_alone: Vec::new(),
        totals: Totals::default(),
        budget: Default::default(),
    }
}
