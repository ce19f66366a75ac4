//! Backtests: what each policy would have decided on a history, and what would have come of it.
//!
//! A decision is made with what was known at its time and judged by what came until the next one. All policies, and an
//! oracle that knows what comes, are judged on the same windows.

pub mod envelope;
mod feed;
pub mod fleet;
pub mod packed;
pub mod replay;
pub mod score;

use crate::sizing::{OomKill, Sample};

/// The history of one container, to look into; [`packed`](packed::Packed) where there are many.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Its name.
    pub id: String,
    /// Readings in the order of time.
    pub samples: Vec<Sample>,
    /// Kills in the order of time.
    pub oom_kills: Vec<OomKill>,
    /// The limit it has at the end, in bytes, where that is known.
    pub limit_bytes: Option<u64>,
}

/// When decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// History before the first decision, in milliseconds.
    pub train_ms: i64,
    /// Time between decisions, in milliseconds.
    pub horizon_ms: i64,
    /// The size follows use: a decision that is below what is used is refused, as the kubelet does with a shrink.
    pub closed_loop: bool,
}

/// From when to when a history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Its first sample, in milliseconds since 1970.
    pub first_ms: i64,
    /// Its last.
    pub last_ms: i64,
    /// Between the last and the one before, in milliseconds.
    pub gap_ms: i64,
}

impl Extent {
    /// Of samples in the order of time; `None` of fewer than two.
    pub fn of(samples: &[Sample]) -> Option<Extent> {
        let [first, .., last] = samples else { return None };
        let before = samples[samples.len() - 2];
        let gap_ms = last.at_ms.wrapping_sub(before.at_ms);
        Some(Extent { first_ms: first.at_ms, last_ms: last.at_ms, gap_ms })
    }
}

impl Schedule {
    /// Windows in which a decision holds, as start and end in milliseconds: each whole one up to the last sample.
    pub fn windows(&self, extent: Option<Extent>) -> impl Iterator<Item = (i64, i64)> + use<> {
        let horizon_ms = self.horizon_ms.max(1);
        let first_ms = extent.map_or(0, |extent| extent.first_ms) + self.train_ms;
        // The last sample stands for the time until the next would have come.
        let end_ms = extent.map_or(i64::MIN, |extent| extent.last_ms + extent.gap_ms.min(horizon_ms));
        let starts = (0..).map(move |number| first_ms + number * horizon_ms);
        starts.map(move |from| (from, from + horizon_ms)).take_while(move |(_, to)| *to <= end_ms)
    }
}

/// A size that held for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// From then on, in milliseconds since 1970.
    pub from_ms: i64,
    /// Until then.
    pub to_ms: i64,
    /// In bytes.
    pub limit_bytes: u64,
}

/// In a closed loop a shrink below what is used is refused, as a kubelet does: the limit stays.
pub(crate) fn allowed(limit_now: Option<u64>, wanted_bytes: u64, used_bytes: u64) -> u64 {
    match limit_now {
        Some(now) if wanted_bytes < now && wanted_bytes < used_bytes => now,
        _ => wanted_bytes,
    }
}

/// The samples of a window: its start belongs to it, its end does not.
pub fn within(samples: &[Sample], from_ms: i64, to_ms: i64) -> &[Sample] {
    let start = samples.partition_point(|sample| sample.at_ms < from_ms);
    let end = samples.partition_point(|sample| sample.at_ms < to_ms);
    &samples[start..end.max(start)]
}
