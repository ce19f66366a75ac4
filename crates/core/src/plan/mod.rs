//! Plans: immutable sets of changes, each with what was before, what comes after, on which condition, and why.
//!
//! A [`Plan`] is made by `planner`, judged by `check`, which shares no code with it, and carried out by
//! [`rollout`](crate::rollout). It holds what it takes to undo it: the sizes from before, as they were written.

pub mod check;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod patches;
pub mod planner;
#[cfg(test)]
mod properties;
pub mod scaling;

use crate::inventory::quantity::Quantity;
use crate::inventory::{Sizes, WorkloadId};
use scaling::ScalingAdvice;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of this form.
pub const SCHEMA: &str = "plimsoll.plan/1";

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// Its name; a plan is looked up by it.
    pub id: String,
    /// The plan that was carried out before it, if any.
    pub parent: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// When what it goes by was read, in milliseconds since 1970.
    pub evidence_ms: i64,
    /// One for each workload, in the order of waves.
    pub changes: Vec<Change>,
    /// What stays as it is, and why.
    pub left_alone: Vec<LeftAlone>,
    /// What it comes to.
    pub totals: Totals,
    /// How fast it may go.
    pub budget: Budget,
}

/// How sizes are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Running pods are resized, new ones are sized on admission; the template stays as it is.
    InPlace,
    /// The template is changed, and its pods are replaced.
    Rollout,
}

/// The change of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which.
    pub workload: WorkloadId,
    /// It has to be the same object,
    pub uid: String,
    /// and of the same specification.
    pub generation: i64,
    /// How.
    pub way: Way,
    /// Pods it has, by which totals are reckoned.
    pub replicas: u32,
    /// Its containers that change.
    pub containers: Vec<ContainerChange>,
    /// What somebody should know before it is carried out.
    pub warnings: Vec<String>,
}

/// The change of one container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerChange {
    /// Which.
    pub name: String,
    /// As the template has it: what is put back.
    pub before: Sizes,
    /// As it should be.
    pub after: Sizes,
    /// The limit may not be below this, in bytes: the highest use that the kernel could not take back, and a margin.
    pub floor_bytes: u64,
    /// Why.
    pub evidence: String,
}

/// Something that stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftAlone {
    /// Of which workload.
    pub workload: WorkloadId,
    /// Only this container, or all.
    pub container: Option<String>,
    /// A word for programs.
    pub code: LeftAloneCode,
    /// And in words.
    pub reason: String,
    /// Of an autoscaler that goes by memory, what it comes to and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Box<ScalingAdvice>>,
}

/// Why something stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftAloneCode {
    /// A HorizontalPodAutoscaler decides by memory.
    MemoryAutoscaler,
    /// A VerticalPodAutoscaler sets it.
    VerticalAutoscaler,
    /// A MemoryPolicy has it follow use, by our controller.
    MemoryPolicy,
    /// A plan that was carried out has sized it, and the controller keeps off.
    SizedByPlan,
    /// The class of service would become another.
    ClassWouldChange,
    /// A LimitRange has bounds that do not allow it.
    LimitRange,
    /// A ResourceQuota has no room for it.
    Quota,
    /// The template is kept by a source elsewhere, and nothing can be changed without it.
    SourceElsewhere,
    /// There is not enough history.
    TooLittleHistory,
    /// It is right as it is.
    RightAsIs,
    /// It is not there any more, or another.
    NotThere,
    /// A rollout of somebody else's is under way.
    Unsettled,
    /// It cannot be resized while it runs: a static memory manager pins its pods.
    StaticManager,
    /// It cannot be resized while it runs: its pods may swap.
    Swap,
    /// It could not be undone: what a running pod was given beyond what it had cannot be taken away again.
    NoWayBack,
}

/// Sums over all pods, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Requests of what changes, before.
    pub request_before_bytes: u64,
    /// And after.
    pub request_after_bytes: u64,
    /// Limits of what changes, before; where there is none it counts for nothing.
    pub limit_before_bytes: u64,
    /// And after.
    pub limit_after_bytes: u64,
}

/// How fast a plan may be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Pods in the first wave.
    pub canary_pods: u32,
    /// Pods whose resize may be under way at the same time.
    pub resizes_at_once: u32,
    /// Memory that may be moved in a minute, in MiB.
    pub mib_per_minute: u64,
    /// A shrink takes away at most this share of the limit at a time, in hundredths.
    pub shrink_step_percent: u32,
    /// How long each wave is watched before the next, in milliseconds.
    pub watch_ms: i64,
    /// How long a resize or rollout may take before it is undone, in milliseconds.
    pub patience_ms: i64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            canary_pods: 1,
            resizes_at_once: 10,
            mib_per_minute: 64 * 1024,
            shrink_step_percent: 50,
            watch_ms: 60_000,
            patience_ms: 300_000,
        }
    }
}

impl ContainerChange {
    /// The sizes that bring a container back to what it was.
    pub fn inverse(&self) -> &Sizes {
        &self.before
    }
}

/// A size that was recommended for a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommended {
    /// Of which workload.
    pub workload: WorkloadId,
    /// Which.
    pub container: String,
    /// To be requested.
    pub request: Quantity,
    /// To be limited to; `None` leaves the limit as it is.
    pub limit: Option<Quantity>,
    /// See [`ContainerChange::floor_bytes`].
    pub floor_bytes: u64,
    /// Why.
    pub evidence: String,
}
