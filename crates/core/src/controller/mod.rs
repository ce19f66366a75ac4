//! The controller: sizes that follow use, for the workloads that [policies](policy) give it.
//!
//! It is told use and looks at the cluster, and says what to do; it keeps no clock and reads nothing. Sizes come from the
//! rule that `backtest --resize-every` proves ([`sizing`]), what may be done with them from the planner and its check, as
//! for any plan, and each workload is changed by itself, as a rollout in place ([`courses`]). A template is never touched:
//! what undoes everything is in the cluster as long as the workload is.

pub mod courses;
mod decision;
pub mod event;
pub mod kills;
mod plans;
pub mod policy;
mod present;
pub mod selector;
pub mod sizing;
pub mod status;
#[cfg(test)]
mod tests;

use crate::inventory::{Inventory, WorkloadId};
use crate::plan::{LeftAlone, LeftAloneCode};
use crate::rollout::Order;
use crate::sizing::OomKill;
use courses::Courses;
use event::{Event, Reason};
use kills::Kills;
use plans::back_plan;
use policy::Policy;
use present::Pods;
use selector::Labels;
use serde::{Deserialize, Serialize};
use sizing::{ContainerId, Sizing, Wanted};
use std::collections::BTreeMap;

/// By whom new pods are sized: the name of the plan in the objects that say so.
pub const BY: &str = "controller";
/// Use that was read longer ago decides nothing, in milliseconds.
const USE_MAX_AGE_MS: i64 = 5 * 60_000;

/// What it remembers; all of it survives a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Controller {
    /// What is known of use.
    pub sizing: Sizing,
    /// What is under way.
    pub courses: Courses,
    kills: Kills,
    /// Workloads that were killed for want of memory and have not been raised yet.
    urgent: Vec<WorkloadId>,
    decided_ms: Option<i64>,
    observed_ms: i64,
    /// What was said last of each container, and what is left alone and why. Not stored: the next decision says it anew.
    #[serde(skip)]
    wanted: BTreeMap<ContainerId, Wanted>,
    #[serde(skip)]
    left_alone: Vec<LeftAlone>,
}

/// What it looks at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the cluster runs; the controller's own hand is not among those on its workloads.
    pub inventory: &'a Inventory,
    /// Labels of its workloads.
    pub labels: &'a BTreeMap<WorkloadId, Labels>,
    /// What people allow.
    pub policies: &'a [Policy],
    /// Which of the policies [governs](policy::govern) each workload, as an index.
    pub governed: &'a BTreeMap<WorkloadId, usize>,
}

/// What a look comes to.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// To be carried out, once what is [under way](Controller::courses) is stored.
    pub orders: Vec<Order>,
    /// What happened.
    pub events: Vec<Event>,
    /// Sizes were decided anew.
    pub has_decided: bool,
}

impl Controller {
    /// Nothing known yet; decides each `every_ms` about containers that were followed for `learn_ms`.
    pub fn new(every_ms: i64, learn_ms: i64) -> Controller {
        Controller {
            sizing: Sizing::new(every_ms, learn_ms),
            courses: Courses::default(),
            kills: Kills::default(),
            urgent: Vec::new(),
            decided_ms: None,
            observed_ms: 0,
            wanted: BTreeMap::new(),
            left_alone: Vec::new(),
        }
    }

    /// Takes what containers use, in bytes, read at `at_ms`: of all pods of a workload the one that uses most counts.
    pub fn observe(&mut self, seen: Seen, at_ms: i64) {
        let mut used: BTreeMap<ContainerId, u64> = BTreeMap::new();
        for pod in seen.inventory.pods.values() {
            let Some(workload) = pod.workload.as_ref().filter(|id| seen.governed.contains_key(*id)) else {
                continue;
            };
            for running in &pod.containers {
                let Some(bytes) = running.used_bytes else { continue };
                let id = ContainerId { workload: workload.clone(), container: running.name.clone() };
                used.entry(id).and_modify(|most| *most = bytes.max(*most)).or_insert(bytes);
            }
        }
        let risk = |id: &ContainerId| seen.policies[seen.governed[&id.workload]].risk;
        self.sizing.observe(
            at_ms,
            used.into_iter().map(|(id, bytes)| {
                let risk = risk(&id);
                (id, bytes, risk)
            }),
        );
        self.observed_ms = self.observed_ms.max(at_ms);
    }

    /// Looks at the cluster, at `now_ms` in milliseconds since 1970.
    pub fn look(&mut self, seen: Seen, now_ms: i64) -> Look {
        let pods = present::by_workload(seen.inventory);
        let mut look = Look::default();
        self.notice_kills(seen, now_ms, &mut look.events);
        self.put_back(seen, &pods, now_ms, &mut look.orders);
        let is_due = self.decided_ms.is_none_or(|last_ms| now_ms - last_ms >= self.sizing.every_ms());
        let is_fresh = now_ms - self.observed_ms <= USE_MAX_AGE_MS;
        if is_fresh && (is_due || self.is_urgent(now_ms)) {
            let all: Vec<WorkloadId> = seen.governed.keys().cloned().collect();
            let about = if is_due { all } else { self.urgent.clone() };
            self.decide(seen, &pods, &about, now_ms, &mut look);
            if is_due {
                (self.decided_ms, look.has_decided) = (Some(now_ms), true);
                self.sizing.forget(now_ms);
            }
        }
        look.orders.extend(self.courses.step(seen.inventory, &pods, now_ms, &mut look.events));
        look
    }

    /// Nothing is under way, and nothing is due before something changes in the cluster or the next decision comes.
    pub fn is_at_rest(&self, now_ms: i64) -> bool {
        let is_decided = self.decided_ms.is_some_and(|last_ms| now_ms - last_ms < self.sizing.every_ms());
        is_decided && self.urgent.is_empty() && self.courses.workloads().next().is_none()
    }

    /// What was said last of a container.
    pub fn wanted(&self, id: &ContainerId) -> Option<&Wanted> {
        self.wanted.get(id)
    }

    /// One that waits for a course to end is not urgent yet.
    fn is_urgent(&self, now_ms: i64) -> bool {
        self.urgent.iter().any(|workload| self.is_free(workload, now_ms))
    }

    fn notice_kills(&mut self, seen: Seen, now_ms: i64, events: &mut Vec<Event>) {
        for kill in self.kills.notice(seen.inventory) {
            let Some(index) = seen.governed.get(&kill.workload) else { continue };
            let Some(limit_bytes) = kill.limit_bytes else { continue };
            let id = ContainerId { workload: kill.workload.clone(), container: kill.container.clone() };
            let oom = OomKill { at_ms: now_ms, limit_bytes, request_bytes: kill.request_bytes };
            self.sizing.kill(&id, oom);
            let words = format!(
                "container {} of pod {} was killed at {} bytes",
                kill.container, kill.pod, limit_bytes
            );
            events.push(Event::new(&kill.workload, Reason::OutOfMemory, words));
            if seen.policies[*index].mode.acts() && !self.urgent.contains(&kill.workload) {
                self.urgent.push(kill.workload);
            }
        }
    }

    /// What nobody wants changed any more goes back.
    fn put_back(&mut self, seen: Seen, pods: &Pods, now_ms: i64, orders: &mut Vec<Order>) {
        let acts =
            |id: &WorkloadId| seen.governed.get(id).is_some_and(|index| seen.policies[*index].mode.acts());
        self.urgent.retain(acts);
        let unwanted: Vec<WorkloadId> = self.courses.workloads().filter(|id| !acts(id)).cloned().collect();
        let reason = "no policy wants it changed any more";
        unwanted.iter().for_each(|id| self.courses.call_off(id, reason, now_ms));
        for (id, admitted) in &seen.inventory.admitted {
            if admitted.by != BY || acts(id) || self.courses.has(id) {
                continue;
            }
            let sizes = seen.inventory.sized_on_admission.get(id).map(Vec::as_slice).unwrap_or_default();
            match seen.inventory.workloads.get(id) {
                Some(workload) if admitted.is_in_force => {
                    let plan = back_plan(workload, sizes, now_ms);
                    let part = present::part(seen.inventory, pods, [id]);
                    self.courses.put_back(plan, &part, reason, now_ms);
                }
                _ => orders.push(Order::LeaveNewPods { workload: id.clone() }),
            }
        }
    }
}

/// Why something is left alone that somebody may want to know: not that it is right.
pub(crate) fn is_worth_saying(left: &LeftAlone) -> bool {
    left.code != LeftAloneCode::RightAsIs
}
