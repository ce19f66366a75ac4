//! The judge of plans: it shares no code with the planner, and trusts nothing that a plan says of itself.
//!
//! A plan may be old, written by hand or for another cluster. It is held against what is there now: [`change`] judges
//! each change by itself, [`sums`] what they come to together.

mod change;
mod sums;
#[cfg(test)]
mod tests;

use super::{Budget, Change, Plan, SCHEMA};
use crate::inventory::Inventory;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{words}")]
pub struct Fault {
    /// A word for programs.
    pub code: FaultCode,
    /// And in words: where, and what.
    pub words: String,
}

/// What kind of wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultCode {
    /// It is of a form that is not known here.
    Schema,
    /// It has no name, or is its own parent.
    Name,
    /// What it goes by is too old.
    EvidenceAge,
    /// It was made before what it goes by, or after now.
    Times,
    /// Its budget lets nothing happen, or has no end.
    Budget,
    /// A workload or container is not there.
    NotThere,
    /// A workload or container is changed twice, or changed and left alone.
    Twice,
    /// A workload is another object, or its specification is another.
    Outdated,
    /// It has another number of pods.
    Replicas,
    /// Not all its pods are of its template and ready.
    Unsettled,
    /// What is put back is not what the template has.
    BeforeDiffers,
    /// It changes nothing.
    Empty,
    /// The limit is below the floor.
    BelowFloor,
    /// The floor is below what is used now.
    FloorTooLow,
    /// The request is above the limit.
    RequestAboveLimit,
    /// It could not be undone.
    NoWayBack,
    /// The class of service would become another.
    ClassWouldChange,
    /// A LimitRange does not allow it.
    LimitRange,
    /// A ResourceQuota has no room for it.
    Quota,
    /// Somebody else sets these sizes, or decides by them.
    Hand,
    /// The server cannot size in place.
    NotAble,
    /// A reason or a warning is missing.
    Unexplained,
    /// The sums are not what the changes come to.
    Totals,
}

impl FaultCode {
    /// It may come right by itself: pods get ready, use falls, a quota is counted anew.
    pub fn may_pass(self) -> bool {
        matches!(self, FaultCode::Unsettled | FaultCode::FloorTooLow | FaultCode::Quota)
    }
}

/// All faults found so far.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a fault unless this holds.
    fn unless(&mut self, holds: bool, code: FaultCode, words: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Fault { code, words: words() });
        }
    }
}

/// Whether a plan may be carried out on what the inventory has, by evidence that is at most `age_limit_ms` old at `now_ms`
/// (since 1970); else all that is wrong with it. A plan without changes is fine.
pub fn check(plan: &Plan, inventory: &Inventory, age_limit_ms: i64, now_ms: i64) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::default();
    frame(plan, age_limit_ms, now_ms, &mut faults);
    budget(&plan.budget, &mut faults);
    left_alone(plan, &mut faults);
    sums::totals(plan, &mut faults);
    changes(&plan.changes, inventory, &mut faults);
    if faults.0.is_empty() { Ok(()) } else { Err(faults.0) }
}

/// Whether changes that are left of a plan may still be carried out on what the inventory has by now; else all that is wrong
/// with them. What a plan says of itself was judged before it was begun.
pub fn check_rest(rest: &[Change], inventory: &Inventory) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::default();
    changes(rest, inventory, &mut faults);
    if faults.0.is_empty() { Ok(()) } else { Err(faults.0) }
}

fn changes(changes: &[Change], inventory: &Inventory, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for change in changes {
        let first = seen.insert(&change.workload);
        faults.unless(first, FaultCode::Twice, || format!("{} is changed twice", change.workload));
        change::judge(change, inventory, faults);
    }
    sums::quotas(changes, inventory, faults);
}

fn frame(plan: &Plan, age_limit_ms: i64, now_ms: i64, faults: &mut Faults) {
    faults.unless(plan.schema == SCHEMA, FaultCode::Schema, || {
        format!("the plan is of the form '{}', and only '{SCHEMA}' is known\nplan anew", plan.schema)
    });
    let named = !plan.id.is_empty() && plan.parent.as_ref() != Some(&plan.id);
    faults
        .unless(named, FaultCode::Name, || "the plan has no id, or is its own parent\nplan anew".to_string());
    let age_ms = now_ms.saturating_sub(plan.evidence_ms);
    faults.unless(age_ms <= age_limit_ms, FaultCode::EvidenceAge, || {
        format!("what the plan goes by is {age_ms} ms old, and may be {age_limit_ms} ms old\nplan anew")
    });
    let in_order = plan.evidence_ms <= plan.made_ms && plan.made_ms <= now_ms;
    faults.unless(in_order, FaultCode::Times, || {
        format!(
            "the plan goes by what was read at {}, was made at {}, and it is {now_ms} now, in ms since 1970: that is \
             not in order\nset the clock right, or plan anew",
            plan.evidence_ms, plan.made_ms
        )
    });
}

fn budget(budget: &Budget, faults: &mut Faults) {
    let sane = [
        ("canary_pods", budget.canary_pods > 0),
        ("resizes_at_once", budget.resizes_at_once > 0),
        ("mib_per_minute", budget.mib_per_minute > 0),
        ("shrink_step_percent", (1..=100).contains(&budget.shrink_step_percent)),
        ("watch_ms", budget.watch_ms >= 0),
        ("patience_ms", budget.patience_ms > 0),
    ];
    for (key, is_sane) in sane {
        faults.unless(is_sane, FaultCode::Budget, || {
            format!("budget.{key} is out of its range\ngive it another")
        });
    }
}

/// What is left alone has a reason, and is not changed.
fn left_alone(plan: &Plan, faults: &mut Faults) {
    for left in &plan.left_alone {
        let (workload, container) = (&left.workload, left.container.as_deref());
        faults.unless(!left.reason.is_empty(), FaultCode::Unexplained, || {
            format!("{workload} is left alone without a reason")
        });
        let changed = plan.changes.iter().filter(|change| change.workload == *workload).any(|change| {
            container.is_none_or(|name| change.containers.iter().any(|changed| changed.name == name))
        });
        faults.unless(!changed, FaultCode::Twice, || format!("{workload} is both changed and left alone"));
    }
}
