//! Courses: changes that are under way, each of one workload and by itself, as [rollouts](crate::rollout) in place.
//!
//! What is not borne is taken back by the rollout, and its workload is left alone for a while, longer each time.

use super::event::{Event, Reason};
use super::present::{Pods, part};
use crate::inventory::{Inventory, Sizes, WorkloadId};
use crate::plan::{Plan, Way};
use crate::rollout::{Journal, Order, Phase, step};
use serde::{Deserialize, Serialize};

const MINUTE_MS: i64 = 60_000;
/// A workload whose change was taken back is left alone for so long, twice as long the next time,
const HELD_FIRST_MS: i64 = 10 * MINUTE_MS;
/// up to this.
const HELD_MAX_MS: i64 = 24 * 60 * MINUTE_MS;

/// See the module.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Courses {
    open: Vec<Course>,
    held: Vec<Held>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Course {
    journal: Journal,
    /// It is taken back because nobody wants it any more, not because it was not borne.
    is_unwanted: bool,
}

/// A workload that is left alone for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Which.
    pub workload: WorkloadId,
    /// Until then, in milliseconds since 1970.
    pub until_ms: i64,
    /// How often in a row.
    pub times: u32,
    /// Why.
    pub why: String,
}

impl Courses {
    /// Something is under way for it.
    pub fn has(&self, workload: &WorkloadId) -> bool {
        self.open.iter().any(|course| is_of(&course.journal.plan, workload))
    }

    /// Which workloads are under way.
    pub fn workloads(&self) -> impl Iterator<Item = &WorkloadId> {
        self.open.iter().flat_map(|course| course.journal.plan.changes.iter().map(|change| &change.workload))
    }

    /// Why and until when a workload is left alone.
    pub fn held(&self, workload: &WorkloadId, now_ms: i64) -> Option<&Held> {
        self.held.iter().find(|held| held.workload == *workload && now_ms < held.until_ms)
    }

    /// What is under way for a workload may be given another aim; what is being taken back only where that is urgent.
    pub fn may_aim(&self, workload: &WorkloadId, is_urgent: bool) -> bool {
        let mut of_workload = self.open.iter().filter(|course| is_of(&course.journal.plan, workload));
        of_workload.any(|course| {
            let journal = &course.journal;
            !course.is_unwanted && journal.may_aim() && (is_urgent || journal.is_forward())
        })
    }

    /// What its containers should not get less than while something is under way for it.
    pub fn most(&self, workload: &WorkloadId, seen: &Inventory) -> Vec<(String, Sizes)> {
        self.open.iter().flat_map(|course| course.journal.most(workload, seen)).collect()
    }

    /// Begins to change a workload by this plan, which has one change; what undoes it is in the journal. What is under way for it
    /// gets this aim instead of its own.
    pub fn begin(&mut self, plan: Plan, seen: &Inventory, now_ms: i64) {
        let is_same =
            |course: &&mut Course| plan.changes.iter().any(|it| is_of(&course.journal.plan, &it.workload));
        match self.open.iter_mut().find(is_same) {
            Some(course) => course.journal = course.journal.aim(plan, seen, now_ms),
            None => {
                let journal = Journal { is_for_good: true, ..Journal::begin(plan, seen, now_ms) };
                self.open.push(Course { journal, is_unwanted: false });
            }
        }
    }

    /// Takes a workload back from the sizes of this plan to those of its template.
    pub fn put_back(&mut self, plan: Plan, seen: &Inventory, reason: &str, now_ms: i64) {
        let mut journal = Journal::begin(plan, seen, now_ms);
        journal.roll_back_to_templates(reason, now_ms);
        self.open.push(Course { journal, is_unwanted: true });
    }

    /// What is under way for a workload is not wanted any more.
    pub fn call_off(&mut self, workload: &WorkloadId, reason: &str, now_ms: i64) {
        for course in self.open.iter_mut().filter(|course| is_of(&course.journal.plan, workload)) {
            course.journal.roll_back_to_templates(reason, now_ms);
            course.is_unwanted = true;
        }
    }

    /// One step of each.
    pub fn step(
        &mut self,
        seen: &Inventory,
        pods: &Pods,
        now_ms: i64,
        events: &mut Vec<Event>,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        for Course { journal, is_unwanted } in std::mem::take(&mut self.open) {
            let ids = journal.plan.changes.iter().map(|change| &change.workload);
            let next = step(&journal, &part(seen, pods, ids), now_ms);
            orders.extend(next.orders);
            let course = Course { journal: next.journal, is_unwanted };
            if course.journal.is_over() {
                self.end(course, now_ms, events);
            } else {
                self.open.push(course);
            }
        }
        orders
    }

    fn end(&mut self, Course { journal, is_unwanted }: Course, now_ms: i64, events: &mut Vec<Event>) {
        let Some(change) = journal.plan.changes.first() else { return };
        let workload = &change.workload;
        match &journal.phase {
            Phase::RolledBack { reason, remains, .. } => {
                let why = [std::slice::from_ref(reason), remains].concat().join("; ");
                events.push(Event::new(workload, Reason::TakenBack, why.clone()));
                if !is_unwanted {
                    self.hold(workload, &why, now_ms);
                }
            }
            _ => {
                // A raise that was too urgent to wait ends no hold.
                self.held.retain(|held| held.workload != *workload || now_ms < held.until_ms);
                events.push(Event::new(workload, Reason::Resized, super::event::sizes(change)));
            }
        }
    }

    fn hold(&mut self, workload: &WorkloadId, why: &str, now_ms: i64) {
        let times = self.held.iter().find(|held| held.workload == *workload).map_or(0, |held| held.times);
        let pause_ms = HELD_FIRST_MS.saturating_mul(1 << times.min(10)).min(HELD_MAX_MS);
        self.held
            .retain(|held| held.workload != *workload && now_ms.saturating_sub(held.until_ms) < HELD_MAX_MS);
        self.held.push(Held {
            workload: workload.clone(),
            until_ms: now_ms.saturating_add(pause_ms),
            times: times.saturating_add(1),
            why: why.to_string(),
        });
    }
}

fn is_of(plan: &Plan, workload: &WorkloadId) -> bool {
    plan.changes.iter().any(|change| change.workload == *workload && change.way == Way::InPlace)
}
