//! Reservations, loads and supplies for tests.

use super::demand::{Loads, Risk};
use super::reservation::{Features, Reservation, State};
use super::span::{Margins, Span};
use super::supply::{PodShape, Region, Supply};
use crate::capacity::load::Load;
use crate::capacity::roles::{Counts, Role};

/// So many participants with video, in one room each of no more than what is said later; nothing is known of rooms.
pub(in crate::capacity) fn reservation(id: &str, span_ms: (i64, i64), participants: u64) -> Reservation {
    Reservation {
        id: id.into(),
        owner: "lab".into(),
        title: id.into(),
        experiment_id: None,
        span: Span { start_ms: span_ms.0, end_ms: span_ms.1 },
        margins: Margins::default(),
        occurrence: None,
        counts: Counts::new([(Role::PARTICIPANT_VIDEO, participants)].into()).expect("counts"),
        rooms: 0,
        region: None,
        features: Features::default(),
        risk: Risk::DEFAULT,
        state: State::Requested,
        revision: 1,
        created_ms: 0,
        changed_ms: 0,
        confirmed_ms: None,
        hold_until_ms: None,
        placement: Vec::new(),
    }
}

/// The published coefficients, with a deviation of a fifth.
pub(super) fn loads() -> Loads {
    let load = |mb: f64| Load { mean_bytes: mb * 1e6, variance_bytes2: (mb * 0.2e6).powi(2) };
    let per_role = [
        (Role::PARTICIPANT_VIDEO, load(15.0)),
        (Role::PARTICIPANT_NO_VIDEO, load(8.0)),
        (Role::EXPERIMENTER, load(25.0)),
    ];
    Loads { per_role: per_role.into(), ..Loads::default() }
}

/// Pods of 512 MB, of which 100 are the base.
pub(super) fn supply(pods_now: u32, pods_most: u32) -> Supply {
    let base = Load { mean_bytes: 100e6, variance_bytes2: 0.0 };
    let pod = PodShape { limit_bytes: 512_000_000, base, max_rooms: None, max_participants: None };
    Supply { pod, regions: vec![Region { name: String::new(), pods_now, pods_most, nodes: None }] }
}
