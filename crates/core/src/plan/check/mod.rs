//! The check: judges a plan against what runs, and shares no code with whoever made it.
//!
//! It knows nothing of how sizes are chosen, only what may never be: a limit below what is needed, another class of
//! service, a quota that does not hold, sums that are wrong, something to put back that never was.

mod bounds;
#[cfg(test)]
mod tests;

use super::{Change, ContainerChange, Plan, SCHEMA, Totals, Way};
use crate::inventory::{Container, Hand, Inventory, Sizes, Workload, WorkloadId, qos};
use std::collections::BTreeSet;
use std::fmt;

/// Something that may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A word for programs.
    pub code: FaultCode,
    /// Of which workload, where it is one's.
    pub workload: Option<WorkloadId>,
    /// What is wrong.
    pub what: String,
}

/// What kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultCode {
    /// It is written in another form.
    Schema,
    /// It goes by what was read too long ago, or by what is yet to come.
    Age,
    /// Something is changed twice.
    Twice,
    /// The workload is gone, another, or of another specification.
    Precondition,
    /// It has no such container, or nothing of it changes.
    Container,
    /// What would be put back is not what is there.
    Inverse,
    /// A limit is below what is needed, or a request above its limit.
    Size,
    /// The class of service would be another.
    Class,
    /// A LimitRange or ResourceQuota does not allow it.
    Bounds,
    /// Somebody else sets the sizes, or decides by them.
    Hand,
    /// The cluster cannot do it in this way.
    Way,
    /// Sums are wrong.
    Totals,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.workload {
            Some(workload) => write!(out, "{workload}: {}", self.what),
            None => out.write_str(&self.what),
        }
    }
}

/// All faults of a plan. `age_limit_ms` is how old what it goes by may be at `now_ms`, in milliseconds.
pub fn check(plan: &Plan, inventory: &Inventory, age_limit_ms: i64, now_ms: i64) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |code, what: String| faults.push(Fault { code, workload: None, what });
    if plan.schema != SCHEMA {
        fault(FaultCode::Schema, format!("its form is {}, not {SCHEMA}", plan.schema));
    }
    let age_ms = now_ms.saturating_sub(plan.evidence_ms);
    if age_ms > age_limit_ms {
        fault(FaultCode::Age, format!("it goes by what was read {} min ago", age_ms / 60_000));
    }
    if plan.evidence_ms > plan.made_ms || plan.made_ms > now_ms.saturating_add(age_limit_ms) {
        fault(FaultCode::Age, "it goes by what is yet to come: clocks do not agree".into());
    }
    if totals(plan) != plan.totals {
        fault(FaultCode::Totals, "its sums are not those of its changes".into());
    }
    let mut seen = BTreeSet::new();
    for change in &plan.changes {
        let mut judge = Judge { change, faults: &mut faults };
        if !seen.insert(&change.workload) {
            judge.fault(FaultCode::Twice, "it is changed twice".into());
        }
        match inventory.workloads.get(&change.workload) {
            Some(workload) => judge.workload(workload, inventory),
            None => judge.fault(FaultCode::Precondition, "it is not there".into()),
        }
    }
    bounds::quotas(plan, inventory, &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn totals(plan: &Plan) -> Totals {
    let mut sums = Totals::default();
    let add = |sum: &mut u64, bytes: u64, pods: u32| {
        *sum = sum.saturating_add(bytes.saturating_mul(u64::from(pods)));
    };
    for change in &plan.changes {
        for ContainerChange { before, after, .. } in &change.containers {
            add(&mut sums.request_before_bytes, before.requested_bytes(), change.replicas);
            add(&mut sums.request_after_bytes, after.requested_bytes(), change.replicas);
            add(&mut sums.limit_before_bytes, before.limit_bytes().unwrap_or(0), change.replicas);
            add(&mut sums.limit_after_bytes, after.limit_bytes().unwrap_or(0), change.replicas);
        }
    }
    sums
}

struct Judge<'a> {
    change: &'a Change,
    faults: &'a mut Vec<Fault>,
}

impl Judge<'_> {
    fn fault(&mut self, code: FaultCode, what: String) {
        self.faults.push(Fault { code, workload: Some(self.change.workload.clone()), what });
    }

    fn workload(&mut self, workload: &Workload, inventory: &Inventory) {
        let change = self.change;
        if (change.uid.as_str(), change.generation) != (workload.uid.as_str(), workload.generation) {
            self.fault(FaultCode::Precondition, "it was changed since, or is another of this name".into());
        }
        if change.replicas != workload.replicas {
            self.fault(FaultCode::Precondition, format!("it has {} pods now", workload.replicas));
        }
        if change.containers.is_empty() {
            self.fault(FaultCode::Container, "nothing of it changes".into());
        }
        self.hands(workload);
        self.way(inventory);
        let mut names = BTreeSet::new();
        for one in &change.containers {
            if !names.insert(&one.name) {
                self.fault(FaultCode::Twice, format!("container {} is changed twice", one.name));
            }
            match workload.containers.iter().find(|container| container.name == one.name) {
                Some(container) => self.container(one, container),
                None => self.fault(FaultCode::Container, format!("it has no container {}", one.name)),
            }
            for what in bounds::limit_ranges(&change.workload.namespace, one, inventory) {
                self.fault(FaultCode::Bounds, what);
            }
        }
        self.class(workload);
    }

    fn hands(&mut self, workload: &Workload) {
        let in_place = self.change.way == Way::InPlace;
        let all = workload.containers.iter().map(|container| (container, &container.sizes));
        let is_guaranteed = qos::class(all) == qos::Class::Guaranteed;
        for hand in &workload.hands {
            match hand {
                Hand::MemoryAutoscaler(name) => {
                    self.fault(FaultCode::Hand, format!("HorizontalPodAutoscaler {name} goes by its memory"));
                }
                Hand::VerticalAutoscaler(name) => {
                    self.fault(FaultCode::Hand, format!("VerticalPodAutoscaler {name} sets its sizes"));
                }
                Hand::MemoryPolicy(name) => {
                    self.fault(FaultCode::Hand, format!("MemoryPolicy {name} has its sizes follow use"));
                }
                Hand::Source(name) if !in_place => {
                    self.fault(FaultCode::Hand, format!("{name} would put its template back"));
                }
                // Static managers pin what is guaranteed, and only what is not may swap.
                Hand::StaticManager(name) if in_place && is_guaranteed => {
                    self.fault(FaultCode::Hand, format!("node {name} does not resize its pods"));
                }
                Hand::Swap(name) if in_place && !is_guaranteed => {
                    self.fault(FaultCode::Hand, format!("node {name} does not resize its pods"));
                }
                Hand::Source(_) | Hand::StaticManager(_) | Hand::Swap(_) => {}
            }
        }
    }

    fn way(&mut self, inventory: &Inventory) {
        let can = inventory.abilities;
        if self.change.way == Way::InPlace && !(can.in_place && can.admission_policy) {
            self.fault(FaultCode::Way, "the cluster does not change sizes in place".into());
        }
    }

    fn container(&mut self, one: &ContainerChange, container: &Container) {
        let ContainerChange { name, before, after, floor_bytes, .. } = one;
        if before != &container.sizes {
            self.fault(
                FaultCode::Inverse,
                format!("container {name} has other sizes than would be put back"),
            );
        }
        if before.same(after) {
            self.fault(FaultCode::Container, format!("nothing of container {name} changes"));
        }
        let limit = after.limit_bytes();
        if limit.is_some_and(|limit| limit < *floor_bytes || limit == 0) {
            self.fault(FaultCode::Size, format!("container {name} needs {floor_bytes} bytes"));
        }
        if limit.is_some_and(|limit| after.requested_bytes() > limit) {
            self.fault(FaultCode::Size, format!("container {name} would request more than its limit"));
        }
        // A running pod keeps what is bounded; and nothing may lose a bound that somebody gave it.
        let bounded = |sizes: &Sizes| (sizes.requested_bytes() > 0, sizes.limit.is_some());
        let (was, is) = (bounded(before), bounded(after));
        if (was.0 && !is.0) || (was.1 && !is.1) {
            self.fault(FaultCode::Size, format!("container {name} would lose its request or limit"));
        }
        if self.change.way == Way::InPlace && was != is {
            let what = format!("container {name} cannot get its first request or limit while it runs");
            self.fault(FaultCode::Way, what);
        }
    }

    fn class(&mut self, workload: &Workload) {
        let all = workload.containers.iter();
        let planned = |container: &Container| {
            let change = self.change.containers.iter().find(|one| one.name == container.name);
            change.map_or(container.sizes.clone(), |one| one.after.clone())
        };
        let after: Vec<Sizes> = workload.containers.iter().map(planned).collect();
        let was = qos::class(all.clone().map(|container| (container, &container.sizes)));
        let is = qos::class(all.zip(&after));
        if was != is {
            self.fault(FaultCode::Class, format!("its class of service would be {is:?}, not {was:?}"));
        }
    }
}
