//! `/api/capacity/calendar`: reservations as a calendar that programs subscribe to, and calendars as reservations.

use super::Principal;
use super::request::ScheduleRequest;
use crate::server::desk::Request;
use crate::server::problem::{Code, Problem};
use crate::server::secret::sha256_hex;
use crate::server::{Service, new_id, now_ms};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use plimsoll_capacity::Filter;
use plimsoll_core::capacity::booking::ical::{Event, Moment, read, write};
use plimsoll_core::capacity::booking::recurrence::local;
use plimsoll_core::capacity::booking::reservation::Reservation;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

const TEXT_CALENDAR: &str = "text/calendar; charset=utf-8";

/// Shows reservations as a calendar
///
/// Those that are not over, as many as a list has at once. Programs subscribe to it.
#[utoipa::path(get, path = "/api/capacity/calendar", tag = "calendar",
    responses((status = 200, description = "iCalendar, RFC 5545", content_type = "text/calendar")))]
pub async fn feed(State(service): State<Service>) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let filter = Filter { from_ms: Some(now_ms), limit: plimsoll_capacity::PAGE_MAX, ..Filter::default() };
    let all = service.desk.database.reservations(&filter).await?;
    let open = all.iter().filter(|it| !it.state.is_over());
    let events: Vec<Event> = open.filter_map(event).collect();
    Ok(([(header::CONTENT_TYPE, TEXT_CALENDAR)], write(&events, now_ms)).into_response())
}

/// As an event, at its own time, without lead and tail.
fn event(of: &Reservation) -> Option<Event> {
    let moment = |at_ms| Some(Moment { local: local(at_ms, &jiff::tz::TimeZone::UTC).ok()?, zone: None });
    Some(Event {
        uid: format!("{}@plimsoll", of.id),
        summary: if of.title.is_empty() { of.id.clone() } else { of.title.clone() },
        start: moment(of.span.start_ms)?,
        end: moment(of.span.end_ms)?,
        rule: None,
        except: Vec::new(),
        is_cancelled: false,
        sequence: u32::try_from(of.revision).unwrap_or(u32::MAX),
        counts: of.counts.clone(),
        rooms: of.rooms,
        region: of.region.clone(),
        owner: Some(of.owner.clone()),
    })
}

/// What became of a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// One for each event that is not cancelled, in their order.
    pub events: Vec<ImportedEvent>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedEvent {
    /// Its own.
    pub uid: String,
    /// As if it had been sent alone: 201, 202, 409, 400, ...
    pub status: u16,
    /// The decision, or the problem.
    pub answer: Value,
}

/// Reserves what a calendar has
///
/// Each event by itself: `X-PLIMSOLL-COUNTS:participant_video=20,experimenter=2` says for whom. What was imported before, by UID and
/// SEQUENCE, is answered as it was then.
#[utoipa::path(post, path = "/api/capacity/calendar", tag = "calendar",
    request_body(content = String, content_type = "text/calendar"),
    responses((status = 200, description = "what became of each event", body = Imported), (status = 400, description = "it is no calendar", body = Problem)))]
pub async fn import(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    body: Bytes,
) -> Result<Json<Imported>, Problem> {
    let events = read(&body).map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))?;
    let mut imported = Vec::new();
    for event in events.iter().filter(|event| !event.is_cancelled) {
        let (status, answer) = match service.import(&principal, event).await {
            Ok(answered) => answered,
            Err(problem) => (problem.status(), serde_json::to_value(&problem).unwrap_or_default()),
        };
        imported.push(ImportedEvent { uid: event.uid.clone(), status, answer });
    }
    service.stir();
    Ok(Json(Imported { events: imported }))
}

impl Service {
    async fn import(&self, principal: &Principal, event: &Event) -> Result<(u16, Value), Problem> {
        let (owner, asked) = (principal.owner(event.owner.as_deref())?, asked(event));
        let wanted = asked.wanted(&owner, &self.desk.capacity, &mut new_id, now_ms())?;
        let key = sha256_hex(format!("{}.{}", event.uid, event.sequence));
        let request = Request {
            wanted,
            is_series: asked.recurrence.is_some(),
            is_dry: false,
            may_wait: false,
            is_hold: false,
            who: principal.name.clone(),
            key: Some((key, sha256_hex(serde_json::to_vec(&asked).unwrap_or_default()))),
        };
        self.desk.reserve(request).await
    }
}

/// As it would have been asked for without a calendar.
fn asked(event: &Event) -> ScheduleRequest {
    let text = |moment: &Moment| moment.local.to_string();
    // Its end may be told in another zone than its start, and the length is the same in any.
    let length = event.start.at_ms().ok().zip(event.end.at_ms().ok());
    let minutes = length.and_then(|(start, end)| u32::try_from((end - start) / 60_000).ok());
    ScheduleRequest {
        title: Some(event.summary.clone()),
        start: text(&event.start),
        time_zone: event.start.zone.clone(),
        duration_minutes: Some(minutes.unwrap_or(0)),
        roles: event.counts.iter().map(|(role, count)| (role.to_string(), count)).collect(),
        rooms: (event.rooms > 0).then_some(event.rooms),
        region: event.region.clone(),
        recurrence: event.rule.as_ref().map(ToString::to_string),
        except: event.except.iter().map(text).collect(),
        ..ScheduleRequest::default()
    }
}
