//! The planner: from an inventory and recommended sizes to a plan.
//!
//! It goes workload by workload. Who else sets its sizes is asked first ([`obstacles`]), then each container gets its
//! new sizes within what is allowed ([`proposal`], [`bounds`]), then the pod keeps its class of service ([`class`]).
//! What is left has to fit into the quotas of its namespace ([`room`]), which also decides the order.

mod bounds;
mod class;
mod obstacles;
mod proposal;
mod room;
#[cfg(test)]
mod tests;

use super::{
    Budget, Change, ContainerChange, LeftAlone, LeftAloneCode, Plan, Recommended, SCHEMA, Totals, Way,
};
use crate::inventory::qos::{self, Class};
use crate::inventory::{Abilities, Inventory, Pod, Workload, WorkloadId};
use bounds::Bounds;
use proposal::Proposal;
pub use proposal::is_near;
use std::collections::BTreeMap;

/// What a plan is told besides what runs and what is recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The name of the plan.
    pub id: String,
    /// The plan that was carried out before it, if any.
    pub parent: Option<String>,
    /// Now, in milliseconds since 1970.
    pub made_ms: i64,
    /// When what the recommendations go by was read, in milliseconds since 1970.
    pub evidence_ms: i64,
    /// How sizes should be changed; `None` is in place where the server can.
    pub way: Option<Way>,
    /// How fast it may go.
    pub budget: Budget,
}

/// Sizes by workload and container.
type Wanted<'a> = BTreeMap<&'a WorkloadId, BTreeMap<&'a str, &'a Recommended>>;

/// A plan for every workload of the inventory: a change, or why there is none. Where a container is recommended twice, the
/// last one counts.
pub fn plan(inventory: &Inventory, recommended: &[Recommended], settings: &Settings) -> Plan {
    let (wanted, mut left_alone) = wanted(inventory, recommended);
    let pods = pods_by_workload(inventory);
    let nothing = BTreeMap::new();
    let mut changes = Vec::new();
    for workload in inventory.workloads.values() {
        let case = Case {
            workload,
            pods: pods.get(&workload.id).map_or(&[], Vec::as_slice),
            bounds: Bounds::of(inventory, &workload.id.namespace),
            class: qos::class(workload.containers.iter().map(|container| (container, &container.sizes))),
            way: way(settings.way, inventory.abilities),
        };
        let wanted = wanted.get(&workload.id).unwrap_or(&nothing);
        changes.extend(case.change(wanted, settings.way, &mut left_alone));
    }
    let changes = room::in_order(changes, inventory, &pods, &mut left_alone);
    left_alone
        .sort_by(|one, other| (&one.workload, &one.container).cmp(&(&other.workload, &other.container)));
    Plan {
        schema: SCHEMA.to_string(),
        id: settings.id.clone(),
        parent: settings.parent.clone(),
        made_ms: settings.made_ms,
        evidence_ms: settings.evidence_ms,
        totals: totals(&changes),
        changes,
        left_alone,
        budget: settings.budget,
    }
}

/// In place needs both: running pods that can be resized, and new ones that are sized on admission.
fn way(wished: Option<Way>, abilities: Abilities) -> Way {
    let can = abilities.in_place && abilities.admission_policy;
    if can && wished != Some(Way::Rollout) { Way::InPlace } else { Way::Rollout }
}

/// What is recommended for containers that are there; the others are left alone.
fn wanted<'a>(inventory: &Inventory, recommended: &'a [Recommended]) -> (Wanted<'a>, Vec<LeftAlone>) {
    let (mut wanted, mut missing) = (Wanted::new(), BTreeMap::new());
    for one in recommended {
        let container = one.container.as_str();
        let gone = match inventory.workloads.get(&one.workload) {
            None => "the inventory has no such workload; read the recommendations anew".to_string(),
            Some(workload) if !workload.containers.iter().any(|there| there.name == container) => {
                format!("its template has no container '{container}'; read the recommendations anew")
            }
            Some(_) => {
                wanted.entry(&one.workload).or_default().insert(container, one);
                continue;
            }
        };
        missing.insert((&one.workload, container), gone);
    }
    let left = missing.into_iter().map(|((workload, container), reason)| {
        left_alone(workload, Some(container), LeftAloneCode::NotThere, reason)
    });
    (wanted, left.collect())
}

fn pods_by_workload(inventory: &Inventory) -> BTreeMap<&WorkloadId, Vec<&Pod>> {
    let mut pods: BTreeMap<&WorkloadId, Vec<&Pod>> = BTreeMap::new();
    for pod in inventory.pods.values() {
        if let Some(workload) = &pod.workload {
            pods.entry(workload).or_default().push(pod);
        }
    }
    pods
}

fn left_alone(
    workload: &WorkloadId,
    container: Option<&str>,
    code: LeftAloneCode,
    reason: impl Into<String>,
) -> LeftAlone {
    LeftAlone {
        workload: workload.clone(),
        container: container.map(str::to_string),
        code,
        reason: reason.into(),
        scaling: None,
    }
}

/// A workload, and what its new sizes depend on.
struct Case<'a> {
    workload: &'a Workload,
    pods: &'a [&'a Pod],
    bounds: Bounds<'a>,
    /// As its template has it.
    class: Class,
    way: Way,
}

impl<'a> Case<'a> {
    fn change(
        &self,
        wanted: &BTreeMap<&str, &'a Recommended>,
        wished: Option<Way>,
        left: &mut Vec<LeftAlone>,
    ) -> Option<Change> {
        let id = &self.workload.id;
        let mut obstacles = obstacles::obstacles(self, wanted);
        if obstacles.is_empty() && wanted.is_empty() {
            let reason = "there is not enough history of it yet";
            obstacles.push(left_alone(id, None, LeftAloneCode::TooLittleHistory, reason));
        }
        if !obstacles.is_empty() {
            left.extend(obstacles);
            return None;
        }
        let mut proposals = self.proposals(wanted, left);
        if !class::keep(self, &mut proposals) {
            let class = self.class;
            let reason = format!(
                "its class of service would not stay {class:?}, and that decides who is evicted first; change its \
                 requests and limits by hand if it should"
            );
            left.push(left_alone(id, None, LeftAloneCode::ClassWouldChange, reason));
            return None;
        }
        let (right, changed): (Vec<_>, Vec<_>) = proposals.into_iter().partition(Proposal::is_as_before);
        left.extend(right.iter().map(|proposal| {
            let reason = "what it has is less than 5 % and less than 16Mi away from what it should have";
            left_alone(id, Some(&proposal.container.name), LeftAloneCode::RightAsIs, reason)
        }));
        (!changed.is_empty()).then(|| self.changed(changed, wished))
    }

    /// New sizes for each container that can have some.
    fn proposals(
        &self,
        wanted: &BTreeMap<&str, &'a Recommended>,
        left: &mut Vec<LeftAlone>,
    ) -> Vec<Proposal<'a>> {
        let mut proposals = Vec::new();
        for container in &self.workload.containers {
            let proposed = match wanted.get(container.name.as_str()) {
                Some(recommended) => proposal::proposal(self, container, recommended),
                None => {
                    let reason = "there is not enough history of it yet".to_string();
                    Err((LeftAloneCode::TooLittleHistory, reason))
                }
            };
            match proposed {
                Ok(proposal) => proposals.push(proposal),
                Err((code, reason)) => {
                    left.push(left_alone(&self.workload.id, Some(&container.name), code, reason));
                }
            }
        }
        proposals
    }

    fn changed(&self, proposals: Vec<Proposal<'a>>, wished: Option<Way>) -> Change {
        let containers: Vec<_> = proposals.iter().map(|proposal| proposal.container).collect();
        Change {
            workload: self.workload.id.clone(),
            uid: self.workload.uid.clone(),
            generation: self.workload.generation,
            way: self.way,
            replicas: self.workload.replicas,
            warnings: obstacles::warnings(self.workload, &containers, self.way, wished),
            containers: proposals.into_iter().map(Proposal::into_change).collect(),
        }
    }
}

pub(crate) fn totals(changes: &[Change]) -> Totals {
    let sum = |bytes: &dyn Fn(&ContainerChange) -> u64| {
        let of_pod = |change: &Change| change.containers.iter().map(bytes).fold(0, u64::saturating_add);
        let of_all = |change: &Change| of_pod(change).saturating_mul(u64::from(change.replicas));
        changes.iter().map(of_all).fold(0, u64::saturating_add)
    };
    Totals {
        request_before_bytes: sum(&|container| container.before.requested_bytes()),
        request_after_bytes: sum(&|container| container.after.requested_bytes()),
        limit_before_bytes: sum(&|container| container.before.limit_bytes().unwrap_or(0)),
        limit_after_bytes: sum(&|container| container.after.limit_bytes().unwrap_or(0)),
    }
}
