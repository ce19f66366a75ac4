//! Admission: who is promised memory, and who is not, and why.
//!
//! A [`Board`] is what is promised at a moment. [`Board::admit`] decides about one more, [`Board::admit_series`] about
//! all occurrences of what recurs, or none; [`Board::promote`] goes through the waiting list, [`settle`] finds out who does
//! not fit any more when supply has changed. Whoever calls holds a lock on what is stored from reading it to writing
//! what was decided: then no two ever get the last place.
//!
//! A reservation fits when its rooms have a place in pods for all of its footprint that is not past, so that at no moment
//! any pod needs more than it has, but with the risk that the most careful of those in it takes. Others that have not
//! begun may be moved for that ([`Admission::moved`] is to be stored with it).

mod board;
mod explain;
mod quota;
mod settle;
mod slots;
mod smaller;
mod waiting;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use board::Board;
pub use quota::{Quota, Quotas};
pub use settle::{Settled, Verdict, settle};
pub use slots::{Booked, Slots};
pub use waiting::{Restored, Turn};

use super::demand::Risk;
use super::rooms::{Moved, Placed};
use super::span::Span;
use crate::capacity::roles::Counts;
use serde::Serialize;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Admission {
    /// Of the request.
    pub id: String,
    /// It has a place.
    pub reserved: bool,
    /// It has none now, and would have one if nobody else were there: it can be put on the waiting list.
    pub may_wait: bool,
    /// For that, pods have to be started which do not run now.
    pub scaling_required: bool,
    /// How much there is, and how much is booked.
    pub capacity_details: CapacityDetails,
    /// The chance to be short of memory that was asked for.
    pub risk_asked: Risk,
    /// The chance that any pod it is in is short of memory at the worst moment; none when it has no place.
    pub risk_had: Option<f64>,
    /// Why, and what would do.
    pub explain: Explain,
    /// Where its rooms are; empty when it has no place.
    pub placement: Vec<Placed>,
    /// Others whose rooms are elsewhere now.
    pub moved: Vec<Moved>,
}

/// Memory during the footprint of a request, in bytes, without what pods take with nobody in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CapacityDetails {
    /// In all pods that there may be where it may go.
    pub total_bytes: u64,
    /// In those that run now.
    pub ready_bytes: u64,
    /// Booked by others when they book most.
    pub booked_bytes: Quantiles,
    /// What is left then, at its risk.
    pub available_bytes: u64,
    /// What it takes itself, alone, at its risk.
    pub needed_bytes: u64,
}

/// Of one distribution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half of the time it is less.
    pub p50: u64,
    /// 95 of 100 times.
    pub p95: u64,
    /// 99 of 100 times.
    pub p99: u64,
}

/// Why a request has a place or has none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Explain {
    /// In words.
    pub why: String,
    /// What it fails by.
    pub binds: Option<Binds>,
    /// When most is booked during its footprint, itself included, in milliseconds since 1970.
    pub peak_at_ms: Option<i64>,
    /// Others that hold memory then, by id, the first 100.
    pub held_by: Vec<String>,
    /// How many those are.
    pub held_by_count: usize,
    /// The next time, not before the start that was asked for and within the horizon, at which it has a place.
    pub earliest_free: Option<Span>,
    /// The most people, of the same roles in like shares, that have a place at the time that was asked for.
    pub smaller: Option<Counts>,
}

/// What a request fails by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Binds {
    /// All pods together have too little.
    Memory,
    /// There would be enough memory, but no pod has enough for a whole room.
    Rooms,
    /// Pods may not have so many rooms or people, or there are none.
    Pods,
    /// Its owner has too much already.
    Quota,
    /// It ends too far ahead.
    Horizon,
    /// It has started already.
    Past,
}

/// The answer to what recurs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesAdmission {
    /// All occurrences have a place; otherwise none is taken.
    pub reserved: bool,
    /// Each, in their order; one that has a place here is still not reserved when another has none.
    pub occurrences: Vec<Admission>,
}
