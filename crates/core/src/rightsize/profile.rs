//! The profile of a container: all that is kept of its history, in less than a kilobyte.

use super::ages::Ages;
use super::envelope::Envelope;
use crate::sizing::{DAY_MS, OomKill, Sample};
use std::collections::BTreeMap;

/// The first so many milliseconds of a life are its start-up.
pub const START_UP_MS: i64 = 30 * 60_000;

/// See the module. Of all pods that ran the container, the one that used most counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Highest use of each hour.
    pub used: Envelope,
    /// Use by age.
    pub ages: Ages,
    /// Highest use in the first half hour of lives whose start was seen, and ever after, in bytes; 0 where none was seen.
    pub start_up_bytes: u64,
    /// Highest use after the first half hour of a life, in bytes.
    pub later_bytes: u64,
    /// Highest memory that the kernel could not have taken back, in bytes, where it is known.
    pub non_reclaimable_bytes: Option<u64>,
    /// Kills for want of memory, in the order of time.
    pub oom_kills: Vec<OomKill>,
}

impl Profile {
    /// Nothing read yet, of this time in milliseconds since 1970.
    pub fn new(from_ms: i64, to_ms: i64) -> Profile {
        Profile {
            used: Envelope::new(from_ms, to_ms),
            ages: Ages::default(),
            start_up_bytes: 0,
            later_bytes: 0,
            non_reclaimable_bytes: None,
            oom_kills: Vec::new(),
        }
    }

    /// The hours that were read, by day since 1970 in UTC.
    pub fn days(&self) -> BTreeMap<i64, Vec<Sample>> {
        let mut days: BTreeMap<i64, Vec<Sample>> = BTreeMap::new();
        self.used
            .samples()
            .for_each(|hour| days.entry(hour.at_ms.div_euclid(DAY_MS)).or_default().push(hour));
        days
    }

    /// Takes a reading of a life that is so old, in milliseconds; `None` when it began before it was looked at.
    pub fn take(&mut self, at_ms: i64, age_ms: Option<i64>, bytes: f64) {
        self.used.take(at_ms, bytes);
        let highest = if age_ms.is_some_and(|age_ms| age_ms < START_UP_MS) {
            &mut self.start_up_bytes
        } else {
            &mut self.later_bytes
        };
        *highest = (*highest).max(bytes as u64);
    }
}
