//! `/api/capacity/timetable`: what is booked against what there is, over time.

use super::problem::{Code, Problem};
use super::schedule::answer::time;
use super::schedule::moment;
use super::{Service, now_ms};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use plimsoll_core::capacity::booking::demand::quantile_z;
use plimsoll_core::capacity::booking::span::{DAY_MS, Span};
use plimsoll_core::capacity::booking::timetable::{Stretch, coarse};
use plimsoll_core::capacity::formula::plain::MB;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Stretches of one answer; a longer time is shown more coarsely.
const STRETCHES_MAX: usize = 2_000;
/// Days that are shown if it is not said.
const DAYS: i64 = 7;
/// Longest time that is shown, in days.
const DAYS_MAX: i64 = 400;

/// Which time, and where.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct TimetableQuery {
    /// From when, as RFC 3339; from now on if it is left out.
    from: Option<String>,
    /// Until when; a week if it is left out, at most 400 days.
    until: Option<String>,
    /// In which region; in all if it is left out.
    region: Option<String>,
}

/// What is booked.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimetableView {
    /// When it was so.
    pub as_of: String,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Where; none for all regions.
    pub region: Option<String>,
    /// Memory for people in all pods that there may be there, in bytes.
    pub capacity_bytes: u64,
    /// The same, in MB (10^6 bytes).
    pub capacity_mb: f64,
    /// Of pods that run now.
    pub ready_bytes: u64,
    /// The same, in MB.
    pub ready_mb: f64,
    /// One after the other, without a gap; each as it is when most is booked in it.
    pub stretches: Vec<StretchView>,
}

/// What is booked for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct StretchView {
    /// From when.
    pub start: String,
    /// Until when.
    pub end: String,
    /// How many reservations hold capacity.
    pub reservations: u64,
    /// In how many rooms, as far as that is known.
    pub rooms: u64,
    /// How many people.
    pub people: u64,
    /// What they take half of the time, in bytes.
    pub p50_bytes: u64,
    /// The same, in MB.
    pub p50_mb: f64,
    /// What they stay below in 95 of 100 times.
    pub p95_bytes: u64,
    /// The same, in MB.
    pub p95_mb: f64,
    /// What they stay below in 99 of 100 times.
    pub p99_bytes: u64,
    /// The same, in MB.
    pub p99_mb: f64,
}

/// Shows what is booked over time
#[utoipa::path(get, path = "/api/capacity/timetable", params(TimetableQuery), tag = "status",
    responses((status = 200, description = "what is booked against what there is", body = TimetableView), (status = 400, description = "the query is not valid", body = Problem)))]
pub async fn timetable(
    State(service): State<Service>,
    query: Result<Query<TimetableQuery>, QueryRejection>,
) -> Result<Json<TimetableView>, Problem> {
    let (Query(query), now_ms) = (query?, now_ms());
    let span = query.span(now_ms)?;
    let book = service.desk.book().await?;
    let region = query.region.as_deref();
    let supply = &book.terms.supply;
    let there = || supply.regions.iter().filter(|it| region.is_none_or(|region| it.name == region));
    if there().next().is_none() {
        let text = format!("region: there is no '{}'\nsee GET /api/capacity/status", region.unwrap_or(""));
        return Err(Problem::new(Code::InvalidRequest, text));
    }
    let bytes = |pods: u32| u64::from(pods) * supply.pod.usable_bytes();
    let capacity_bytes = there().map(|it| bytes(it.pods(&supply.pod))).sum();
    let ready_bytes = there().map(|it| bytes(it.ready(&supply.pod))).sum();
    let stretches = coarse(book.board.booked(&span, region), STRETCHES_MAX, quantile_z(0.95));
    Ok(Json(TimetableView {
        as_of: time(now_ms),
        from: time(span.start_ms),
        until: time(span.end_ms),
        region: query.region,
        capacity_bytes,
        capacity_mb: capacity_bytes as f64 / MB,
        ready_bytes,
        ready_mb: ready_bytes as f64 / MB,
        stretches: stretches.iter().map(StretchView::of).collect(),
    }))
}

impl TimetableQuery {
    fn span(&self, now_ms: i64) -> Result<Span, Problem> {
        let at = |key, text: &Option<String>| text.as_deref().map(|text| moment(key, text)).transpose();
        let start_ms = at("from", &self.from)?.unwrap_or(now_ms);
        let end_ms = at("until", &self.until)?.unwrap_or(start_ms.saturating_add(DAYS * DAY_MS));
        let span = Span::new(start_ms, end_ms).filter(|span| span.length_ms() <= DAYS_MAX * DAY_MS);
        let text = format!("until: not after 'from', or more than {DAYS_MAX} days later\nask for less");
        span.ok_or_else(|| Problem::new(Code::InvalidRequest, text))
    }
}

impl StretchView {
    fn of(stretch: &Stretch) -> StretchView {
        let at = |p: f64| stretch.need.at_z_bytes(quantile_z(p).max(0.0));
        let (p50_bytes, p95_bytes, p99_bytes) = (at(0.5), at(0.95), at(0.99));
        StretchView {
            start: time(stretch.span.start_ms),
            end: time(stretch.span.end_ms),
            reservations: stretch.parties,
            rooms: stretch.rooms,
            people: stretch.people,
            p50_bytes,
            p50_mb: p50_bytes as f64 / MB,
            p95_bytes,
            p95_mb: p95_bytes as f64 / MB,
            p99_bytes,
            p99_mb: p99_bytes as f64 / MB,
        }
    }
}
