//! The report as programs see it; tables and pages are made of it.

use serde::Serialize;

/// Its name and version.
pub(super) const SCHEMA: &str = "plimsoll.rightsize/1";

/// Sizes for the containers of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct RightsizeReport {
    pub schema: &'static str,
    /// Where history was read.
    pub source: String,
    /// The time that counts as now, RFC 3339.
    pub as_of: String,
    /// How far back history was read.
    pub window_seconds: f64,
    /// How long sizes are to last.
    pub horizon_seconds: f64,
    pub policy: &'static str,
    /// By namespace, workload and container.
    pub containers: Vec<ContainerReport>,
    pub totals: Totals,
    pub skipped: Vec<Skipped>,
    /// What could not be known, and what that means.
    pub remarks: Vec<String>,
    /// What the history cost whoever served it.
    pub cost: Option<CostReport>,
}

/// One container of one workload; sizes are those of each pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ContainerReport {
    pub namespace: String,
    pub kind: String,
    pub workload: String,
    pub container: String,
    /// That run now.
    pub pods: u32,
    /// As it is; null where there is none.
    pub request_bytes: Option<u64>,
    pub limit_bytes: Option<u64>,
    pub recommended_request_bytes: u64,
    pub recommended_limit_bytes: u64,
    /// Of recommended to present, less 1.
    pub request_change_ratio: Option<f64>,
    pub limit_change_ratio: Option<f64>,
    pub request_reason: String,
    pub limit_reason: String,
    /// low, middle or high.
    pub confidence: &'static str,
    /// Highest use of a pod in the window.
    pub peak_bytes: Option<u64>,
    /// The same of what the kernel cannot take back; null where no series says it.
    pub non_reclaimable_bytes: Option<u64>,
    /// Mean over the last day of the highest use of each hour.
    pub used_bytes: Option<u64>,
    pub days_to_limit: Option<DaysReport>,
    pub warnings: Vec<String>,
}

/// When a rising use reaches the limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct DaysReport {
    pub days: f64,
    pub earliest: f64,
    /// Null where the slowest pace never reaches it.
    pub latest: Option<f64>,
}

/// Over all pods of the containers above.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub(super) struct Totals {
    pub containers: u64,
    pub pods: u64,
    /// What is requested now.
    pub request_bytes: u64,
    pub recommended_request_bytes: u64,
    pub request_change_ratio: Option<f64>,
    /// Mean use of the last day; of what is requested now and would be, the share that is used.
    pub used_bytes: u64,
    pub used_ratio: Option<f64>,
    pub recommended_used_ratio: Option<f64>,
    /// Saved in a month of 730 hours, where a price was given.
    pub saved_per_month: Option<f64>,
}

/// A container that was left alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Skipped {
    pub namespace: String,
    pub kind: String,
    pub workload: String,
    pub container: String,
    pub reason: String,
}

/// What a server was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CostReport {
    /// remote read, export, queries or blocks.
    pub way: &'static str,
    pub requests: u64,
    pub bytes: u64,
    pub samples: u64,
    pub seconds: f64,
}

impl RightsizeReport {
    /// How many containers have a request or limit that is off by more than this share; 0 where none was given.
    pub fn over(&self, share: Option<f64>) -> usize {
        let is_over = |ratio: Option<f64>| ratio.zip(share).is_some_and(|(ratio, share)| ratio.abs() > share);
        self.containers
            .iter()
            .filter(|one| is_over(one.request_change_ratio) || is_over(one.limit_change_ratio))
            .count()
    }
}
