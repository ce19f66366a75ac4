//! Kills for want of memory, noticed as they happen.

use crate::inventory::{Inventory, Pod, Running, WorkloadId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was known of each container at the last look: starts after the first, by `uid/name`. Only of those that were killed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Kills {
    known: BTreeMap<String, u32>,
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
    /// The limit it had, in bytes; `None` where it had none, and its node or its pod ran out.
    pub limit_bytes: Option<u64>,
    /// What it had requested, in bytes.
    pub request_bytes: u64,
}

impl Kills {
    /// Those since the last look. At the first look of all nothing is new: nobody knows when it happened, nor at which limit.
    pub fn notice(&mut self, seen: &Inventory) -> Vec<Kill> {
        let mut killed = Vec::new();
        let mut known = BTreeMap::new();
        for ((_, name), pod) in &seen.pods {
            for running in pod.containers.iter().filter(|running| running.oom_killed) {
                let key = format!("{}/{}", pod.uid, running.name);
                let is_new = self.known.get(&key).is_none_or(|restarts| *restarts < running.restarts);
                known.insert(key, running.restarts);
                if is_new && self.has_looked {
                    killed.extend(kill(name, pod, running));
                }
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
        limit_bytes: sizes.limit_bytes(),
        request_bytes: sizes.requested_bytes(),
    })
}
