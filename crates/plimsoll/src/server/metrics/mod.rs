//! `/metrics`: what there is, what is promised, used and foretold, for a Prometheus.
//!
//! Gauges are made anew of what is kept each time they are asked for, so those of all replicas are the same; what was asked is
//! counted by each replica for itself.

mod aliases;
mod asked;
mod builds;

pub use asked::{Asked, counted};

use super::accuracy::SummaryView;
use super::observing::AskedView;
use super::problem::{Code, Problem};
use super::status::{StatusQuery, StatusView};
use super::terms::{Terms, unknown_role};
use super::used::by_name;
use super::{Service, now_ms};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use plimsoll_core::capacity::booking::demand::{Need, Risk};
use plimsoll_core::capacity::booking::reservation::Reservation;
use plimsoll_core::capacity::booking::span::{DAY_MS, Span};
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::formula::plain::MB;
use plimsoll_core::capacity::formula::together::Together;
use plimsoll_core::profile::Profile;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A gauge that is no whole number.
type Share = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabel {
    role: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    role: String,
    pods: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LevelLabel {
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetLabel {
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RegionLabel {
    region: String,
}

/// All that is shown, at one moment.
struct Moment {
    status: StatusView,
    terms: Arc<Terms>,
    reservations: Vec<Reservation>,
    seen: Option<(Together, Vec<Observation>)>,
    accuracy: Option<SummaryView>,
    /// Regions, and whether they cannot be scaled.
    failing: Vec<(String, bool)>,
    builds: Vec<Profile>,
    now_ms: i64,
}

/// Shows metrics, as OpenMetrics
#[utoipa::path(get, path = "/metrics", tag = "metrics",
    responses((status = 200, description = "OpenMetrics", content_type = "application/openmetrics-text")))]
pub async fn metrics(State(service): State<Service>) -> Result<Response, Problem> {
    let moment = service.moment().await?;
    let mut registry = Registry::default();
    let ours = registry.sub_registry_with_prefix("plimsoll_capacity");
    service.asked.register(ours);
    moment.book(ours)?;
    moment.used(ours);
    moment.profile(ours);
    moment.scaling(ours);
    builds::register(registry.sub_registry_with_prefix("plimsoll_build"), &moment.builds);
    aliases::register(&mut registry, &moment);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Ok((kind, text).into_response())
}

impl Service {
    async fn moment(&self) -> Result<Moment, Problem> {
        let now_ms = now_ms();
        Ok(Moment {
            status: self.status(&StatusQuery::default().room()?).await?,
            terms: self.terms().await?,
            reservations: self.desk.book().await?.during(&Span { start_ms: now_ms, end_ms: now_ms + DAY_MS }),
            seen: self.latest().await?,
            accuracy: SummaryView::of(&self.ledger().await?),
            failing: self.failing().await?,
            builds: self.profiles().await?,
            now_ms,
        })
    }
}

impl Moment {
    /// What there is, and what is promised of it.
    fn book(&self, registry: &mut Registry) -> Result<(), Problem> {
        let total = "Memory of all pods that there may be, beside what they take with nobody in them";
        whole(registry, "total", total, Unit::Bytes, self.status.capacity_bytes);
        whole(registry, "ready", "The same of pods that run now", Unit::Bytes, self.status.ready_bytes);

        let booked: Family<LevelLabel, Gauge> = Family::default();
        let need = self.need()?;
        for (level, z) in [("p50", 0.0), ("p95", Risk::DEFAULT.z())] {
            booked.get_or_create(&LevelLabel { level }).set(number(need.at_z_bytes(z)));
        }
        let help = "Memory that is promised now, which is not passed half, and 95 of 100 times";
        registry.register_with_unit("booked", help, Unit::Bytes, booked);

        let slots: Family<SlotLabels, Gauge> = Family::default();
        for (role, view) in &self.status.available_slots {
            for (pods, count) in [("most", view.most), ("ready", view.ready)] {
                slots.get_or_create(&SlotLabels { role: role.clone(), pods }).set(number(count));
            }
        }
        let help = "How many more of one role fit for the next hour, in most pods and in those that run";
        registry.register("available_slots", help, slots);

        let reservations: Family<StateLabel, Gauge> = Family::default();
        for (state, count) in &self.status.reservations {
            reservations.get_or_create(&StateLabel { state: state.clone() }).set(number(*count as u64));
        }
        registry.register("reservations", "Reservations that are not over", reservations);
        Ok(())
    }

    /// What people who are promised something now take, beside the base of pods.
    fn need(&self) -> Result<Need, Problem> {
        let is_held = |it: &&Reservation| it.is_holding(self.now_ms) && it.footprint().contains(self.now_ms);
        let held = self.reservations.iter().filter(is_held);
        held.map(|it| self.terms.loads.need(&it.counts))
            .try_fold(Need::NONE, |all, need| Ok(all.plus(need?)))
            .map_err(unknown_role)
    }

    /// What was observed lately; what was not is not there.
    fn used(&self, registry: &mut Registry) {
        let targets: Family<TargetLabel, Gauge> = Family::default();
        for AskedView { target, error, .. } in &self.status.observe {
            let labels = TargetLabel { target: target.clone() };
            targets.get_or_create(&labels).set(i64::from(error.is_none()));
        }
        registry.register("observed", "Whether somebody who is asked what they use was observed", targets);
        let Some((together, _)) = &self.seen else { return };
        if let Some(bytes) = together.memory_bytes {
            whole(registry, "used", "Resident memory of all pods", Unit::Bytes, bytes);
        }
        let pods = Gauge::<i64>::default();
        pods.set(i64::from(together.pods));
        registry.register("observed_pods", "Pods that were observed in the last five minutes", pods);
        let people: Family<RoleLabel, Gauge> = Family::default();
        for (role, count) in by_name(&together.counts) {
            people.get_or_create(&RoleLabel { role }).set(number(count));
        }
        registry.register("people", "Who is there", people);
    }

    /// Whether each region can be scaled ahead of the schedule.
    fn scaling(&self, registry: &mut Registry) {
        let failing: Family<RegionLabel, Gauge> = Family::default();
        for (region, is_failing) in &self.failing {
            failing.get_or_create(&RegionLabel { region: region.clone() }).set(i64::from(*is_failing));
        }
        let help = "Whether a region was to be scaled ahead of the schedule, and could not be";
        registry.register("scaling_failing", help, failing);
    }

    /// What people are reckoned to take, and how good that was.
    fn profile(&self, registry: &mut Registry) {
        let profile = &self.terms.profile;
        let base = (profile.base.mb * MB) as u64;
        whole(registry, "profile_base", "What a pod takes with nobody in it", Unit::Bytes, base);
        let roles: Family<RoleLabel, Gauge> = Family::default();
        for (role, coefficient) in &profile.roles {
            let labels = RoleLabel { role: role.to_string() };
            roles.get_or_create(&labels).set((coefficient.mb * MB) as i64);
        }
        registry.register_with_unit("profile_role", "What one of a role takes", Unit::Bytes, roles);
        let observations = Gauge::<i64>::default();
        observations.set(number(profile.observations));
        registry.register("profile_observations", "Observations that the profile is made of", observations);
        let Some(accuracy) = &self.accuracy else { return };
        let share = |registry: &mut Registry, name: &str, help: &str, value: f64| {
            let gauge = Share::default();
            gauge.set(value);
            registry.register_with_unit(name, help, Unit::Other("ratio".to_string()), gauge);
        };
        let error = "Mean distance of what was projected from what was used";
        share(registry, "projection_error", error, accuracy.error_share);
        let breach = "Projections about as many as came of which more was used than p99";
        share(registry, "projection_breach", breach, accuracy.breach_share);
        let covered = "Projections about as many as came of which no more was used than p95";
        share(registry, "projection_covered", covered, accuracy.covered_p95_share);
    }
}

fn whole(registry: &mut Registry, name: &str, help: &str, unit: Unit, value: u64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(number(value));
    registry.register_with_unit(name, help, unit, gauge);
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
