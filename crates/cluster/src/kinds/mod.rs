//! Kinds of our own, and the policy that reads them: what a cluster has to have before anything is changed in place.

mod admission;
mod memory_policy;
mod memory_size;

pub use admission::{BINDING, POLICY};
pub use memory_policy::{
    BoundSpec, BudgetSpec, Exclude, LeftAloneStatus, MemoryPolicy, MemoryPolicySpec, MemoryPolicyStatus,
    ScheduleSpec,
};
pub use memory_size::MemorySize;

use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use serde_json::Value;

/// The API group of our kinds.
pub const GROUP: &str = "plimsoll.dev";
/// The namespace of what belongs to no workload: plans and the lease.
pub const HOME: &str = "plimsoll";
/// Whose fields ours are.
pub const FIELD_MANAGER: &str = "plimsoll";

/// Days of the week, as policies name them.
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The kind of VerticalPodAutoscalers, which are not ours and may not be there.
pub(crate) fn vertical_autoscaler() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler"))
}

/// Everything that has to be installed once, in the order in which it can be.
pub fn manifests() -> Vec<Value> {
    vec![memory_size::definition(), memory_policy::definition(), admission::policy(), admission::binding()]
}
