//! `/api/capacity/status`: what there is, what is promised, and how many more of whom would fit now.

use super::problem::Problem;
use super::schedule::answer::time;
use super::{Service, now_ms};
use axum::Json;
use axum::extract::State;
use plimsoll_core::capacity::booking::reservation::State as Stage;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// When it was so.
    pub as_of: String,
    /// Memory of all pods that there may be, beside what they take with nobody in them, in bytes.
    pub capacity_bytes: u64,
    /// The same, in MB (10^6 bytes).
    pub capacity_mb: f64,
    /// Of pods that run now.
    pub ready_bytes: u64,
    /// Each place where pods run.
    pub regions: Vec<RegionView>,
    /// Reservations by their state, of those that are not over.
    pub reservations: BTreeMap<String, usize>,
    /// Where what people take comes from: `assumed` until enough was observed.
    pub profile: String,
}

/// One place where pods run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegionView {
    /// Its name; empty where there is one only.
    pub name: String,
    /// Pods that run now.
    pub pods: u32,
    /// Pods that it may be scaled to, as far as its nodes hold them.
    pub most_pods: u32,
    /// Memory limit of a pod, in bytes.
    pub pod_limit_bytes: u64,
    /// What of it is for people.
    pub pod_usable_bytes: u64,
}

/// Shows what there is
#[utoipa::path(get, path = "/api/capacity/status", tag = "status",
    responses((status = 200, description = "what there is", body = StatusView)))]
pub async fn status(State(service): State<Service>) -> Result<Json<StatusView>, Problem> {
    let (desk, now_ms) = (&service.desk, now_ms());
    let all = desk.database.open_reservations(now_ms).await?;
    let mut reservations = BTreeMap::new();
    for stage in Stage::ALL.into_iter().filter(|stage| !stage.is_over()) {
        let name = serde_json::to_value(stage).ok().and_then(|it| it.as_str().map(str::to_string));
        let count = all.iter().filter(|it| it.state == stage).count();
        reservations.insert(name.unwrap_or_default(), count);
    }
    let shape = &desk.supply.pod;
    let region = |region: &plimsoll_core::capacity::booking::supply::Region| RegionView {
        name: region.name.clone(),
        pods: region.ready(shape),
        most_pods: region.pods(shape),
        pod_limit_bytes: shape.limit_bytes,
        pod_usable_bytes: shape.usable_bytes(),
    };
    let regions: Vec<RegionView> = desk.supply.regions.iter().map(region).collect();
    let bytes = |pods: u32| u64::from(pods) * shape.usable_bytes();
    let capacity_bytes = regions.iter().map(|region| bytes(region.most_pods)).sum();
    Ok(Json(StatusView {
        as_of: time(now_ms),
        capacity_bytes,
        capacity_mb: capacity_bytes as f64 / 1e6,
        ready_bytes: regions.iter().map(|region| bytes(region.pods)).sum(),
        regions,
        reservations,
        profile: if desk.profile.is_assumed() { "assumed" } else { "observed" }.to_string(),
    }))
}
