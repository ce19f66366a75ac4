//! Sizing: from the history of a container to the memory it should get, by our own rule and by those of others.
//!
//! A [`Policy`] is told samples and out-of-memory kills in the order of time and asked for a [`Size`] now and then. All
//! live behind the one trait, so that a backtest compares them on the same history with the same ruler.

pub mod autopilot;
pub mod builds;
pub mod histogram;
pub mod krr;
pub mod peaks;
pub mod plimsoll;
pub mod unrecorded;
pub mod vpa;

use serde::{Deserialize, Serialize};

/// One hour, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// One day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// One reading of a container's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Memory in bytes.
    pub bytes: u64,
}

/// A kill for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OomKill {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The limit it died at, in bytes: it would have used more, nobody knows how much.
    pub limit_bytes: u64,
    /// The request it had, in bytes.
    pub request_bytes: u64,
}

/// What a policy says a container should get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// What to reserve, in bytes.
    pub request_bytes: u64,
    /// What to bound it with, in bytes.
    pub limit_bytes: u64,
}

impl Size {
    /// Request and limit the same.
    pub fn both(bytes: u64) -> Size {
        Size { request_bytes: bytes, limit_bytes: bytes }
    }
}

/// A rule that turns history into a size.
pub trait Policy {
    /// Takes a sample; never older than the one before.
    fn observe(&mut self, sample: Sample);

    /// Takes a kill; never older than what was taken before.
    fn oom(&mut self, kill: OomKill);

    /// The size from `at_ms` on, by what was taken up to then; `None` where it is too early to say.
    fn size(&mut self, at_ms: i64) -> Option<Size>;
}
