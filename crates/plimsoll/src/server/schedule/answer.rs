//! Reservations and decisions about them, as they are answered.

use super::request::FeaturesBody;
use crate::config::Capacity;
use crate::server::ahead::view::StepView;
use crate::server::used::by_name;
use jiff::Timestamp;
use plimsoll_core::capacity::booking::admit::{Admission, CapacityDetails, Quantiles, SeriesAdmission};
use plimsoll_core::capacity::booking::price::Money;
use plimsoll_core::capacity::booking::reservation::Reservation;
use plimsoll_core::capacity::booking::span::Span;
use plimsoll_core::capacity::formula::plain::MB;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An amount of money.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Cost {
    /// A decimal number, as text.
    #[schema(example = "0.14")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub currency: String,
}

/// From, to, in UTC.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpanView {
    /// The first moment.
    #[schema(example = "2026-12-01T08:00:00Z")]
    pub start: String,
    /// The first moment after it.
    pub end: String,
}

/// A reservation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReservationView {
    /// Its own, never used twice.
    pub id: String,
    /// requested, confirmed, waitlisted, rejected, preparing, active, completed, cancelled, expired or degraded.
    pub state: String,
    /// Whose it is.
    pub owner: String,
    /// What people call it.
    pub title: String,
    /// The experiment it is for.
    pub experiment_id: Option<String>,
    /// When it takes place.
    pub scheduled: SpanView,
    /// When it holds capacity: lead and tail included.
    pub held: SpanView,
    /// All occurrences of what recurs share it.
    pub series_id: Option<String>,
    /// How many of each role.
    pub roles: BTreeMap<String, u64>,
    /// In how many rooms.
    pub rooms: u32,
    /// Where it has to be.
    pub region: Option<String>,
    /// What people do.
    pub features: FeaturesBody,
    /// The chance to be short of memory that it takes.
    pub risk: f64,
    /// Until when it is held, before it is confirmed.
    pub hold_until: Option<String>,
    /// One more with each change; also the ETag.
    pub revision: u64,
    /// When it was asked for.
    pub created: String,
    /// When it changed last.
    pub changed: String,
    /// What is done for it before it starts and after it ends; left out in decisions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<StepView>,
}

/// Memory while a reservation holds it, beside what pods take with nobody in them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CapacityDetailsView {
    /// In all pods that there may be, in MB (10^6 bytes).
    pub total: f64,
    /// What is left at its risk when others book most, in MB.
    pub available: f64,
    /// As `total`.
    pub total_bytes: u64,
    /// As `available`.
    pub available_bytes: u64,
    /// In pods that run now.
    pub ready_bytes: u64,
    /// What it takes itself, at its risk.
    pub needed_bytes: u64,
    /// Booked by others when they book most.
    pub booked_bytes: QuantilesView,
}

/// Of one distribution, in bytes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuantilesView {
    /// Half of the time it is less.
    pub p50: u64,
    /// 95 of 100 times.
    pub p95: u64,
    /// 99 of 100 times.
    pub p99: u64,
}

/// Why it has a place or has none, and what would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExplainView {
    /// In words.
    pub why: String,
    /// memory, rooms, pods, quota, horizon or past.
    pub binds: Option<String>,
    /// When most is booked, itself included.
    pub peak_instant: Option<String>,
    /// Who holds memory then, by id, the first 100.
    pub held_by: Vec<String>,
    /// How many those are.
    pub held_by_count: usize,
    /// The next time at which it has a place.
    pub earliest_free_slot: Option<SpanView>,
    /// The most people of the same mix that have a place at the time that was asked for.
    pub smaller_count_that_fits: Option<BTreeMap<String, u64>>,
}

/// A decision, about the first occurrence that decides it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Decision {
    /// There is a place.
    pub reserved: bool,
    /// What it costs: its share of nodes' memory for as long as it holds it.
    pub estimated_cost: Cost,
    /// Pods have to be started for it.
    pub scaling_required: bool,
    /// How much there is.
    pub capacity_details: CapacityDetailsView,
    /// The chance to be short of memory that it is admitted at; none without a place.
    pub risk: Option<f64>,
    /// Why.
    pub explain: ExplainView,
    /// The reservation, or the first occurrence.
    pub reservation: ReservationView,
    /// All occurrences of what recurs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub occurrences: Vec<ReservationView>,
}

/// The answer to a request.
pub fn view(
    capacity: &Capacity,
    is_series: bool,
    admission: &SeriesAdmission,
    reservations: &[Reservation],
) -> Value {
    // What fails decides; else the one that is tightest.
    let least = |it: &&Admission| (it.reserved, it.capacity_details.available_bytes);
    let Some(deciding) = admission.occurrences.iter().min_by_key(least) else { return Value::Null };
    let price = &capacity.price;
    let cost = |(one, reservation): (&Admission, &Reservation)| {
        price.cost(one.capacity_details.needed_bytes, &reservation.footprint())
    };
    let all = admission.occurrences.iter().zip(reservations);
    let cost = all.map(cost).fold(Money::ZERO, Money::plus);
    let views: Vec<ReservationView> = reservations.iter().map(ReservationView::of).collect();
    let Some(first) = views.first().cloned() else { return Value::Null };
    let decision = Decision {
        reserved: admission.reserved,
        estimated_cost: Cost { amount: cost.rounded(2), currency: price.currency.clone() },
        scaling_required: admission.occurrences.iter().any(|it| it.scaling_required),
        capacity_details: details(&deciding.capacity_details),
        risk: deciding.risk_had,
        explain: explain(deciding),
        reservation: first,
        occurrences: if is_series { views } else { Vec::new() },
    };
    serde_json::to_value(decision).unwrap_or_default()
}

fn details(of: &CapacityDetails) -> CapacityDetailsView {
    let Quantiles { p50, p95, p99 } = of.booked_bytes;
    CapacityDetailsView {
        total: of.total_bytes as f64 / MB,
        available: of.available_bytes as f64 / MB,
        total_bytes: of.total_bytes,
        available_bytes: of.available_bytes,
        ready_bytes: of.ready_bytes,
        needed_bytes: of.needed_bytes,
        booked_bytes: QuantilesView { p50, p95, p99 },
    }
}

fn explain(admission: &Admission) -> ExplainView {
    let of = &admission.explain;
    ExplainView {
        why: of.why.clone(),
        binds: of.binds.map(word),
        peak_instant: of.peak_at_ms.map(time),
        held_by: of.held_by.clone(),
        held_by_count: of.held_by_count,
        earliest_free_slot: of.earliest_free.as_ref().map(SpanView::of),
        smaller_count_that_fits: of.smaller.as_ref().map(by_name),
    }
}

impl SpanView {
    fn of(span: &Span) -> SpanView {
        SpanView { start: time(span.start_ms), end: time(span.end_ms) }
    }
}

impl ReservationView {
    /// Of what is stored.
    pub fn of(it: &Reservation) -> ReservationView {
        ReservationView {
            id: it.id.clone(),
            state: it.state.name().to_string(),
            owner: it.owner.clone(),
            title: it.title.clone(),
            experiment_id: it.experiment_id.clone(),
            scheduled: SpanView::of(&it.span),
            held: SpanView::of(&it.footprint()),
            series_id: it.occurrence.as_ref().map(|it| it.series_id.clone()),
            roles: by_name(&it.counts),
            rooms: it.rooms,
            region: it.region.clone(),
            features: FeaturesBody {
                video_streaming: it.features.video_streaming,
                video_chat: it.features.video_chat,
                screen_recording: it.features.screen_recording,
                data_collection_rate_hz: it.features.data_collection_rate_hz,
            },
            risk: it.risk.chance(),
            hold_until: it.hold_until_ms.map(time),
            revision: it.revision,
            created: time(it.created_ms),
            changed: time(it.changed_ms),
            timeline: Vec::new(),
        }
    }
}

/// A moment, in UTC.
pub fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map(|at| at.to_string()).unwrap_or_default()
}

/// A name as it is written everywhere.
pub fn word(of: impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|it| it.as_str().map(str::to_string)).unwrap_or_default()
}
