//! Kills for want of memory, noticed as they happen.

use crate::inventory::{Inventory, Pod, ResizeState, Running, WorkloadId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Those that were seen at the last look, by the ids of the containers that were killed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Kills {
    known: BTreeSet<String>,
    /// There was a look before.
    has_looked: bool,
}

/// One that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// Whose pod it was.
    pub workload: WorkloadId,
    /// What the pod is called.
    pub pod: String,
    /// Which container.
    pub container: String,
    /// What it could use at the most, in bytes; `None` where it had no limit, and its node or its pod ran out.
    pub limit_bytes: Option<u64>,
    /// What it had requested, in bytes.
    pub request_bytes: u64,
}

impl Kills {
    /// Those since the last look. At the first look of all nothing is new: nobody knows when it happened, nor at which limit.
    pub fn notice(&mut self, seen: &Inventory) -> Vec<Kill> {
        let mut killed = Vec::new();
        let mut known = BTreeSet::new();
        for ((_, name), pod) in &seen.pods {
            for running in &pod.containers {
                let news = running.oom_kills.iter().filter(|id| self.has_looked && !self.known.contains(*id));
                killed.extend(news.filter_map(|_| kill(name, pod, running)));
                known.extend(running.oom_kills.iter().cloned());
            }
        }
        (self.known, self.has_looked) = (known, true);
        killed
    }
}

fn kill(name: &str, pod: &Pod, running: &Running) -> Option<Kill> {
    let sizes = running.actual.as_ref().unwrap_or(&running.desired);
    Some(Kill {
        workload: pod.workload.clone()?,
        pod: name.to_string(),
        container: running.name.clone(),
        limit_bytes: sizes.limit_bytes().map(|limit_bytes| limit_bytes.min(left_by_others(pod, running))),
        request_bytes: sizes.requested_bytes(),
    })
}

/// What a pod that is held to less than its containers together leaves to one of them, in bytes.
fn left_by_others(pod: &Pod, running: &Running) -> u64 {
    let Some(ResizeState::Held { limit_bytes }) = pod.resize.as_ref().map(|resize| resize.state) else {
        return u64::MAX;
    };
    let others = pod.containers.iter().filter(|other| other.name != running.name);
    limit_bytes.saturating_sub(others.filter_map(|other| other.used_bytes).sum())
}
