//! `/api/capacity/scaling`: how many pods are wanted where, and what was done about it; and the timeline of a reservation.

use super::kept::{AHEAD, Kept};
use crate::server::problem::Problem;
use crate::server::schedule::answer::time;
use crate::server::{Service, now_ms};
use axum::Json;
use axum::extract::State;
use plimsoll_capacity::{Scaled, StepDone};
use plimsoll_core::capacity::booking::reservation::{Reservation, State as Stage};
use plimsoll_core::capacity::booking::span::{DAY_MS, Span};
use plimsoll_core::capacity::booking::timeline::{Outcome, Step, Target, targets};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// So much of what was done is shown.
const LOG_MAX: u32 = 200;

/// How pods are scaled ahead of the schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScalingView {
    /// Nothing is changed in any region, only said.
    pub dry_run: bool,
    /// By what, as `statefulset shop/backend`; none where nothing is configured.
    pub via: Option<String>,
    /// What is wanted now, for each region.
    pub targets: Vec<TargetView>,
    /// What was done, the latest first, at most 200.
    pub log: Vec<ScaledView>,
}

/// What is wanted in one region.
#[derive(Debug, Serialize, ToSchema)]
pub struct TargetView {
    /// Its name; empty where there is one only.
    pub region: String,
    /// Pods there should be.
    pub pods: u32,
    /// Pods that are ready.
    pub pods_now: u32,
    /// Nodes for the pods there should be; none where nodes are not known.
    pub nodes: Option<u32>,
    /// The reservations that need the last of them; nobody where it is the least there may be.
    pub for_ids: Vec<String>,
}

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScaledView {
    /// When.
    pub at: String,
    /// Where; none where it is in several regions.
    pub region: Option<String>,
    /// For which reservation; none where it was for all together.
    pub reservation_id: Option<String>,
    /// compute, scale, ready, health, start, end or scale_down.
    pub step: Option<String>,
    /// done, skipped or failed.
    pub outcome: String,
    /// In words.
    pub detail: Option<String>,
}

/// A step of a timeline.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StepView {
    /// compute, scale, ready, health, start, end or scale_down.
    pub step: String,
    /// When it is due.
    pub at: String,
    /// pending, done, skipped or failed; what failed is tried again while it is of use.
    pub state: String,
    /// In words.
    pub detail: Option<String>,
    /// When it was carried out.
    pub recorded: Option<String>,
}

/// Shows how pods are scaled ahead of the schedule
#[utoipa::path(get, path = "/api/capacity/scaling", tag = "scaling",
    responses((status = 200, description = "what is wanted, and what was done", body = ScalingView)))]
pub async fn scaling(State(service): State<Service>) -> Result<Json<ScalingView>, Problem> {
    let (database, regions) = (&service.desk.database, &service.desk.capacity.regions);
    let (terms, now_ms) = (service.terms().await?, now_ms());
    let soon = Span { start_ms: now_ms, end_ms: now_ms + DAY_MS };
    let all = service.desk.book().await?.during(&soon);
    let least = regions.iter().map(|region| (region.name.clone(), region.ahead.least_pods)).collect();
    let scalers = regions.iter().filter_map(|region| region.ahead.scaler.as_ref().map(ToString::to_string));
    let via: Vec<String> = scalers.collect();
    Ok(Json(ScalingView {
        dry_run: regions.iter().all(|region| region.ahead.dry_run),
        via: (!via.is_empty()).then(|| via.join(", ")),
        targets: targets(&terms.supply, &all, &least, now_ms).into_iter().map(TargetView::of).collect(),
        log: database.scalings(LOG_MAX).await?.into_iter().map(ScaledView::of).collect(),
    }))
}

impl Service {
    /// Regions that are scaled ahead of the schedule, and whether that fails at present.
    pub async fn failing(&self) -> Result<Vec<(String, bool)>, Problem> {
        let kept: Kept = self.desk.database.kept(AHEAD).await?.unwrap_or_default();
        let fails = |region: &str| matches!(kept.said.get(region), Some((Outcome::Failed, _)));
        let scaled = self.desk.capacity.regions.iter().filter(|region| region.ahead.scaler.is_some());
        Ok(scaled.map(|region| (region.name.clone(), fails(&region.name))).collect())
    }
}

impl TargetView {
    fn of(target: Target) -> TargetView {
        let Target { region, pods, nodes, pods_now, for_ids } = target;
        TargetView { region, pods, pods_now, nodes, for_ids }
    }
}

impl ScaledView {
    fn of(scaled: Scaled) -> ScaledView {
        let (reservation_id, step) = scaled.step.unzip();
        ScaledView {
            at: time(scaled.at_ms),
            region: scaled.region,
            reservation_id,
            step: step.map(|step| step.name().to_string()),
            outcome: scaled.outcome.name().to_string(),
            detail: said(&scaled.detail),
        }
    }
}

/// What became of steps, by the ids of their reservations.
pub fn by_reservation(steps: Vec<StepDone>) -> BTreeMap<String, Vec<StepDone>> {
    let mut all: BTreeMap<String, Vec<StepDone>> = BTreeMap::new();
    for done in steps {
        all.entry(done.reservation.clone()).or_default().push(done);
    }
    all
}

/// All steps in their order; of one for which nothing will be done any more only those that were.
pub fn timeline(it: &Reservation, steps: &[StepDone], now_ms: i64) -> Vec<StepView> {
    let goes_on = match it.state {
        Stage::Completed => it.footprint().end_ms > now_ms - super::PAST_MS,
        state => !state.is_over(),
    };
    let view = |step: Step| {
        let done = steps.iter().find(|done| done.step == step);
        (goes_on || done.is_some()).then(|| StepView {
            step: step.name().to_string(),
            at: time(step.at_ms(it)),
            state: done.map_or("pending", |done| done.outcome.name()).to_string(),
            detail: done.and_then(|done| said(&done.detail)),
            recorded: done.map(|done| time(done.at_ms)),
        })
    };
    Step::ALL.into_iter().filter_map(view).collect()
}

fn said(detail: &str) -> Option<String> {
    (!detail.is_empty()).then(|| detail.to_string())
}
