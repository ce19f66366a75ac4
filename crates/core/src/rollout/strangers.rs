//! Strangers: whether somebody else has changed a workload since the plan was made.
//!
//! A workload's generation rises with every change of its specification. Our own change of a template is one, known by
//! the sizes that it then says; a change of the number of pods (an autoscaler's) is let pass where the template is the same
//! but for that. What is left is somebody else's, and theirs it stays.

use super::journal::{Journal, Known, Template};
use super::sizes::alike;
use crate::inventory::{Inventory, Sizes, Workload};
use crate::plan::{Change, ContainerChange, Way};

/// What a template says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Before,
    After,
    Other,
}

/// What a workload's template says of the containers that change.
pub(super) fn template(change: &Change, workload: &Workload) -> Says {
    let all = |want: fn(&ContainerChange) -> &Sizes| {
        change.containers.iter().all(|container| {
            let found = workload.containers.iter().find(|found| found.name == container.name);
            found.is_some_and(|found| found.sizes.same(want(container)))
        })
    };
    match () {
        () if all(|container| &container.before) => Says::Before,
        () if all(|container| &container.after) => Says::After,
        () => Says::Other,
    }
}

/// Writes down which workloads are somebody else's by now, and accounts for what is not.
pub(super) fn recognise(journal: &mut Journal, seen: &Inventory) {
    for (change, known) in journal.plan.changes.iter().zip(&mut journal.known) {
        if known.stranger.is_some() {
            continue;
        }
        match seen.workloads.get(&change.workload) {
            None => known.stranger = Some("it is gone".to_string()),
            Some(workload) => recognise_one(change, known, workload),
        }
    }
}

fn recognise_one(change: &Change, known: &mut Known, workload: &Workload) {
    let says = template(change, workload);
    let is_ours = says == Says::Before || (says == Says::After && change.way == Way::Rollout);
    let is_set = says == Says::After;
    let expected = known.generation.saturating_add(i64::from(is_set != known.is_set));
    let is_same = known.template.as_ref() == Some(&Template::of(change, workload));
    let is_scaled = workload.replicas != known.replicas && workload.generation > expected && is_same;
    known.stranger = match () {
        () if workload.uid != change.uid => Some("another one has its name".to_string()),
        () if !is_ours => Some("somebody else set its sizes".to_string()),
        () if workload.generation != expected && !is_scaled => Some("somebody else changed it".to_string()),
        () => None,
    };
    if known.stranger.is_none() {
        known.generation = workload.generation;
        known.replicas = workload.replicas;
        known.is_set = is_set;
    }
}

/// How a container of a workload was when the rollout began: as the admission object said, else as the template.
pub(super) fn home<'a>(known: &'a Known, container: &'a ContainerChange) -> &'a Sizes {
    let said = known.on_admission.iter().find(|(name, _)| *name == container.name);
    said.map_or(&container.before, |(_, sizes)| sizes)
}

/// Where a container goes back to; `None` when nothing is known of that any more.
pub(super) fn back_to<'a>(
    known: &'a Known,
    container: &'a ContainerChange,
    workload: Option<&'a Workload>,
) -> Option<&'a Sizes> {
    if known.stranger.is_none() {
        return Some(if known.to_template { &container.before } else { home(known, container) });
    }
    let found = workload?.containers.iter().find(|found| found.name == container.name)?;
    Some(&found.sizes)
}

/// The same sizes of the same containers, whatever their order.
pub(super) fn same_containers(one: &[(String, Sizes)], other: &[(String, Sizes)]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .all(|(name, sizes)| other.iter().any(|(also, found)| also == name && alike(sizes, found)))
}
