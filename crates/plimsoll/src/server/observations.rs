//! `/api/capacity/observations`: what an app was seen to use; and what is learned from it.

use super::access::{Principal, Scope};
use super::problem::{Code, Problem};
use super::schedule::moment;
use super::terms::PROFILES;
use super::{Body, Service, now_ms};
use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::capacity::formula::learn::{OBSERVATIONS_MAX, learn};
use plimsoll_core::capacity::formula::observation::{Batch, Observation};
use plimsoll_core::capacity::formula::profile::Profile;
use plimsoll_core::capacity::roles::{Counts, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Longest body, in bytes: 10,000 observations.
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// What one pod was seen to use at one moment; what could not be read is left out, never 0.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservationBody {
    /// When, as RFC 3339.
    at: String,
    /// Which pod.
    pod: String,
    /// Version of the app that ran in it.
    version: String,
    /// Resident memory of its process.
    memory_bytes: Option<u64>,
    /// How many of each role used it.
    roles: BTreeMap<String, u64>,
    /// How long its process had run.
    uptime_seconds: Option<u64>,
    /// Connections it held.
    connections: Option<u64>,
}

/// Up to 10,000 of them, each pod's in the order of time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservationsBody {
    /// Each is known by its pod and its moment: what is sent again changes nothing.
    observations: Vec<ObservationBody>,
}

/// What became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Observed {
    /// New ones, which are kept.
    accepted: u64,
    /// Those that were known already.
    known: u64,
}

/// Takes observations
#[utoipa::path(post, path = "/api/capacity/observations", request_body = ObservationsBody, tag = "profiling",
    responses((status = 200, description = "they are kept", body = Observed), (status = 400, description = "one makes no sense, and none is kept", body = Problem),
        (status = 403, description = "it takes the scope admin", body = Problem)))]
pub async fn observe(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    Body(body): Body<ObservationsBody>,
) -> Result<Json<Observed>, Problem> {
    principal.may(Scope::Admin)?;
    let all = body.observations.into_iter().enumerate().map(observation).collect::<Result<Vec<_>, _>>()?;
    let batch = Batch::new(all).map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))?;
    let batch = batch.into_inner();
    let accepted = service.desk.database.observe(&batch, now_ms()).await?;
    service.account().await;
    Ok(Json(Observed { accepted, known: batch.len() as u64 - accepted }))
}

fn observation((index, body): (usize, ObservationBody)) -> Result<Observation, Problem> {
    let invalid = |field: &str, why: String| {
        Problem::new(Code::InvalidRequest, format!("observations[{index}].{field}: {why}"))
    };
    let role = |(name, count): (String, u64)| Ok((Role::new(&name)?, count));
    let counts =
        body.roles.into_iter().map(role).collect::<Result<BTreeMap<_, _>, _>>().and_then(Counts::new);
    Ok(Observation {
        at_ms: moment(&format!("observations[{index}].at"), &body.at)?,
        pod: body.pod,
        version: body.version,
        memory_bytes: body.memory_bytes,
        counts: counts.map_err(|error| invalid("roles", error.to_string()))?,
        uptime_ms: body.uptime_seconds.map(|seconds| seconds.saturating_mul(1_000)),
        connections: body.connections,
    })
}

impl Service {
    /// Learns from what was observed, and has all replicas decide by it; whether there was something to learn from.
    ///
    /// # Errors
    ///
    /// Where the store does not answer.
    pub async fn learn(&self) -> Result<bool, Problem> {
        let database = &self.desk.database;
        let most = u32::try_from(OBSERVATIONS_MAX).unwrap_or(u32::MAX);
        let observations = database.observations(most).await?;
        if observations.is_empty() {
            return Ok(false);
        }
        let known: Option<Vec<Profile>> = database.kept(PROFILES).await?;
        let published = self.desk.capacity.formula.clone();
        let known = known.into_iter().flatten().last();
        // Seconds of work, which would keep others from being answered.
        let learned =
            tokio::task::spawn_blocking(move || learn(&observations, known.as_ref(), &published)).await;
        let learned = learned.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        let mut change = database.change().await?;
        change.keep(PROFILES, now_ms(), &learned).await?;
        change.commit().await?;
        Ok(true)
    }
}
