//! What was asked of this replica, and how it was answered.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Instant;

/// Where it is decided who gets a place.
const DECIDES: &str = "/api/capacity/schedule";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// Counters of requests, shared by all who count.
#[derive(Debug, Clone)]
pub struct Asked {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabel, Histogram, fn() -> Histogram>,
    decisions: Family<OutcomeLabel, Counter>,
}

impl Default for Asked {
    fn default() -> Asked {
        Asked {
            requests: Family::default(),
            // From 1 ms to 8 s.
            durations: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 14))),
            decisions: Family::default(),
        }
    }
}

impl Asked {
    /// Has them shown.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("requests", "Requests that were answered", self.requests.clone());
        let durations = self.durations.clone();
        registry.register_with_unit("request_duration", "Until an answer began", Unit::Seconds, durations);
        let decisions =
            "Requests for a place, by what became of them; those that are tried only do not count";
        registry.register("decisions", decisions, self.decisions.clone());
    }

    fn count(&self, route: &str, method: &Method, status: StatusCode, seconds: f64) {
        let method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            // Names of methods come from outside.
            _ => "other",
        };
        let labels = RequestLabels { route: route.to_string(), method, status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&RouteLabel { route: route.to_string() }).observe(seconds);
        let outcome = match (route, method, status) {
            (DECIDES, "POST", StatusCode::CREATED) => "reserved",
            (DECIDES, "POST", StatusCode::ACCEPTED) => "waits",
            (DECIDES, "POST", StatusCode::CONFLICT) => "refused",
            _ => return,
        };
        self.decisions.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}

/// Counts what is asked and answered, by route.
pub async fn counted(
    State(asked): State<Asked>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let (method, since) = (request.method().clone(), Instant::now());
    let response = next.run(request).await;
    if let Some(path) = path {
        asked.count(path.as_str(), &method, response.status(), since.elapsed().as_secs_f64());
    }
    response
}
