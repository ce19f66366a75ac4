//! Backtests: what each policy would have decided on a history, and what would have come of it.
//!
//! A decision is made with what was known at its time and judged by what came until the next one. All policies, and an
//! oracle that knows what comes, are judged on the same windows.

pub mod envelope;
pub mod replay;
pub mod score;

use crate::sizing::{OomKill, Sample};

/// The history of one container.
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

impl Schedule {
    /// Windows in which a decision holds, as start and end in milliseconds: each whole one up to the last sample.
    pub fn windows(&self, samples: &[Sample]) -> impl Iterator<Item = (i64, i64)> + use<> {
        let first_ms = samples.first().map_or(0, |sample| sample.at_ms) + self.train_ms;
        let horizon_ms = self.horizon_ms.max(1);
        // The last sample stands for the time until the next would have come.
        let end_ms = match samples {
            [.., before, last] => last.at_ms + (last.at_ms - before.at_ms).min(horizon_ms),
            _ => i64::MIN,
        };
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

/// The samples of a window: its start belongs to it, its end does not.
pub fn within(samples: &[Sample], from_ms: i64, to_ms: i64) -> &[Sample] {
    let start = samples.partition_point(|sample| sample.at_ms < from_ms);
    let end = samples.partition_point(|sample| sample.at_ms < to_ms);
    &samples[start..end.max(start)]
}
