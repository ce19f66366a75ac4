//! Kernel kills for want of memory, counted by what outlives pods: the count of a cgroup goes with the cgroup, and a group kill takes
//! both in a moment.
//!
//! Three sources say the same kills, and none says all: the counter of the cgroup, if it is still there when we look; the kernel's log, if
//! we may read it; and on v2 the counter of the pod above, which outlives its containers. [`Ledger`] adds up what is new and counts nothing
//! twice.

mod ledger;
mod pods;

pub use ledger::{KEPT_MS, Kept, KeptGroup, Ledger, TOTALS_MAX};

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whose kills are counted together, for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Whose {
    /// Namespace; empty outside of Kubernetes.
    pub namespace: String,
    /// Kind of what made the pod, such as Deployment.
    pub workload_kind: String,
    /// Its name.
    pub workload: String,
    /// The container; empty where only the pod is known.
    pub container: String,
    /// The CI project.
    pub ci_project: String,
    /// The job.
    pub ci_job: String,
    /// The job's stage.
    pub ci_stage: String,
}

/// The labels of the series of one container.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// Namespace; empty outside of Kubernetes.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container or unit.
    pub container: String,
    /// The cgroup's path, where the pod is not known.
    pub cgroup: String,
}

/// A cgroup as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its path, which is never used again for another container.
    pub path: Arc<str>,
    /// The path of its pod.
    pub pod: Option<Arc<str>>,
    /// Its labels.
    pub row: Arc<Row>,
    /// Whose kills they are.
    pub whose: Arc<Whose>,
}

/// All that was seen at one look. Pods have to be read before the cgroups in them, and the log after both.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// When, in milliseconds of any clock that only goes forward.
    pub now_ms: i64,
    /// Cgroups, and the kills that each counts itself; `None` where that cannot be read.
    pub groups: Vec<(Subject, Option<u64>)>,
    /// Pods, and the kills that were counted in them and below; v2 only.
    pub pods: Vec<(Subject, u64)>,
    /// Each kill that the log told since the last look, by the cgroup it was in.
    pub logged: Vec<Subject>,
}
