//! The controller's own metrics, and whether it is well.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use plimsoll_core::controller::event::Reason;
use plimsoll_core::controller::policy::Policy;
use plimsoll_core::controller::status::Status;
use plimsoll_core::rollout::Order;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// See the module.
pub(super) struct Metrics {
    registry: Registry,
    loops: Histogram,
    orders: Family<OrderLabels, Counter>,
    events: Family<EventLabels, Counter>,
    leader: Gauge,
    use_known: Gauge,
    workloads: Family<PolicyLabels, Gauge>,
    sized: Family<PolicyLabels, Gauge>,
    left_alone: Family<PolicyLabels, Gauge>,
    requested: Family<RequestedLabels, Gauge>,
    is_ready: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OrderLabels {
    order: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyLabels {
    namespace: String,
    policy: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestedLabels {
    namespace: String,
    policy: String,
    by: &'static str,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("plimsoll_controller"),
            // From 5 ms to 40 s.
            loops: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            orders: Family::default(),
            events: Family::default(),
            leader: Gauge::default(),
            use_known: Gauge::default(),
            workloads: Family::default(),
            sized: Family::default(),
            left_alone: Family::default(),
            requested: Family::default(),
            is_ready: AtomicBool::new(false),
        };
        // What counts from nothing has to be seen at nothing first: to a Prometheus, a counter that begins with its first event has not risen.
        for reason in Reason::ALL {
            let _ = metrics.events.get_or_create(&EventLabels { reason: reason.name() });
        }
        let registry = &mut metrics.registry;
        let loops = "Time at work from one decision to the next: looking, deciding, changing and publishing";
        registry.register_with_unit("loop", loops, Unit::Seconds, metrics.loops.clone());
        registry.register("orders", "Changes of the cluster that were asked for", metrics.orders.clone());
        registry.register("events", "What happened to workloads", metrics.events.clone());
        registry.register("leader", "Whether this instance leads", metrics.leader.clone());
        registry.register("use_known", "Whether metrics.k8s.io says what is used", metrics.use_known.clone());
        registry.register("workloads", "Workloads that a policy governs", metrics.workloads.clone());
        registry.register("workloads_sized", "Those whose new pods have our sizes", metrics.sized.clone());
        registry.register("workloads_left_alone", "Those that stay as they are", metrics.left_alone.clone());
        let requested =
            "Memory that the pods of a policy request: by their templates, and as the scheduler counts";
        registry.register_with_unit("requested", requested, Unit::Bytes, metrics.requested.clone());
        metrics
    }

    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
        self.is_ready.store(leads, Ordering::Relaxed);
    }

    /// Another instance leads: this one is as ready as it can be.
    pub fn stands_by(&self) {
        self.leader.set(0);
        self.is_ready.store(true, Ordering::Relaxed);
    }

    /// Whether this is new.
    pub fn use_is_known(&self, is_known: bool) -> bool {
        self.use_known.set(i64::from(is_known)) != i64::from(is_known)
    }

    pub fn knows_use(&self) -> bool {
        self.use_known.get() == 1
    }

    pub fn decided(&self, took: Duration) {
        self.loops.observe(took.as_secs_f64());
    }

    pub fn ordered(&self, order: &Order, is_done: bool) {
        let order = match order {
            Order::SizeNewPods { .. } => "size_new_pods",
            Order::LeaveNewPods { .. } => "leave_new_pods",
            Order::ResizePod { .. } => "resize_pod",
            Order::SetTemplate { .. } => "set_template",
        };
        let outcome = if is_done { "done" } else { "failed" };
        self.orders.get_or_create(&OrderLabels { order, outcome }).inc();
    }

    pub fn happened(&self, reason: Reason) {
        self.events.get_or_create(&EventLabels { reason: reason.name() }).inc();
    }

    /// How it stands with each policy.
    pub fn stands(&self, policies: &[Policy], stands: &[Status]) {
        let gauges = [&self.workloads, &self.sized, &self.left_alone];
        gauges.iter().for_each(|gauge| gauge.clear());
        self.requested.clear();
        for (policy, stand) in policies.iter().zip(stands) {
            let labels = PolicyLabels { namespace: policy.namespace.clone(), policy: policy.name.clone() };
            for (gauge, value) in gauges.iter().zip([stand.workloads, stand.sized, stand.left_alone_count]) {
                gauge.get_or_create(&labels).set(i64::from(value));
            }
            for (by, bytes) in [("templates", stand.template_bytes), ("pods", stand.requested_bytes)] {
                let PolicyLabels { namespace, policy } = labels.clone();
                let gauge = self.requested.get_or_create_owned(&RequestedLabels { namespace, policy, by });
                gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
            }
        }
    }
}

/// Serves them until the process ends.
pub(super) async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let router = Router::new()
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(metrics);
    // It ends with the process only.
    let _ = axum::serve(listener, router).await;
}

async fn text(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    let mut text = String::new();
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    match encode(&mut text, &metrics.registry) {
        Ok(()) => (StatusCode::OK, kind, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, kind, error.to_string()),
    }
}

async fn ready(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    match metrics.is_ready.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "neither leading nor standing by\n"),
    }
}
