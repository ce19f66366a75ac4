//! The inventory: what a cluster runs at one moment, as far as sizes of memory depend on it.
//!
//! It knows nothing of Kubernetes' wire types: `plimsoll-cluster` fills it from them, plans and rollouts are decided on it,
//! and a simulator can play it.

pub mod autoscaler;
mod bounds;
pub mod pressure;
pub mod qos;
pub mod quantity;

use autoscaler::MemoryAutoscaler;
pub use bounds::{LimitRange, Node, Quota};
pub use pressure::Pressure;
use quantity::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a cluster runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// When it was all like this, in milliseconds since 1970.
    pub as_of_ms: i64,
    /// What its API server can do.
    pub abilities: Abilities,
    /// Workloads by name.
    pub workloads: BTreeMap<WorkloadId, Workload>,
    /// Pods by namespace and name.
    pub pods: BTreeMap<(String, String), Pod>,
    /// Pods that are over because their nodes ran short of memory, by uid, as far as they are still known.
    pub evicted: BTreeMap<String, Evicted>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// Bounds on the sums of namespaces.
    pub quotas: Vec<Quota>,
    /// Bounds on single containers, by namespace.
    pub limit_ranges: Vec<LimitRange>,
    /// What our own objects say that new pods of a workload get on admission, by the container's name. They outlive
    /// the workload.
    pub sized_on_admission: BTreeMap<WorkloadId, Vec<(String, Sizes)>>,
    /// By whom, and whether it holds, for each of these.
    pub admitted: BTreeMap<WorkloadId, Admitted>,
}

/// By whom new pods are sized on admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The name of a plan.
    pub by: String,
    /// The template is as it was when this was said; where somebody has changed it since, new pods are as it says.
    pub is_in_force: bool,
}

/// What an API server can do, as a dry run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Pods can be resized while they run, memory limits also down (in general from 1.34 on).
    pub in_place: bool,
    /// New pods can be sized by a MutatingAdmissionPolicy (v1 from 1.36 on).
    pub admission_policy: bool,
}

/// What runs pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// apps/v1
    Deployment,
    /// apps/v1
    StatefulSet,
    /// apps/v1
    DaemonSet,
}

impl Kind {
    /// By Kubernetes' name for it; `None` for what is none of these.
    pub fn from_name(name: &str) -> Option<Kind> {
        match name {
            "Deployment" => Some(Kind::Deployment),
            "StatefulSet" => Some(Kind::StatefulSet),
            "DaemonSet" => Some(Kind::DaemonSet),
            _ => None,
        }
    }
}

/// Which workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadId {
    /// Where it lives.
    pub namespace: String,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{:?}/{}", self.namespace, self.kind, self.name)
    }
}

/// Request and limit of memory, as they are written; what is not written is not bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sizes {
    /// What is reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Quantity>,
    /// What bounds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Quantity>,
}

/// Request and limit as they are written, such as `512Mi/1Gi`; `-` for what is not.
impl fmt::Display for Sizes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |size: &Option<Quantity>| size.as_ref().map_or("-".to_string(), Quantity::to_string);
        write!(out, "{}/{}", text(&self.request), text(&self.limit))
    }
}

impl Sizes {
    /// What the scheduler counts, in bytes: the request; the limit where only that is given; else nothing.
    pub fn requested_bytes(&self) -> u64 {
        self.request.as_ref().or(self.limit.as_ref()).map_or(0, Quantity::bytes)
    }

    /// The limit, in bytes.
    pub fn limit_bytes(&self) -> Option<u64> {
        self.limit.as_ref().map(Quantity::bytes)
    }

    /// The same number of bytes, however they are written.
    pub fn same(&self, other: &Sizes) -> bool {
        let bytes =
            |sizes: &Sizes| [&sizes.request, &sizes.limit].map(|size| size.as_ref().map(Quantity::bytes));
        bytes(self) == bytes(other)
    }
}

/// A workload and the template of its pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Which.
    pub id: WorkloadId,
    /// Another one of this name has another.
    pub uid: String,
    /// Rises with each change of its specification.
    pub generation: i64,
    /// A hash of the template of its pods but for the memory of containers: what else a rollout would change.
    pub template_hash: u64,
    /// Pods it should have.
    pub replicas: u32,
    /// Containers of its template, sidecars too; init containers that end are not among them.
    pub containers: Vec<Container>,
    /// Who else sets its sizes, or decides by them.
    pub hands: Vec<Hand>,
    /// Pods that may be missing at a time, by its strategy and its disruption budgets.
    pub max_unavailable: u32,
    /// All its pods are of the present template, and ready.
    pub is_settled: bool,
}

/// A container as the template has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// What it is called.
    pub name: String,
    /// Memory.
    pub sizes: Sizes,
    /// CPU, as it is written: request and limit. It decides the class of service together with memory.
    pub cpu: (Option<String>, Option<String>),
    /// A change of its memory starts it anew.
    pub restarts_on_resize: bool,
    /// Variables and arguments that bound its memory by a fixed number, such as `GOMEMLIMIT=400MiB`: they do not follow a resize.
    pub fixed_bounds: Vec<String>,
}

/// Somebody else who sets sizes, or decides by them.
#[derive(Debug, Clone, PartialEq)]
pub enum Hand {
    /// A HorizontalPodAutoscaler that goes by memory.
    MemoryAutoscaler(MemoryAutoscaler),
    /// A VerticalPodAutoscaler of this name that changes sizes (its mode is not Off).
    VerticalAutoscaler(String),
    /// A MemoryPolicy of this name, by which our controller sets sizes.
    MemoryPolicy(String),
    /// Argo CD, Flux or Helm with self-healing, by what its mark says.
    Source(String),
    /// The static memory manager of this node, which runs one of its pods: it pins the memory of Guaranteed pods, and that
    /// cannot be resized while they run (kubelet 1.36, `pkg/kubelet/allocation/handlers.go`). A static CPU manager does not
    /// stand in the way of memory.
    StaticManager(String),
    /// This node, which runs one of its pods, has swap: pods that are not Guaranteed may use it, and their request
    /// cannot be changed while they run (KEP-1287, likewise).
    Swap(String),
}

/// A pod that is not over.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Whose.
    pub workload: Option<WorkloadId>,
    /// Another one of this name has another.
    pub uid: String,
    /// Where it runs; `None` while it is pending.
    pub node: Option<String>,
    /// All its containers are ready.
    pub is_ready: bool,
    /// It is being deleted.
    pub is_leaving: bool,
    /// Its containers.
    pub containers: Vec<Running>,
    /// A resize that is not through.
    pub resize: Option<Resize>,
}

impl Pod {
    /// What the scheduler counts for a container of it, in bytes: the larger of what it should have and what it has; only
    /// the latter where its node will never do what it should (`PodRequests` of Kubernetes' `component-helpers`, 1.36).
    pub fn counted_bytes(&self, running: &Running) -> u64 {
        let actual_bytes = running.actual.as_ref().map_or(0, Sizes::requested_bytes);
        match &self.resize {
            Some(resize) if resize.state == ResizeState::Infeasible => actual_bytes,
            _ => actual_bytes.max(running.desired.requested_bytes()),
        }
    }
}

/// A pod that its kubelet ended because its node ran short of memory. What else pods are evicted for (disks, a drain) says
/// nothing of sizes of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evicted {
    /// Whose it was.
    pub workload: WorkloadId,
    /// What it was called.
    pub pod: String,
    /// Where it ran.
    pub node: String,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// What it is called.
    pub name: String,
    /// What it should have.
    pub desired: Sizes,
    /// What it has, by its status; `None` while nothing is known of it.
    pub actual: Option<Sizes>,
    /// Starts after the first; one that is to come is counted as soon as it has ended.
    pub restarts: u32,
    /// It has been started and has not ended since.
    pub is_running: bool,
    /// Those of its last two ends that were kills for want of memory, each by the id of the container that ended: one and the
    /// same end is seen as the present state first, and as the last one later.
    pub oom_kills: Vec<String>,
    /// What it uses and the kernel could not take back, in bytes, where that is known.
    pub used_bytes: Option<u64>,
    /// How much it waits for memory, where that is known.
    pub pressure: Option<Pressure>,
}

impl Running {
    /// It is known to have been killed for want of memory of late.
    pub fn was_oom_killed(&self) -> bool {
        !self.oom_kills.is_empty()
    }
}

/// A resize that is not through (KEP-1287).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resize {
    /// How it stands.
    pub state: ResizeState,
    /// What the kubelet says.
    pub message: String,
}

/// How a resize stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeState {
    /// The kubelet has not seen it yet, or is at it.
    InProgress,
    /// The node has no room now.
    Deferred,
    /// The node will never have room.
    Infeasible,
    /// The kubelet tried and could not; it tries again.
    Error,
    /// It is through for the containers, but their pod as such is still held to less; another one sets that too.
    Held {
        /// The limit of the pod, in bytes.
        limit_bytes: u64,
    },
}
