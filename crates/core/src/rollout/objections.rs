//! Objections: why a plan cannot be carried out as things are.

use super::forward::routes;
use super::journal::{Journal, Known};
use super::pods::{self, of_workload};
use super::sizes::Route;
use super::strangers::home;
use super::waves::Share;
use crate::inventory::{Hand, Inventory, Pod};
use crate::plan::{Change, Way};

/// Why the plan cannot be carried out as things are, if it cannot.
pub(super) fn objection(journal: &Journal, seen: &Inventory) -> Option<String> {
    journal.plan.changes.iter().zip(&journal.known).find_map(|(change, known)| {
        let hands = seen.workloads.get(&change.workload).map_or(&[][..], |workload| &workload.hands);
        let hand = hands.iter().find_map(|hand| match hand {
            Hand::MemoryAutoscaler(it) => {
                Some(format!("HorizontalPodAutoscaler {} goes by its memory", it.name))
            }
            Hand::VerticalAutoscaler(name) => Some(format!("VerticalPodAutoscaler {name} sets its sizes")),
            Hand::MemoryPolicy(name) => Some(format!("MemoryPolicy {name} has its sizes follow use")),
            // These stand in the way of a change in place only: the judge says so before a wave, or the kubelet does.
            Hand::Source(_) | Hand::StaticManager(_) | Hand::Swap(_) => None,
        });
        let why = known.stranger.clone().or(hand).or_else(|| unable(change, known, seen)).or_else(|| {
            let low = change
                .containers
                .iter()
                .find(|it| it.after.limit_bytes().is_some_and(|limit| limit < it.floor_bytes))?;
            Some(format!("container {} needs {} bytes", low.name, low.floor_bytes))
        })?;
        Some(format!("{}: {why}", change.workload))
    })
}

/// Why the way of a change is closed, if it is.
fn unable(change: &Change, known: &Known, seen: &Inventory) -> Option<String> {
    if change.way == Way::Rollout {
        let is_sized = seen.sized_on_admission.contains_key(&change.workload);
        let why = "new pods are sized on admission, by a plan that has to be rolled back first";
        return is_sized.then(|| why.to_string());
    }
    let closed = change
        .containers
        .iter()
        .find(|container| !Route::forward(container, known, 100).is_open(home(known, container)));
    match seen.abilities {
        abilities if !abilities.in_place => Some("running pods cannot be resized here".to_string()),
        abilities if !abilities.admission_policy => {
            Some("new pods cannot be sized on admission here".to_string())
        }
        _ => {
            closed.map(|it| format!("container {} would be bounded, or not any more, while it runs", it.name))
        }
    }
}

/// A resize that its node can never do.
pub(super) fn hopeless(journal: &Journal, shares: &[Share], seen: &Inventory) -> Option<String> {
    let touched = journal.plan.changes.iter().zip(&journal.known).zip(shares);
    touched.filter(|((change, _), share)| change.way == Way::InPlace && **share != Share::None).find_map(
        |((change, known), _)| {
            let routes = routes(&journal.plan, change, known, seen);
            let is_hopeless = |pod: &Pod| pods::is_hopeless(pod) && pods::is_known(pod, &routes);
            let (name, pod) = of_workload(seen, &change.workload).find(|(_, pod)| is_hopeless(pod))?;
            Some(format!("pod {name} of {}: {}", change.workload, pods::standing(pod)))
        },
    )
}
