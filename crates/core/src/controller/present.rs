//! The sizes that hold at present, and parts of what is seen: a decision is about some workloads, a course about one.

use super::BY;
use crate::inventory::{Inventory, Pod, Sizes, Workload, WorkloadId};
use std::collections::BTreeMap;

/// Pods by their workload.
pub(super) type Pods<'a> = BTreeMap<&'a WorkloadId, Vec<(&'a (String, String), &'a Pod)>>;

pub(super) fn by_workload(seen: &Inventory) -> Pods<'_> {
    let mut pods = Pods::new();
    for (key, pod) in &seen.pods {
        if let Some(workload) = &pod.workload {
            pods.entry(workload).or_default().push((key, pod));
        }
    }
    pods
}

/// Our sizes of new pods of a workload, where we set them and its template is as it was then.
pub(super) fn ours<'a>(seen: &'a Inventory, id: &WorkloadId) -> Option<&'a [(String, Sizes)]> {
    seen.admitted.get(id).filter(|admitted| admitted.by == BY && admitted.is_in_force)?;
    seen.sized_on_admission.get(id).map(Vec::as_slice)
}

/// A workload with the sizes that its new pods get.
pub(super) fn effective(seen: &Inventory, workload: &Workload) -> Workload {
    let mut effective = workload.clone();
    for (name, sizes) in ours(seen, &workload.id).unwrap_or_default() {
        if let Some(container) = effective.containers.iter_mut().find(|container| container.name == *name) {
            container.sizes = sizes.clone();
        }
    }
    effective
}

/// Only these workloads and their pods; what bounds them stays.
pub(super) fn part<'a>(
    seen: &Inventory,
    pods: &Pods,
    workloads: impl IntoIterator<Item = &'a WorkloadId>,
) -> Inventory {
    let mut part = Inventory {
        as_of_ms: seen.as_of_ms,
        abilities: seen.abilities,
        nodes: seen.nodes.clone(),
        quotas: seen.quotas.clone(),
        limit_ranges: seen.limit_ranges.clone(),
        ..Inventory::default()
    };
    for id in workloads {
        let Some(workload) = seen.workloads.get(id) else { continue };
        part.workloads.insert(id.clone(), workload.clone());
        let own = pods.get(id).into_iter().flatten();
        part.pods.extend(own.map(|(key, pod)| ((*key).clone(), (*pod).clone())));
        let evicted = seen.evicted.iter().filter(|(_, evicted)| evicted.workload == *id);
        part.evicted.extend(evicted.map(|(uid, evicted)| (uid.clone(), evicted.clone())));
        if let Some(sizes) = seen.sized_on_admission.get(id) {
            part.sized_on_admission.insert(id.clone(), sizes.clone());
        }
    }
    part
}
