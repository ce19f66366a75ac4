//! Other hands on the same numbers: autoscalers, budgets, and sources elsewhere.

use super::Marks;
use super::autoscalers::by_memory;
use super::workloads::matches;
use crate::watch::Stores;
use kube::ResourceExt;
use kube::api::DynamicObject;
use plimsoll_core::inventory::{Hand, Inventory, Kind, WorkloadId};

/// Marks of sources that put back what others change.
const SOURCES: [(&str, &str); 4] = [
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
];

/// By what a workload is marked with.
pub(super) fn sources(labels: &Marks, annotations: &Marks) -> Vec<Hand> {
    let marked = |(mark, tool): &(&str, &str)| {
        let name = labels.get(*mark).or_else(|| annotations.get(*mark))?;
        Some(Hand::Source(format!("{tool} ({name})")))
    };
    SOURCES.iter().find_map(marked).into_iter().collect()
}

/// Adds autoscalers to the workloads they point at, and what disruption budgets allow.
pub(super) fn add(stores: &Stores, inventory: &mut Inventory) {
    for autoscaler in stores.autoscalers.state() {
        if let Some((target, read)) = by_memory(&autoscaler)
            && let Some(workload) = inventory.workloads.get_mut(&target)
        {
            workload.hands.push(Hand::MemoryAutoscaler(read));
        }
    }
    for autoscaler in stores.vertical_autoscalers.iter().flat_map(|store| store.state()) {
        if let Some(target) = vertical_target(&autoscaler)
            && let Some(workload) = inventory.workloads.get_mut(&target)
        {
            workload.hands.push(Hand::VerticalAutoscaler(autoscaler.name_any()));
        }
    }
    budgets(stores, inventory);
}

fn budgets(stores: &Stores, inventory: &mut Inventory) {
    let Inventory { pods, workloads, .. } = inventory;
    for budget in stores.disruption_budgets.state() {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let Some(labels) = selector.and_then(|selector| selector.match_labels.as_ref()) else { continue };
        let allowed = budget.status.as_ref().and_then(|status| status.disruptions_allowed);
        let allowed = allowed.unwrap_or(0).max(0) as u32;
        let namespace = budget.namespace().unwrap_or_default();
        stores.pods.there(|there| {
            let of_namespace = there.range((namespace.clone(), String::new())..);
            let of_namespace = of_namespace.take_while(|((found, _), _)| *found == namespace);
            for (key, _) in of_namespace.filter(|(_, kept)| matches(labels, &kept.labels)) {
                let owner = pods.get(key).and_then(|pod| pod.workload.as_ref());
                if let Some(workload) = owner.and_then(|owner| workloads.get_mut(owner)) {
                    workload.max_unavailable = workload.max_unavailable.min(allowed);
                }
            }
        });
    }
}

/// One that only recommends changes nothing.
fn vertical_target(autoscaler: &DynamicObject) -> Option<WorkloadId> {
    let spec = autoscaler.data.get("spec")?;
    let mode = spec.pointer("/updatePolicy/updateMode").and_then(|mode| mode.as_str());
    let target = (mode != Some("Off")).then(|| spec.get("targetRef")).flatten()?;
    id(autoscaler.namespace()?, target.get("kind")?.as_str()?, target.get("name")?.as_str()?)
}

pub(super) fn id(namespace: String, kind: &str, name: &str) -> Option<WorkloadId> {
    let kind = Kind::from_name(kind)?;
    Some(WorkloadId { namespace, kind, name: name.to_string() })
}
