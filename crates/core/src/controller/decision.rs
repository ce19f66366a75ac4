//! Decisions: which workloads get other sizes now, and which have to wait.
//!
//! One that a kill has made urgent is decided about at once, even while something is under way for it or it is left alone for
//! a while, and may only get more then.

use super::event::{self, Event, Reason};
use super::plans::{by_template, parts, recommended, single};
use super::policy::{Mode, Policy};
use super::present::{self, Pods};
use super::sizing::{ContainerId, Wanted};
use super::{BY, Controller, Look, Seen, USE_MAX_AGE_MS};
use crate::inventory::{Inventory, Sizes, WorkloadId};
use crate::plan::check::check;
use crate::plan::planner::{self, Settings};
use crate::plan::{Change, LeftAlone, LeftAloneCode, Plan, Way};
use crate::rollout::Order;
use std::collections::{BTreeMap, BTreeSet};

impl Controller {
    pub(super) fn decide(
        &mut self,
        seen: Seen,
        pods: &Pods,
        about: &[WorkloadId],
        now_ms: i64,
        look: &mut Look,
    ) {
        let sizes = self.sizes(seen, about, now_ms);
        let planned = |id: &WorkloadId| seen.inventory.admitted.get(id).filter(|it| it.by != BY);
        let is_free = |id: &&WorkloadId| planned(id).is_none() && self.is_free(id, now_ms);
        let free: BTreeSet<&WorkloadId> = about.iter().filter(is_free).collect();
        let present = self.present(seen.inventory, pods, &free);
        let is_only_raised = |id: &WorkloadId| self.urgent.contains(id) || self.courses.has(id);
        let recommended = recommended(seen, &present, &sizes, is_only_raised);
        for (id, wanted) in sizes {
            self.wanted.insert(id, wanted);
        }
        self.wanted.retain(|id, _| seen.governed.contains_key(&id.workload));
        let settings = Settings {
            id: BY.to_string(),
            parent: None,
            made_ms: now_ms,
            evidence_ms: self.observed_ms.min(now_ms),
            way: Some(Way::InPlace),
            budget: Default::default(),
        };
        let plan = planner::plan(&present, &recommended, &settings);
        self.left_alone
            .retain(|left| !about.contains(&left.workload) && seen.governed.contains_key(&left.workload));
        self.left_alone.extend(plan.left_alone.iter().cloned());
        self.left_alone.extend(about.iter().filter_map(|id| Some(planned_by(id, &planned(id)?.by))));
        let is_sound = |plan: &Plan| check(plan, &present, USE_MAX_AGE_MS, now_ms).is_ok();
        let is_under_way = |id: &&WorkloadId| self.courses.has(id) && !free.contains(id);
        let mut waits: BTreeSet<&WorkloadId> = about.iter().filter(is_under_way).collect();
        for change in plan.changes.iter().filter(|change| change.way == Way::InPlace) {
            let (id, Some(index)) = (&change.workload, seen.governed.get(&change.workload)) else { continue };
            let policy = &seen.policies[*index];
            let begins = match policy.mode {
                Mode::Initial if !self.courses.has(id) => {
                    Some(single(&plan, change, policy)).filter(is_sound)
                }
                Mode::Auto if self.has_room(policy, seen.governed, *index, id) => {
                    parts(change).map(|part| single(&plan, &part, policy)).find(is_sound)
                }
                _ => None,
            };
            match begins {
                Some(plan) if policy.mode == Mode::Auto => {
                    let part = present::part(seen.inventory, pods, [id]);
                    self.courses.begin(by_template(plan, &part), &part, now_ms);
                }
                Some(_) => self.size_new_pods(seen.inventory, change, look),
                None => drop(waits.insert(id)),
            }
        }
        // What is raised, or cannot be, is not asked for at each look.
        self.urgent.retain(|id| !about.contains(id) || waits.contains(id));
    }

    fn sizes(&mut self, seen: Seen, about: &[WorkloadId], now_ms: i64) -> BTreeMap<ContainerId, Wanted> {
        let mut due: Vec<(ContainerId, &Policy)> = Vec::new();
        for id in about {
            let (Some(workload), Some(index)) = (seen.inventory.workloads.get(id), seen.governed.get(id))
            else {
                continue;
            };
            let policy = &seen.policies[*index];
            let containers = workload.containers.iter().filter(|container| !policy.excludes(&container.name));
            due.extend(containers.map(|container| {
                (ContainerId { workload: id.clone(), container: container.name.clone() }, policy)
            }));
        }
        due.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.sizing.decide(now_ms, due.iter().map(|(id, policy)| (id, *policy)))
    }

    /// It may be decided about: nothing is under way for it and it is not left alone for a while, which a kill ends; or what is
    /// under way may be given another aim.
    pub(super) fn is_free(&self, id: &WorkloadId, now_ms: i64) -> bool {
        let is_urgent = self.urgent.contains(id);
        match self.courses.has(id) {
            true => self.courses.may_aim(id, is_urgent),
            false => is_urgent || self.courses.held(id, now_ms).is_none(),
        }
    }

    /// These workloads with the sizes that hold at present, or held before what is under way. One that is not settled because it
    /// was killed is ours to settle.
    fn present(&self, seen: &Inventory, pods: &Pods, ids: &BTreeSet<&WorkloadId>) -> Inventory {
        let mut part = present::part(seen, pods, ids.iter().copied());
        for (id, workload) in &mut part.workloads {
            *workload = present::effective(seen, workload);
            for (name, most) in self.courses.most(id, seen) {
                let container = workload.containers.iter_mut().find(|container| container.name == name);
                container.into_iter().for_each(|container| container.sizes = most.clone());
            }
            workload.is_settled |= self.urgent.contains(id);
        }
        part
    }

    fn has_room(
        &self,
        policy: &Policy,
        governed: &BTreeMap<WorkloadId, usize>,
        index: usize,
        workload: &WorkloadId,
    ) -> bool {
        let of_policy = self.courses.workloads().filter(|id| governed.get(*id) == Some(&index)).count();
        self.urgent.contains(workload)
            || self.courses.has(workload)
            || of_policy < policy.workloads_at_once as usize
    }

    fn size_new_pods(&mut self, seen: &Inventory, change: &Change, look: &mut Look) {
        let mut containers: Vec<(String, Sizes)> =
            present::ours(seen, &change.workload).unwrap_or_default().to_vec();
        containers.retain(|(name, _)| change.containers.iter().all(|it| it.name != *name));
        containers.extend(change.containers.iter().map(|it| (it.name.clone(), it.after.clone())));
        look.events.push(Event::new(&change.workload, Reason::Sized, event::sizes(change)));
        look.orders.push(Order::SizeNewPods { workload: change.workload.clone(), containers });
    }
}

/// What a plan has sized is left alone: two hands would be on one number.
fn planned_by(id: &WorkloadId, plan: &str) -> LeftAlone {
    LeftAlone {
        workload: id.clone(),
        container: None,
        code: LeftAloneCode::SizedByPlan,
        reason: format!("plan {plan} has sized it; take it back first: plimsoll rollback {plan}"),
        scaling: None,
    }
}
