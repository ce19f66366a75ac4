//! The same by the names of the second team's plan, so that its dashboards and rules go on working.
//!
//! All have the label `by`: an app may show some of these itself, and what we ask a Prometheus for must not be what we said.
//! What a frontend takes is not known here, so `hyperstudy_frontend_memory_baseline_mb` is not shown.

use super::{Moment, Share};
use crate::server::used::by_name;
use plimsoll_core::capacity::booking::reservation::{Reservation, State};
use plimsoll_core::capacity::booking::span::{DAY_MS, Span};
use plimsoll_core::capacity::formula::plain::MB;
use plimsoll_core::capacity::roles::{Counts, Role};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

const BY: &str = "plimsoll";
/// Pods and experiments that have series of their own.
const PODS_MAX: usize = 100;
const EXPERIMENTS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UserLabels {
    role: String,
    video_enabled: &'static str,
    pod_name: String,
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PodLabels {
    pod_name: String,
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExperimentLabels {
    experiment_id: String,
    pod_type: &'static str,
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: String,
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLabel {
    by: &'static str,
}

/// All of them that are known.
pub(super) fn register(registry: &mut Registry, moment: &Moment) {
    coefficients(registry, moment);
    experiments(registry, moment);
    let is_active = |it: &&Reservation| it.state == State::Active;
    let active = || moment.reservations.iter().filter(is_active);
    let total = active().map(|it| participants(&it.counts)).sum();
    one(registry, "total_participants", "Participants that are promised a place now", total);
    one(
        registry,
        "active_experiments",
        "Reservations that have begun and are not over",
        active().count() as u64,
    );
    if let Some((together, _)) = &moment.seen {
        let online: Family<RoleLabels, Gauge> = Family::default();
        for (role, count) in by_name(&together.counts) {
            online.get_or_create(&RoleLabels { role, by: BY }).set(super::number(count));
        }
        registry.register("hyperstudy_active_users_online", "Who is there", online);
        let active = participants(&together.counts);
        one(registry, "active_participants", "Participants who are there", active);
    }
}

/// What one of each takes, in each pod that was seen.
fn coefficients(registry: &mut Registry, moment: &Moment) {
    let profile = &moment.terms.profile;
    let seen = moment.seen.iter().flat_map(|(_, latest)| latest).map(|seen| seen.pod.clone());
    let mut pods: Vec<String> = seen.take(PODS_MAX).collect();
    if pods.is_empty() {
        pods.push(String::new());
    }
    let users: Family<UserLabels, Share> = Family::default();
    for pod_name in &pods {
        for (role, coefficient) in &profile.roles {
            let (role, video_enabled) = match role {
                role if *role == Role::PARTICIPANT_VIDEO => ("participant", "true"),
                role if *role == Role::PARTICIPANT_NO_VIDEO => ("participant", "false"),
                role => (role.as_str(), "false"),
            };
            let (role, pod_name) = (role.to_string(), pod_name.clone());
            users.get_or_create(&UserLabels { role, video_enabled, pod_name, by: BY }).set(coefficient.mb);
        }
    }
    registry.register("hyperstudy_backend_memory_per_user_mb", "What one of a role takes", users);
    let Some(connection) = &profile.connection else { return };
    let connections: Family<PodLabels, Share> = Family::default();
    for pod_name in pods {
        connections.get_or_create(&PodLabels { pod_name, by: BY }).set(connection.mb);
    }
    registry.register("hyperstudy_router_memory_per_connection_mb", "What a connection takes", connections);
}

/// What people of the experiments of the next day take on average, beside the base of pods.
fn experiments(registry: &mut Registry, moment: &Moment) {
    let day = Span { start_ms: moment.now_ms, end_ms: moment.now_ms + DAY_MS };
    let mut next: Vec<&Reservation> = moment
        .reservations
        .iter()
        .filter(|it| it.state.is_promised() && it.footprint().overlaps(&day))
        .collect();
    next.sort_by_key(|it| it.span.start_ms);
    let mut by_id: BTreeMap<&str, f64> = BTreeMap::new();
    for it in next.into_iter().take(EXPERIMENTS_MAX) {
        let Ok(need) = moment.terms.loads.need(&it.counts) else { continue };
        // Of what recurs within the day, the most.
        let mb = by_id.entry(it.experiment_id.as_deref().unwrap_or(&it.id)).or_default();
        *mb = mb.max(need.mean_bytes() as f64 / MB);
    }
    let projections: Family<ExperimentLabels, Share> = Family::default();
    for (id, mb) in by_id {
        let labels = ExperimentLabels { experiment_id: id.to_string(), pod_type: "backend", by: BY };
        projections.get_or_create(&labels).set(mb);
    }
    let help = "What people of an experiment take, beside the base of pods";
    registry.register("hyperstudy_experiment_memory_projection_mb", help, projections);
}

fn participants(counts: &Counts) -> u64 {
    counts.iter().filter(|(role, _)| role.as_str().starts_with("participant")).map(|(_, count)| count).sum()
}

fn one(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let family: Family<ByLabel, Gauge> = Family::default();
    family.get_or_create(&ByLabel { by: BY }).set(super::number(value));
    registry.register(format!("hyperstudy_{name}"), help, family);
}
