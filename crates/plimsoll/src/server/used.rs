//! What is used now, by the latest observation of each pod.

use super::schedule::answer::time;
use super::{Service, now_ms};
use plimsoll_capacity::StoreError;
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::formula::plain::MB;
use plimsoll_core::capacity::formula::together::{RECENT_MS, Together, together};
use plimsoll_core::capacity::roles::Counts;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is used, by what was seen in the last five minutes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsedView {
    /// When the last pod was seen.
    pub as_of: String,
    /// Resident memory of all pods; none where that of one could not be read.
    pub memory_bytes: Option<u64>,
    /// The same, in MB (10^6 bytes).
    pub memory_mb: Option<f64>,
    /// Who is there.
    pub roles: BTreeMap<String, u64>,
    /// Each pod.
    pub pods: Vec<UsedPodView>,
}

/// What one pod uses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsedPodView {
    /// Its name.
    pub pod: String,
    /// Version of the app that runs in it.
    pub version: String,
    /// When it was seen.
    pub at: String,
    /// Resident memory of its process; none where it could not be read.
    pub memory_bytes: Option<u64>,
    /// The same, in MB (10^6 bytes).
    pub memory_mb: Option<f64>,
    /// Who is in it.
    pub roles: BTreeMap<String, u64>,
    /// Connections it holds.
    pub connections: Option<u64>,
}

impl Service {
    /// The latest observation of each pod that was seen lately, and all together; none where no pod was.
    pub(super) async fn latest(&self) -> Result<Option<(Together, Vec<Observation>)>, StoreError> {
        // What is said to be seen in times to come was not seen.
        let now_ms = now_ms();
        let latest = self.desk.database.latest_observations(now_ms - RECENT_MS, now_ms).await?;
        Ok(together(&latest).map(|all| (all, latest)))
    }
}

impl UsedView {
    /// Of the latest observations.
    pub fn of(all: &Together, latest: &[Observation]) -> UsedView {
        UsedView {
            as_of: time(all.at_ms),
            memory_bytes: all.memory_bytes,
            memory_mb: all.memory_bytes.map(mb),
            roles: by_name(&all.counts),
            pods: latest.iter().map(UsedPodView::of).collect(),
        }
    }
}

impl UsedPodView {
    fn of(seen: &Observation) -> UsedPodView {
        UsedPodView {
            pod: seen.pod.clone(),
            version: seen.version.clone(),
            at: time(seen.at_ms),
            memory_bytes: seen.memory_bytes,
            memory_mb: seen.memory_bytes.map(mb),
            roles: by_name(&seen.counts),
            connections: seen.connections,
        }
    }
}

/// Bytes in MB.
pub(super) fn mb(bytes: u64) -> f64 {
    bytes as f64 / MB
}

/// Counts as JSON has them.
pub(super) fn by_name(counts: &Counts) -> BTreeMap<String, u64> {
    counts.iter().map(|(role, count)| (role.to_string(), count)).collect()
}
