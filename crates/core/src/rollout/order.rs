//! What a step orders, and what it says.

use crate::inventory::{Sizes, WorkloadId};
use serde::{Deserialize, Serialize};

/// Something to be carried out. Where its conditions do not hold any more it is dropped: the next look derives anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The object that the admission policy reads says this of a workload's new pods. It is ours, and holds these
    /// containers and no others.
    SizeNewPods {
        /// Whose pods.
        workload: WorkloadId,
        /// Containers by name.
        containers: Vec<(String, Sizes)>,
    },
    /// There is no such object: new pods are as their template says. Done where there is none.
    LeaveNewPods {
        /// Whose pods.
        workload: WorkloadId,
    },
    /// A running pod gets these sizes by its `resize` subresource; other containers stay as they are.
    ResizePod {
        /// Where it lives.
        namespace: String,
        /// What it is called.
        pod: String,
        /// Only this one of that name,
        uid: String,
        /// and only while these containers should have these sizes (bytes count, not how they are written).
        from: Vec<(String, Sizes)>,
        /// Containers by name; each with all that it should have.
        containers: Vec<(String, Sizes)>,
    },
    /// The template says these sizes, applied on the server's side by our own field manager and nothing else of it; what
    /// is `None` is given up.
    SetTemplate {
        /// Whose template.
        workload: WorkloadId,
        /// Only this one of that name,
        uid: String,
        /// and only while its specification is of this generation.
        generation: i64,
        /// Containers by name.
        containers: Vec<(String, Sizes)>,
    },
}

/// How it goes on, and why, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "kebab-case")]
pub enum Verdict {
    /// It goes on as it is: something is under way, or is watched.
    Hold(String),
    /// The wave was borne: the next one begins.
    Advance(String),
    /// All is taken back.
    RollBack(String),
    /// It is over: applied, or rolled back.
    Done(String),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The present wave, from 1; 0 when nothing is applied any more.
    pub wave: u32,
    /// How many there are.
    pub waves: u32,
    /// Pods that have the sizes of the plan, by their status.
    pub pods_sized: u32,
    /// Pods there are of its workloads.
    pub pods: u32,
    /// What the scheduler counts for the containers that change, in bytes: the larger of what they should have and what
    /// they have. A saving is not one before the kubelet says so.
    pub reserved_bytes: u64,
    /// What it would count if all were as before, in bytes.
    pub reserved_before_bytes: u64,
}
