//! `/api/capacity/schedule`: reservations, made, looked at, changed and taken back.

pub mod answer;
pub mod calendar;
pub mod request;

use super::access::{Principal, Scope};
use super::ahead::view::{by_reservation, timeline};
use super::desk::{Replacement, Request, Seen};
use super::problem::{Code, Problem};
use super::secret::sha256_hex;
use super::{Body, Service, now_ms};
use answer::{Decision, ReservationView};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use plimsoll_capacity::Filter;
use plimsoll_core::capacity::booking::reservation::{Event, Reservation, State as Stage};
use request::ScheduleRequest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Names a request, so that it may be sent again.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const KEY_BYTES_MAX: usize = 200;
const PAGE: u32 = 100;

/// Reserves capacity
///
/// With an `Idempotency-Key` the same request may be sent again for a day, and has the same answer.
#[utoipa::path(post, path = "/api/capacity/schedule", request_body = ScheduleRequest, tag = "schedule",
    params(("Idempotency-Key" = Option<String>, Header, description = "names the request, so that it may be sent again")),
    responses((status = 200, description = "what would be answered: dry_run", body = Decision),
        (status = 201, description = "there is a place, and it is kept", body = Decision),
        (status = 202, description = "there is none yet, and it waits for one", body = Decision),
        (status = 400, description = "it is not valid", body = Problem),
        (status = 409, description = "there is no place: why, and what would do", body = Problem),
        (status = 422, description = "the key belongs to another request", body = Problem)))]
pub async fn create(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Body(asked): Body<ScheduleRequest>,
) -> Result<Response, Problem> {
    let owner = principal.owner(asked.owner.as_deref())?;
    let request = Request {
        wanted: asked.wanted(&owner, &service.desk.capacity, &mut super::new_id, now_ms())?,
        is_series: asked.recurrence.is_some(),
        is_dry: asked.dry_run,
        may_wait: asked.may_wait,
        is_hold: asked.hold_minutes.is_some(),
        key: key(&headers, &asked)?,
        who: principal.name.clone(),
    };
    let (status, body) = service.desk.reserve(request).await?;
    service.stir();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let location = body.pointer("/reservation/id").and_then(|id| id.as_str()).filter(|_| !asked.dry_run);
    let location = location.map(|id| (header::LOCATION, format!("/api/capacity/schedule/{id}")));
    let mut response = (status, Json(body)).into_response();
    if let Some((name, value)) = location.and_then(|(name, value)| Some((name, value.parse().ok()?))) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// `Idempotency-Key`, and a digest of the request it came with.
fn key(headers: &HeaderMap, asked: &ScheduleRequest) -> Result<Option<(String, String)>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    let text = format!("Idempotency-Key: not 1 to {KEY_BYTES_MAX} printable characters\nsend a UUID");
    let key = key.ok_or_else(|| Problem::new(Code::InvalidRequest, text))?;
    let request = serde_json::to_vec(asked).unwrap_or_default();
    Ok(Some((key.to_string(), sha256_hex(&request))))
}

/// Which reservations a list is to show.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct ListQuery {
    /// Those that hold capacity after it, as RFC 3339.
    from: Option<String>,
    /// Those that hold capacity before it.
    until: Option<String>,
    /// Only those of one owner.
    owner: Option<String>,
    /// Only those in one state.
    state: Option<String>,
    /// Only the occurrences of one series.
    series_id: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// At most so many, 1 to 500.
    limit: Option<u32>,
}

/// A page of reservations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page {
    /// In the order in which they begin to hold capacity.
    reservations: Vec<ReservationView>,
    /// The `cursor` of the next page, where there is one.
    next: Option<String>,
}

/// Lists reservations
#[utoipa::path(get, path = "/api/capacity/schedule", params(ListQuery), tag = "schedule",
    responses((status = 200, description = "a page of them", body = Page), (status = 400, description = "the query is not valid", body = Problem)))]
pub async fn list(
    State(service): State<Service>,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(query) = query?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, plimsoll_capacity::PAGE_MAX);
    let filter = Filter {
        from_ms: query.from.as_deref().map(|text| moment("from", text)).transpose()?,
        until_ms: query.until.as_deref().map(|text| moment("until", text)).transpose()?,
        owner: query.owner,
        state: query.state.as_deref().map(stage).transpose()?,
        series: query.series_id,
        after: query.cursor.as_deref().map(cursor).transpose()?,
        limit,
    };
    let found = service.desk.database.reservations(&filter).await?;
    let is_full = found.len() == limit as usize;
    let last = found.last().filter(|_| is_full);
    let next = last.map(|last| format!("{}.{}", last.footprint().start_ms, last.id));
    let steps = by_reservation(service.desk.database.steps_of(&filter).await?);
    let now_ms = now_ms();
    let view = |it: &Reservation| {
        let steps = steps.get(&it.id).map_or(&[][..], Vec::as_slice);
        ReservationView { timeline: timeline(it, steps, now_ms), ..ReservationView::of(it) }
    };
    Ok(Json(Page { reservations: found.iter().map(view).collect(), next }))
}

pub fn moment(key: &str, text: &str) -> Result<i64, Problem> {
    let shown: String = text.chars().take(40).collect();
    let bad = |_| {
        Problem::new(
            Code::InvalidRequest,
            format!("{key}: '{shown}' is no time\nwrite it like 2026-12-01T09:00:00Z"),
        )
    };
    text.parse::<Timestamp>().map(|at| at.as_millisecond()).map_err(bad)
}

fn stage(text: &str) -> Result<Stage, Problem> {
    let unknown = || {
        let names = Stage::ALL.map(Stage::name).join(", ");
        Problem::new(Code::InvalidRequest, format!("state: unknown\nuse one of {names}"))
    };
    Stage::ALL.into_iter().find(|stage| stage.name() == text).ok_or_else(unknown)
}

fn cursor(text: &str) -> Result<(i64, String), Problem> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.to_string())));
    parts.ok_or_else(|| {
        Problem::new(Code::InvalidRequest, "cursor: not one of ours\ntake next of the page before")
    })
}

/// Shows a reservation
#[utoipa::path(get, path = "/api/capacity/schedule/{id}", params(("id" = String, Path)), tag = "schedule",
    responses((status = 200, description = "it, with its revision as ETag", body = ReservationView), (status = 404, description = "there is none", body = Problem)))]
pub async fn get(State(service): State<Service>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = service.desk.database.reservation(&id).await?;
    let found = found.ok_or_else(|| Problem::no_reservation(&id))?;
    let timeline = timeline(&found, &service.desk.database.steps(&id).await?, now_ms());
    let view = ReservationView { timeline, ..ReservationView::of(&found) };
    Ok(([(header::ETAG, tag(&found))], Json(view)).into_response())
}

/// Confirms a hold
#[utoipa::path(post, path = "/api/capacity/schedule/{id}/confirm", params(("id" = String, Path)), tag = "schedule",
    responses((status = 200, description = "it is confirmed", body = ReservationView), (status = 404, description = "there is none", body = Problem),
        (status = 409, description = "it is not held", body = Problem)))]
pub async fn confirm(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let who = principal.name.clone();
    let may = move |found: &Reservation| {
        own(&principal, found)?;
        // Who waits is confirmed in turn, not on request.
        if found.state == Stage::Requested {
            Ok(())
        } else {
            Err(Problem::new(Code::WrongState, "it is not held"))
        }
    };
    let seen = Seen { id, revision: None, who, may: Box::new(may) };
    let changed = service.desk.happen(seen, Event::Confirm).await?;
    service.stir();
    Ok(tagged(&changed))
}

/// Cancels a reservation
///
/// With `If-Match` only where nobody has changed it since.
#[utoipa::path(delete, path = "/api/capacity/schedule/{id}", tag = "schedule",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, description = "it is cancelled", body = ReservationView), (status = 404, description = "there is none", body = Problem),
        (status = 409, description = "it is over", body = Problem), (status = 412, description = "somebody has changed it", body = Problem)))]
pub async fn cancel(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = seen(id, if_match(&headers)?, principal);
    let changed = service.desk.happen(seen, Event::Cancel).await?;
    service.stir();
    Ok(tagged(&changed))
}

/// Cancels a series
///
/// All of its occurrences that have not started, or none.
#[utoipa::path(delete, path = "/api/capacity/series/{id}", params(("id" = String, Path)), tag = "schedule",
    responses((status = 200, description = "those that are cancelled", body = Page), (status = 404, description = "none of it is still to come", body = Problem)))]
pub async fn cancel_series(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Json<Page>, Problem> {
    let cancelled = service.desk.cancel_series(seen(id, None, principal)).await?;
    service.stir();
    Ok(Json(Page { reservations: cancelled.iter().map(ReservationView::of).collect(), next: None }))
}

/// Changes a reservation
///
/// What is sent takes the place of what was asked for; where that does not fit, it stays as it was. `If-Match` says what was seen.
#[utoipa::path(put, path = "/api/capacity/schedule/{id}", request_body = ScheduleRequest, tag = "schedule",
    params(("id" = String, Path), ("If-Match" = String, Header, description = "the ETag that was seen, or *")),
    responses((status = 200, description = "it is changed", body = Decision), (status = 404, description = "there is none", body = Problem),
        (status = 409, description = "it does not fit, or has begun", body = Problem), (status = 412, description = "somebody has changed it", body = Problem),
        (status = 428, description = "If-Match is missing", body = Problem)))]
pub async fn change(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<ScheduleRequest>,
) -> Result<Response, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        let text = "no If-Match\nsend the ETag that came with it";
        return Err(Problem::new(Code::IfMatchRequired, text));
    }
    if asked.recurrence.is_some() || asked.hold_minutes.is_some() || asked.dry_run {
        let text = "recurrence, hold_minutes and dry_run are for new ones\nchange occurrences one by one";
        return Err(Problem::new(Code::InvalidRequest, text));
    }
    let found = service.desk.database.reservation(&id).await?;
    let owner = found.map_or(String::new(), |found| found.owner);
    let wanted = asked.wanted(&owner, &service.desk.capacity, &mut super::new_id, now_ms())?;
    let wanted =
        wanted.into_iter().next().ok_or_else(|| Problem::new(Code::Internal, "nothing is wanted"))?;
    let seen = seen(id, if_match(&headers)?, principal);
    let (changed, body) = service.desk.replace(Replacement { seen, wanted }).await?;
    service.stir();
    Ok(([(header::ETAG, tag(&changed))], Json(body)).into_response())
}

/// What somebody means who may do it to their own, and as an administrator to others'.
fn seen(id: String, revision: Option<u64>, principal: Principal) -> Seen {
    let who = principal.name.clone();
    Seen { id, revision, who, may: Box::new(move |found| own(&principal, found)) }
}

fn own(principal: &Principal, found: &Reservation) -> Result<(), Problem> {
    if *found.owner == *principal.name { Ok(()) } else { principal.may(Scope::Admin) }
}

fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(tag) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = tag.to_str().unwrap_or_default();
    if tag == "*" {
        return Ok(None);
    }
    let revision = tag.trim_matches('"').parse().ok();
    let text = "If-Match: not one of our tags\nsend the ETag that came with it";
    revision.map(Some).ok_or_else(|| Problem::new(Code::Changed, text))
}

fn tagged(of: &Reservation) -> Response {
    ([(header::ETAG, tag(of))], Json(ReservationView::of(of))).into_response()
}

fn tag(of: &Reservation) -> String {
    format!("\"{}\"", of.revision)
}
