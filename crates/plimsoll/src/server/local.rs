//! `/api/builds` and `/api/plans`: what this machine remembers of builds that ran under Plimsoll, and of plans that were carried
//! out from it.

use super::Service;
use super::problem::{Code, Problem};
use super::schedule::answer::{time, word};
use crate::store::jobs::{Job, remembered};
use crate::store::plans::{Kept, Plans};
use axum::Json;
use axum::extract::State;
use plimsoll_core::profile::Profile;
use serde::Serialize;
use std::path::{Path, PathBuf};
use utoipa::ToSchema;

/// Builds, or plans, of one answer.
const MOST: usize = 200;

/// Builds, the one that ran last first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuildsView {
    /// At most 200.
    builds: Vec<BuildView>,
}

/// A job that was run.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuildView {
    /// Project.
    project: String,
    /// Its name.
    job: String,
    /// The shape of its command.
    command: String,
    /// Runs that are remembered.
    runs: usize,
    /// How the last one ended: succeeded, failed, out_of_memory, timed_out, signalled or abandoned.
    last: Option<String>,
    /// When.
    last_at: Option<String>,
    /// What it went by at the end: optimized, safe, critical or minimal.
    mode: Option<&'static str>,
    /// What it took at its peak.
    peak_bytes: Option<u64>,
    /// What it should request.
    request_bytes: Option<u64>,
    /// What it should be limited to.
    limit_bytes: Option<u64>,
}

/// Plans, the one that was made last first.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlansView {
    /// At most 200.
    plans: Vec<PlanView>,
}

/// A plan that was carried out, or is.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// Its name.
    id: String,
    /// When it was made.
    made_at: String,
    /// applying, applied, rolling-back or rolled-back.
    state: &'static str,
    /// How many workloads it changes.
    workloads: usize,
    /// What they requested before, all pods together.
    requested_before_bytes: u64,
    /// And after.
    requested_after_bytes: u64,
}

impl Service {
    /// What is in the store of this folder is shown too.
    #[must_use]
    pub fn with_local(self, folder: PathBuf) -> Service {
        Service { local: Some(folder.into()), ..self }
    }

    /// Reads what this machine remembers, apart from what answers others; nothing where that is not shown.
    async fn local<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Path) -> Result<Vec<T>, Problem> + Send + 'static,
    ) -> Result<Vec<T>, Problem> {
        let Some(folder) = self.local.clone() else { return Ok(Vec::new()) };
        let read = tokio::task::spawn_blocking(move || read(&folder));
        read.await.map_err(|error| Problem::new(Code::Internal, error.to_string()))?
    }
}

/// Lists builds of this machine
#[utoipa::path(get, path = "/api/builds", tag = "machine",
    responses((status = 200, description = "what is remembered", body = BuildsView), (status = 503, description = "it cannot be read", body = Problem)))]
pub async fn builds(State(service): State<Service>) -> Result<Json<BuildsView>, Problem> {
    let builds = service.local(read_builds).await?;
    Ok(Json(BuildsView { builds }))
}

/// Lists plans that were carried out from this machine
#[utoipa::path(get, path = "/api/plans", tag = "machine",
    responses((status = 200, description = "what is remembered", body = PlansView)))]
pub async fn plans(State(service): State<Service>) -> Result<Json<PlansView>, Problem> {
    let plans = service.local(|folder| Ok(read_plans(folder))).await?;
    Ok(Json(PlansView { plans }))
}

impl Service {
    /// All that is remembered of builds.
    pub async fn profiles(&self) -> Result<Vec<Profile>, Problem> {
        self.local(read_profiles).await
    }
}

fn read_builds(folder: &Path) -> Result<Vec<BuildView>, Problem> {
    let mut jobs: Vec<Job> = read_profiles(folder)?.iter().map(Job::of).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.ended_unix_ms));
    jobs.truncate(MOST);
    Ok(jobs.into_iter().map(build).collect())
}

fn read_profiles(folder: &Path) -> Result<Vec<Profile>, Problem> {
    let jobs = remembered(folder).map_err(|(path, error)| {
        // Where it is is for the log only.
        eprintln!("plimsoll: {}: {error}", path.display());
        Problem::new(
            Code::Unavailable,
            "what is remembered of builds cannot be read\ncheck --state and its rights",
        )
    })?;
    Ok(jobs.into_iter().map(|(_, profile)| profile).collect())
}

fn read_plans(folder: &Path) -> Vec<PlanView> {
    // What is not understood is passed over, as `plimsoll history --local` says.
    let (mut plans, _) = Plans::of(folder).all();
    plans.sort_by_key(|kept| std::cmp::Reverse(kept.journal.plan.made_ms));
    plans.truncate(MOST);
    plans.iter().map(plan).collect()
}

fn build(job: Job) -> BuildView {
    BuildView {
        last: job.outcome.map(word),
        last_at: job.ended_unix_ms.and_then(|ms| i64::try_from(ms).ok()).map(time),
        mode: job.mode.map(|mode| mode.name()),
        project: job.project,
        job: job.job,
        command: job.command,
        runs: job.runs,
        peak_bytes: job.peak_bytes,
        request_bytes: job.request_bytes,
        limit_bytes: job.limit_bytes,
    }
}

fn plan(kept: &Kept) -> PlanView {
    let plan = &kept.journal.plan;
    PlanView {
        id: plan.id.clone(),
        made_at: time(plan.made_ms),
        state: kept.journal.phase.name(),
        workloads: plan.changes.len(),
        requested_before_bytes: plan.totals.request_before_bytes,
        requested_after_bytes: plan.totals.request_after_bytes,
    }
}
