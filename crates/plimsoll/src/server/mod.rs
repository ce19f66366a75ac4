//! The service: the API of capacity, its documentation, and what works in the background.
//!
//! A handler takes a request apart, asks the [`desk`], and puts the answer together; nothing is decided here.

pub mod access;
mod accuracy;
mod ahead;
mod audit;
mod book;
mod clerk;
mod decide;
mod desk;
mod docs;
mod events;
mod health;
mod local;
mod metrics;
mod observations;
mod observing;
mod page;
mod points;
mod problem;
mod profiling;
mod project;
mod rate;
mod review;
mod schedule;
pub mod secret;
mod status;
mod terms;
mod timetable;
mod used;

use access::Access;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use desk::Desk;
use observing::Targets;
use plimsoll_capacity::Database;
use problem::{Code, Problem};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use terms::Terms;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Capacity;

/// Longest body, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest answer; a stream of events has no end.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is learned what people take.
const LEARN_EACH: Duration = Duration::from_secs(3_600);
/// How often what is due is looked for.
const SWEEP_EACH: Duration = Duration::from_secs(5);

/// What handlers share.
#[derive(Debug, Clone)]
pub struct Service {
    desk: Desk,
    terms: Arc<terms::Latest>,
    /// Where this machine remembers builds and plans, if they are shown.
    local: Option<Arc<Path>>,
    /// Something has happened: whoever follows events looks again.
    stirred: watch::Sender<()>,
    /// The service ends: who follows events is let go.
    ending: watch::Sender<bool>,
    /// Those whom this replica asks what they use.
    targets: Targets,
    /// What was asked of this replica.
    asked: metrics::Asked,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Plimsoll capacity",
    description = "How much memory there is, what people will take, and reservations of it. MB are 10^6 bytes, and bytes are always there too. \
                   Times are RFC 3339; what is answered is in UTC."
))]
struct Api;

impl Service {
    /// With what is kept in a database, and what the configuration promises.
    pub fn new(database: Database, capacity: Capacity) -> Service {
        Service {
            desk: Desk::open(database, capacity),
            terms: Arc::default(),
            local: None,
            stirred: watch::Sender::new(()),
            ending: watch::Sender::new(false),
            targets: Targets::default(),
            asked: metrics::Asked::default(),
        }
    }

    /// What there is and what people take, as it was no more than a second ago.
    async fn terms(&self) -> Result<Arc<Terms>, Problem> {
        Ok(self.terms.read(&self.desk.capacity, &self.desk.database).await?)
    }

    /// Lets go who would never leave.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    fn stir(&self) {
        self.stirred.send_replace(());
    }

    /// All that is served.
    pub fn router(&self, access: Access) -> Router {
        let api = OpenApiRouter::with_openapi(Api::openapi())
            .routes(routes!(schedule::create, schedule::list))
            .routes(routes!(schedule::get, schedule::change, schedule::cancel))
            .routes(routes!(schedule::confirm))
            .routes(routes!(schedule::cancel_series))
            .routes(routes!(schedule::calendar::feed, schedule::calendar::import))
            .routes(routes!(project::project, project::project_query))
            .routes(routes!(profiling::profiling))
            .routes(routes!(points::points))
            .routes(routes!(accuracy::accuracy))
            .routes(routes!(audit::audit))
            .routes(routes!(local::builds))
            .routes(routes!(local::plans))
            .routes(routes!(ahead::view::scaling))
            .routes(routes!(metrics::metrics))
            .routes(routes!(status::status))
            .routes(routes!(timetable::timetable));
        // Ten thousand observations are more than any other body.
        let long = OpenApiRouter::new().routes(routes!(observations::observe));
        // A stream of events has no end, so it has no timeout.
        let events = OpenApiRouter::new().routes(routes!(events::events));
        let (api, mut document) = api.split_for_parts();
        let (long, of_long) = long.split_for_parts();
        let (events, of_events) = events.split_for_parts();
        document.merge(of_long);
        document.merge(of_events);
        let mut document = serde_json::to_value(&document).unwrap_or_default();
        docs::with_problems(&mut document);
        docs::with_unsigned(&mut document);
        let page = docs::page(&document);
        let shown = Json(document);
        // Who is on this machine may ask as much as it bears.
        let rates = matches!(access, Access::Tokens(_)).then(rate::Rates::default);
        let guarded = api
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .merge(long.layer(DefaultBodyLimit::max(observations::BODY_BYTES_MAX)))
            .layer(from_fn(timed))
            .merge(events)
            .layer(from_fn_with_state(rates, rate::limit))
            .layer(from_fn_with_state(access, access::check))
            .layer(from_fn_with_state(self.asked.clone(), metrics::counted));

        Router::new()
            .merge(guarded)
            .merge(page::router())
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/openapi.json", get(async move || shown.clone()))
            .route("/docs", get(async move || Html(page.clone())))
            .fallback(async || {
                Problem::new(Code::NotFound, "there is nothing here\nsee /docs for what there is")
            })
            .method_not_allowed_fallback(async || {
                Problem::new(Code::MethodNotAllowed, "this cannot be done here\nsee /docs for what can")
            })
            .with_state(self.clone())
    }

    /// Observes, learns, foretells, looks for what is due, and has pods ready for it, again and again.
    pub async fn work(&self) {
        tokio::join!(
            self.keep_learning(),
            self.keep_sweeping(),
            ahead::keep_working(self),
            self.keep_observing(),
            self.keep_accounting()
        );
    }

    async fn keep_learning(&self) {
        let mut each = tokio::time::interval(LEARN_EACH);
        each.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            each.tick().await;
            // What went wrong stands in the log already; the next time may be better.
            let _ = self.learn().await;
        }
    }

    async fn keep_sweeping(&self) {
        let mut each = tokio::time::interval(SWEEP_EACH);
        each.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            each.tick().await;
            // What the store says of it stands in the log already; the next time may be better.
            if let Ok(1..) = self.desk.sweep().await {
                self.stir();
            }
        }
    }
}

/// Ends what takes too long.
async fn timed(request: Request, next: axum::middleware::Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Unavailable, "it takes too long\ntry again").after(5).into_response(),
    }
}

/// A body that is JSON; what is wrong with it is a [`Problem`].
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Problem> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        Ok(Body(body))
    }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A new id that nobody can guess.
fn new_id() -> String {
    // Without randomness the time has to do.
    secret::random_hex::<12>().unwrap_or_else(|_| format!("{:024x}", now_ms()))
}
