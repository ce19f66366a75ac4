//! Policies: what people allow to be done with which workloads.

use super::selector::{Labels, Selector};
use crate::inventory::WorkloadId;
use crate::plan::Budget;
use crate::sizing::plimsoll::fleet::Risk;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What people allow, of workloads of one namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Where it lives; only workloads there are governed by it.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// When it was made, in milliseconds since 1970: of two that select one workload the older governs it.
    pub made_ms: i64,
    /// What it selects.
    pub selector: Selector,
    /// Workloads that it leaves alone, by name.
    pub excluded_workloads: Vec<String>,
    /// Containers that it leaves alone, by name.
    pub excluded_containers: Vec<String>,
    /// What is done.
    pub mode: Mode,
    /// Within which bounds; the first that is of a container's name, or of any, holds.
    pub bounds: Vec<Bound>,
    /// How much risk may be taken.
    pub risk: Risk,
    /// By its schedule sizes may go down now; they may go up at any time.
    pub is_open: bool,
    /// How fast one workload may change.
    pub budget: Budget,
    /// How many workloads may change at the same time.
    pub workloads_at_once: u32,
}

/// What is done with what a policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing; what was done is taken back.
    Off,
    /// It is said what would be right; what was done is taken back.
    Recommend,
    /// New pods get the right sizes; pods that run stay as they are.
    Initial,
    /// All pods get the right sizes.
    Auto,
}

impl Mode {
    /// Sizes of pods are set.
    pub fn acts(self) -> bool {
        matches!(self, Mode::Initial | Mode::Auto)
    }
}

/// Bounds on a container's limit, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// Only of this container; `None` for any.
    pub container: Option<String>,
    /// At least.
    pub min_bytes: Option<u64>,
    /// At the most.
    pub max_bytes: Option<u64>,
}

impl Policy {
    /// It would govern this workload, if no older one does.
    pub fn selects(&self, workload: &WorkloadId, labels: &Labels) -> bool {
        self.namespace == workload.namespace
            && self.selector.matches(labels)
            && !self.excluded_workloads.contains(&workload.name)
    }

    /// It leaves this container alone.
    pub fn excludes(&self, container: &str) -> bool {
        self.excluded_containers.iter().any(|name| name == container)
    }

    /// A limit within its bounds, in bytes; the upper one is the last word.
    pub fn within(&self, container: &str, limit_bytes: u64) -> u64 {
        let is_of = |bound: &&Bound| bound.container.as_deref().is_none_or(|name| name == container);
        let Some(bound) = self.bounds.iter().find(is_of) else { return limit_bytes };
        let least = bound.min_bytes.map_or(limit_bytes, |min| limit_bytes.max(min));
        bound.max_bytes.map_or(least, |max| least.min(max))
    }
}

/// Which policy governs each workload, as an index.
pub fn govern(policies: &[Policy], workloads: &BTreeMap<WorkloadId, Labels>) -> BTreeMap<WorkloadId, usize> {
    let mut by_age: Vec<usize> = (0..policies.len()).collect();
    by_age.sort_by_key(|index| (policies[*index].made_ms, &policies[*index].name));
    let of = |(id, labels): (&WorkloadId, &Labels)| {
        let index = by_age.iter().find(|index| policies[**index].selects(id, labels))?;
        Some((id.clone(), *index))
    };
    workloads.iter().filter_map(of).collect()
}

/// How many workloads a policy selects that an older one governs.
pub fn contested(
    policies: &[Policy],
    index: usize,
    workloads: &BTreeMap<WorkloadId, Labels>,
    governed: &BTreeMap<WorkloadId, usize>,
) -> usize {
    let selects = |(id, labels): &(&WorkloadId, &Labels)| policies[index].selects(id, labels);
    workloads.iter().filter(selects).filter(|(id, _)| governed.get(*id) != Some(&index)).count()
}
