//! `/api/capacity/accuracy`: how good projections were. Each is kept until its time has come, and held against what was used.

use super::problem::Problem;
use super::schedule::answer::time;
use super::terms::Terms;
use super::used::mb;
use super::{Service, now_ms};
use axum::Json;
use axum::extract::State;
use plimsoll_capacity::StoreError;
use plimsoll_core::capacity::booking::span::{HOUR_MS, MINUTE_MS};
use plimsoll_core::capacity::foretell::{Foreteller, Seen, has_step, is_step};
use plimsoll_core::capacity::formula::ledger::{Accuracy, Ledger, Scored};
use plimsoll_core::capacity::formula::plain::MB;
use plimsoll_core::capacity::formula::retained::Retained;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Under which name the ledger is kept.
const LEDGER: &str = "ledger";
/// How often it is looked what is to be foretold, beside whenever something was observed.
const EACH: Duration = Duration::from_secs(60);
/// Projections that are shown, the latest.
const SHOWN: usize = 500;
/// Who has been there for so long says for whom memory is still held.
const WARM_MS: i64 = 4 * HOUR_MS;

/// How good projections were.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccuracyView {
    /// Of those about as many people as came: how good the formula is.
    pub summary: Option<SummaryView>,
    /// Of those made beforehand, whoever came: how good bookings by it are.
    pub foretold: Option<SummaryView>,
    /// Projections whose time has not come.
    pub open: usize,
    /// Projections whose time went by while nothing was observed.
    pub missed: u64,
    /// The latest that were scored, up to 500, the oldest first.
    pub scored: Vec<ScoredView>,
}

/// How good many projections were.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SummaryView {
    /// Of how many.
    pub projections: u64,
    /// Mean distance of p50 from what was used, as a share of that (MAPE).
    pub error_share: f64,
    /// Mean of p50 less what was used, in MB (10^6 bytes): above 0 where too much was projected.
    pub bias_mb: f64,
    /// Share of them that used no more than p95.
    pub covered_p95_share: f64,
    /// Share of them that used no more than p99.
    pub covered_p99_share: f64,
    /// Share of them that used more than p99.
    pub breach_share: f64,
}

/// A projection, and what was used. MB are 10^6 bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoredView {
    /// `reservation:` and its id, `hour:` or `step:` and a number.
    pub id: String,
    /// When it was asked.
    pub asked_at: String,
    /// For when.
    pub r#for: String,
    /// What was projected.
    pub p50_mb: f64,
    /// See above.
    pub p95_mb: f64,
    /// See above.
    pub p99_mb: f64,
    /// What was used.
    pub used_mb: f64,
    /// As many came as were asked about.
    pub as_asked: bool,
}

/// Shows how good projections were
///
/// Of each reservation what the whole app takes in its middle is written down when it is confirmed; each hour what it takes an hour later,
/// given what is booked; and each ten minutes what the formula says given who is there.
#[utoipa::path(get, path = "/api/capacity/accuracy", tag = "profiling",
    responses((status = 200, description = "projections beside what was used", body = AccuracyView)))]
pub async fn accuracy(State(service): State<Service>) -> Result<Json<AccuracyView>, Problem> {
    let ledger = service.ledger().await?;
    let scored: Vec<&Scored> = ledger.scored().collect();
    Ok(Json(AccuracyView {
        summary: SummaryView::of(&ledger),
        foretold: ledger.accuracy(|scored| !is_step(&scored.entry)).map(SummaryView::from),
        open: ledger.open(),
        missed: ledger.unscored().0,
        scored: scored[scored.len().saturating_sub(SHOWN)..].iter().map(|it| ScoredView::of(it)).collect(),
    }))
}

impl SummaryView {
    /// How good the formula is: of projections about as many as came.
    pub fn of(ledger: &Ledger) -> Option<SummaryView> {
        ledger.accuracy(Scored::is_as_asked).map(SummaryView::from)
    }
}

impl From<Accuracy> for SummaryView {
    fn from(accuracy: Accuracy) -> SummaryView {
        SummaryView {
            projections: accuracy.projections,
            error_share: accuracy.error_share,
            bias_mb: accuracy.bias_bytes / MB,
            covered_p95_share: accuracy.covered_p95_share,
            covered_p99_share: accuracy.covered_p99_share,
            breach_share: accuracy.breach_share,
        }
    }
}

impl ScoredView {
    fn of(scored: &Scored) -> ScoredView {
        let entry = &scored.entry;
        ScoredView {
            id: entry.id.clone(),
            asked_at: time(entry.at_ms),
            r#for: time(entry.for_ms),
            p50_mb: mb(entry.p50_bytes),
            p95_mb: mb(entry.p95_bytes),
            p99_mb: mb(entry.p99_bytes),
            used_mb: mb(scored.used_bytes),
            as_asked: scored.is_as_asked(),
        }
    }
}

impl Service {
    /// What was projected, and what came of it.
    pub(super) async fn ledger(&self) -> Result<Ledger, StoreError> {
        Ok(self.desk.database.kept(LEDGER).await?.unwrap_or_default())
    }

    /// Looks again and again what is to be foretold.
    pub(super) async fn keep_accounting(&self) {
        let mut each = tokio::time::interval(EACH);
        each.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            each.tick().await;
            self.account().await;
        }
    }

    /// Writes down what is to be foretold, and scores what has come.
    pub(super) async fn account(&self) {
        // What went wrong stands in the log already, and the next time comes soon.
        let _ = self.try_account().await;
    }

    async fn try_account(&self) -> Result<(), Problem> {
        let database = &self.desk.database;
        let (terms, now_ms) = (Terms::read(&self.desk.capacity, database).await?, now_ms());
        let reservations = self.desk.book().await?.open();
        let mut ledger = self.ledger().await?;
        let seen = self.seen(&terms, &ledger).await?;
        let shape = &terms.supply.pod;
        let ready = || terms.supply.regions.iter().map(|region| region.ready(shape)).sum();
        let pods = seen.as_ref().map_or_else(ready, |seen| seen.together.pods);
        let foreteller = Foreteller { profile: &terms.profile, reservations: &reservations, pods, now_ms };
        // Most of the time there is nothing to write, and nobody is kept from deciding.
        if !foreteller.keep(&mut ledger, seen.as_ref()) {
            return Ok(());
        }
        let mut change = database.change().await?;
        let mut ledger: Ledger = change.kept(LEDGER).await?.unwrap_or_default();
        if foreteller.keep(&mut ledger, seen.as_ref()) {
            change.keep(LEDGER, now_ms, &ledger).await?;
            change.commit().await?;
        }
        Ok(())
    }

    /// All pods as they were seen last, and what was to be expected of them where that is asked.
    async fn seen(&self, terms: &Terms, ledger: &Ledger) -> Result<Option<Seen>, StoreError> {
        let Some((together, latest)) = self.latest().await? else { return Ok(None) };
        if has_step(ledger, together.at_ms) {
            return Ok(Some(Seen { together, outlook: None }));
        }
        let since_ms = together.at_ms - WARM_MS;
        let before = self.desk.database.sampled_observations(None, since_ms, MINUTE_MS).await?;
        let mut retained = Retained::new(terms.profile.stay);
        before.iter().chain(&latest).for_each(|seen| retained.take(seen));
        let outlooks = latest.iter().map(|seen| terms.profile.outlook_at(seen, &retained));
        let outlook = outlooks.reduce(|one, other| Some(one?.and(other?))).flatten();
        Ok(Some(Seen { together, outlook }))
    }
}
