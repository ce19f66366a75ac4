//! How it stands with each policy, for its status.

use super::policy::{Policy, contested};
use super::sizing::ContainerId;
use super::{Controller, Seen, is_worth_saying, present};
use crate::inventory::{Workload, WorkloadId};

/// Workloads that are named one by one; of the others only the number is said.
const NAMED_MAX: usize = 10;

/// How it stands with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Workloads that it governs.
    pub workloads: u32,
    /// That it selects and an older one governs.
    pub contested: u32,
    /// Workloads whose new pods have our sizes.
    pub sized: u32,
    /// Workloads that are being changed.
    pub changing: u32,
    /// Containers of which nothing can be said yet.
    pub learning: u32,
    /// What its pods would request by their templates, in bytes.
    pub template_bytes: u64,
    /// What the scheduler counts for them, in bytes.
    pub requested_bytes: u64,
    /// Workloads whose change was taken back, or that are left alone, and why; at most ten.
    pub left_alone: Vec<(String, String)>,
    /// How many there are.
    pub left_alone_count: u32,
}

impl Controller {
    /// Of each policy, in their order.
    pub fn status(&self, seen: Seen, now_ms: i64) -> Vec<Status> {
        let pods = present::by_workload(seen.inventory);
        let mut all = vec![Status::default(); seen.policies.len()];
        for (id, index) in seen.governed {
            let Some(workload) = seen.inventory.workloads.get(id) else { continue };
            let (status, policy) = (&mut all[*index], &seen.policies[*index]);
            status.workloads += 1;
            status.sized += u32::from(present::ours(seen.inventory, id).is_some());
            status.changing += u32::from(self.courses.has(id));
            status.learning += self.learning(workload, policy);
            let (template, requested) = requested(workload, &pods);
            status.template_bytes = status.template_bytes.saturating_add(template);
            status.requested_bytes = status.requested_bytes.saturating_add(requested);
            self.left(id, now_ms, status);
        }
        for (index, status) in all.iter_mut().enumerate() {
            let count = contested(seen.policies, index, seen.labels, seen.governed);
            status.contested = u32::try_from(count).unwrap_or(u32::MAX);
        }
        all
    }

    fn learning(&self, workload: &Workload, policy: &Policy) -> u32 {
        let followed = workload.containers.iter().filter(|container| !policy.excludes(&container.name));
        let is_unknown = |name: &str| {
            let id = ContainerId { workload: workload.id.clone(), container: name.to_string() };
            !self.wanted.contains_key(&id)
        };
        followed.filter(|container| is_unknown(&container.name)).count() as u32
    }

    fn left(&self, id: &WorkloadId, now_ms: i64, status: &mut Status) {
        let held = self.courses.held(id, now_ms).map(|held| held.why.clone());
        let left = self.left_alone.iter().find(|left| left.workload == *id && is_worth_saying(left));
        let Some(why) = held.or_else(|| left.map(|left| left.reason.clone())) else { return };
        status.left_alone_count += 1;
        if status.left_alone.len() < NAMED_MAX {
            status.left_alone.push((format!("{:?}/{}", id.kind, id.name), why));
        }
    }
}

/// What the pods of a workload request by its template, and what the scheduler counts, in bytes.
fn requested(workload: &Workload, pods: &present::Pods) -> (u64, u64) {
    let of_pod: u64 = workload.containers.iter().map(|container| container.sizes.requested_bytes()).sum();
    let (mut template, mut requested) = (0u64, 0u64);
    for (_, pod) in pods.get(&workload.id).into_iter().flatten() {
        template = template.saturating_add(of_pod);
        for running in &pod.containers {
            requested = requested.saturating_add(pod.counted_bytes(running));
        }
    }
    (template, requested)
}
