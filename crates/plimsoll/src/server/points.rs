//! `/api/capacity/profiling/data`: what was observed, beside what the profile in force expects of it.

use super::problem::{Code, Problem};
use super::schedule::answer::time;
use super::used::{by_name, mb};
use super::{Service, now_ms};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use plimsoll_core::capacity::booking::span::{HOUR_MS, MINUTE_MS};
use plimsoll_core::capacity::formula::beside::{Beside, beside};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

const HOURS_MAX: u32 = 672;
/// Points of one answer.
const POINTS_MAX: usize = 2_000;
/// Who was there before says for whom memory is still held.
const WARM_MS: i64 = 4 * HOUR_MS;
/// Beyond two days one of each five minutes is looked at, not one of each minute.
const FINE_HOURS: u32 = 48;

/// Which observations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PointsQuery {
    /// Of so many hours, 1 to 672; 24 if it is left out.
    hours: u32,
    /// Only of this pod.
    pod: Option<String>,
}

impl Default for PointsQuery {
    fn default() -> PointsQuery {
        PointsQuery { hours: 24, pod: None }
    }
}

/// Observations in the order of time.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointsView {
    /// At most 2,000, evenly thinned.
    points: Vec<PointView>,
}

/// One observation. MB are 10^6 bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointView {
    /// When.
    at: String,
    /// Which pod.
    pod: String,
    /// Version of the app.
    version: String,
    /// What it used; none where that could not be read.
    memory_mb: Option<f64>,
    /// Who was in it.
    roles: BTreeMap<String, u64>,
    /// What the profile in force expects; none where connections count and could not be read.
    expected_mb: Option<f64>,
    /// The line that memory is below 95 of 100 times.
    p95_mb: Option<f64>,
}

/// Shows what was observed beside what is expected
#[utoipa::path(get, path = "/api/capacity/profiling/data", params(PointsQuery), tag = "profiling",
    responses((status = 200, description = "observations, and what the profile in force expects of them", body = PointsView),
        (status = 400, description = "the query is not valid", body = Problem)))]
pub async fn points(
    State(service): State<Service>,
    query: Result<Query<PointsQuery>, QueryRejection>,
) -> Result<Json<PointsView>, Problem> {
    let Query(PointsQuery { hours, pod }) = query?;
    if !(1..=HOURS_MAX).contains(&hours) {
        let text = format!("hours: {hours} is out of range\nuse 1 to {HOURS_MAX}");
        return Err(Problem::new(Code::InvalidRequest, text));
    }
    let from_ms = now_ms() - i64::from(hours) * HOUR_MS;
    let each_ms = if hours <= FINE_HOURS { MINUTE_MS } else { 5 * MINUTE_MS };
    let terms = service.terms().await?;
    let database = &service.desk.database;
    let observations = database.sampled_observations(pod.as_deref(), from_ms - WARM_MS, each_ms).await?;
    let points = tokio::task::spawn_blocking(move || {
        beside(&terms.profile, &observations, from_ms, POINTS_MAX).iter().map(PointView::of).collect()
    });
    let points = points.await.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    Ok(Json(PointsView { points }))
}

impl PointView {
    fn of(of: &Beside<'_>) -> PointView {
        PointView {
            at: time(of.seen.at_ms),
            pod: of.seen.pod.clone(),
            version: of.seen.version.clone(),
            memory_mb: of.seen.memory_bytes.map(mb),
            roles: by_name(&of.seen.counts),
            expected_mb: of.expected_mb,
            p95_mb: of.p95_mb,
        }
    }
}
