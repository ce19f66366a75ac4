//! `/api/capacity/events`: what happens, as it happens, and since when somebody was away.

use super::Service;
use super::problem::{Code, Problem};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use plimsoll_capacity::Event as Kept;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What another replica has done is seen after so long.
const LOOK_EACH: Duration = Duration::from_secs(2);

/// Follows what happens, as server-sent events
///
/// With `Last-Event-ID` also what has happened since then; without, from now on. Where so much has happened that it is not kept
/// any more, the first event is `reset`: look at everything anew.
#[utoipa::path(get, path = "/api/capacity/events", tag = "events",
    params(("Last-Event-ID" = Option<i64>, Header, description = "the id of the last event that was seen")),
    responses((status = 200, description = "events, until the service ends", content_type = "text/event-stream"), (status = 400, description = "no such id", body = Problem)))]
pub async fn events(
    State(service): State<Service>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let last = service.desk.database.last_event().await?;
    let from = match headers.get(LAST_EVENT_ID) {
        None => last,
        Some(sent) => {
            let sent = sent.to_str().ok().and_then(|text| text.parse::<i64>().ok());
            let bad = || {
                Problem::new(Code::InvalidRequest, "Last-Event-ID: not one of ours\nsend the id of an event")
            };
            sent.filter(|sent| (0..=last).contains(sent)).ok_or_else(bad)?
        }
    };
    let follower = Follower {
        stirred: service.stirred.subscribe(),
        ending: service.ending.subscribe(),
        service,
        seen: from,
        waiting: VecDeque::new(),
    };
    let events = stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Follower {
    service: Service,
    stirred: watch::Receiver<()>,
    ending: watch::Receiver<bool>,
    seen: i64,
    waiting: VecDeque<Kept>,
}

impl Follower {
    /// The next event; none where the service ends.
    async fn next(&mut self) -> Option<Event> {
        while !*self.ending.borrow() {
            if let Some(event) = self.waiting.pop_front() {
                let is_gap = event.number > self.seen + 1;
                self.seen = event.number;
                return Some(if is_gap { reset(event.number) } else { sent(&event) });
            }
            // A store that does not answer is asked again.
            let found = self.service.desk.database.events_after(self.seen).await;
            self.waiting = found.unwrap_or_default().into();
            if self.waiting.is_empty() {
                let stirred = async {
                    tokio::select! {
                        _ = self.stirred.changed() => {}
                        _ = self.ending.changed() => {}
                    }
                };
                let _ = tokio::time::timeout(LOOK_EACH, stirred).await;
            }
        }
        None
    }
}

fn sent(event: &Kept) -> Event {
    let about = json!({"at": super::schedule::answer::time(event.at_ms), "subject": event.subject, "about": event.about});
    Event::default().id(event.number.to_string()).event(&event.kind).data(about.to_string())
}

fn reset(number: i64) -> Event {
    Event::default().id(number.to_string()).event("reset").data("{}")
}
