//! Observations: what an app was seen to use while so many used it, checked before anything is learned from them.

use super::super::roles::Counts;
use serde::{Deserialize, Serialize};

/// Most observations that are handed over at once.
pub const BATCH_MAX: usize = 10_000;
/// Longest name of a pod or a version, in bytes.
const NAME_BYTES_MAX: usize = 253;
/// 1 PiB: no process uses more.
const MEMORY_BYTES_MAX: u64 = 1 << 50;
/// Years 1970 to 2270.
const AT_MS_MAX: i64 = 300 * 366 * 86_400_000;
/// A hundred years.
const UPTIME_MS_MAX: u64 = 100 * 366 * 86_400_000;
/// More connections than a kernel has files.
const CONNECTIONS_MAX: u64 = 100_000_000;

/// What one pod was seen to use at one moment. What could not be read is absent, never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Which pod.
    pub pod: String,
    /// Version of the app that ran in it.
    pub version: String,
    /// Resident memory of its process, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Who used it.
    pub counts: Counts,
    /// How long its process had run, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_ms: Option<u64>,
    /// Connections it held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
}

/// Observations that make sense, in the order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch(Vec<Observation>);

/// Why a batch is refused: all of it, so that nothing of it is half known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// More than [`BATCH_MAX`].
    #[error("{count} observations at once\nsend up to {BATCH_MAX} in one batch")]
    TooMany {
        /// How many there were.
        count: usize,
    },
    /// One of them makes no sense.
    #[error(
        "observations[{index}].{field}: {reason}\nleave out what could not be read, and send the rest again"
    )]
    Nonsense {
        /// Which one, from 0.
        index: usize,
        /// Which field of it.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Batch {
    /// Up to [`BATCH_MAX`] observations, each pod's in the order of time.
    pub fn new(observations: Vec<Observation>) -> Result<Batch, BatchError> {
        if observations.len() > BATCH_MAX {
            return Err(BatchError::TooMany { count: observations.len() });
        }
        let mut last: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
        for (index, observation) in observations.iter().enumerate() {
            let nonsense = |(field, reason)| BatchError::Nonsense { index, field, reason };
            observation.check().map_err(nonsense)?;
            if let Some(before_ms) = last.insert(&observation.pod, observation.at_ms)
                && before_ms >= observation.at_ms
            {
                let reason =
                    format!("{} is not after {before_ms}, the one before of its pod", observation.at_ms);
                return Err(nonsense(("at_ms", reason)));
            }
        }
        let mut observations = observations;
        observations.sort_by(|one, other| (one.at_ms, &one.pod).cmp(&(other.at_ms, &other.pod)));
        Ok(Batch(observations))
    }

    /// The observations.
    pub fn into_inner(self) -> Vec<Observation> {
        self.0
    }
}

impl Observation {
    /// `Err` with the field that makes no sense and the reason.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let within = |field, value: Option<u64>, most: u64| match value {
            Some(value) if value > most => Err((field, format!("{value} is more than {most}"))),
            _ => Ok(()),
        };
        if !(0..=AT_MS_MAX).contains(&self.at_ms) {
            return Err(("at_ms", format!("{} is not between 1970 and 2270", self.at_ms)));
        }
        for (field, name) in [("pod", &self.pod), ("version", &self.version)] {
            if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
                return Err((field, format!("no name of 1 to {NAME_BYTES_MAX} bytes")));
            }
        }
        if self.memory_bytes == Some(0) {
            return Err(("memory_bytes", "0: no process uses nothing".to_string()));
        }
        within("memory_bytes", self.memory_bytes, MEMORY_BYTES_MAX)?;
        within("uptime_ms", self.uptime_ms, UPTIME_MS_MAX)?;
        within("connections", self.connections, CONNECTIONS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_by_name() {
        let good = |at_ms: i64| Observation {
            at_ms,
            pod: "backend-0".to_string(),
            version: "1.2".to_string(),
            memory_bytes: Some(1 << 28),
            counts: Counts::default(),
            uptime_ms: None,
            connections: None,
        };
        assert_eq!(Batch::new(vec![good(1), good(2)]).unwrap().into_inner().len(), 2);
        let check = |change: &dyn Fn(&mut Observation), expect: &str| {
            let mut bad = good(2);
            change(&mut bad);
            let error = Batch::new(vec![good(1), bad]).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        };
        check(&|bad| bad.at_ms = -1, "observations[1].at_ms: -1 is not between");
        check(&|bad| bad.at_ms = 1, "observations[1].at_ms: 1 is not after 1");
        check(&|bad| bad.pod.clear(), "observations[1].pod: no name");
        check(&|bad| bad.version = "v\n".to_string(), "observations[1].version: no name");
        check(&|bad| bad.memory_bytes = Some(0), "observations[1].memory_bytes: 0");
        check(
            &|bad| bad.memory_bytes = Some(u64::MAX),
            "observations[1].memory_bytes: 18446744073709551615 is",
        );
        check(&|bad| bad.uptime_ms = Some(u64::MAX), "observations[1].uptime_ms");
        check(&|bad| bad.connections = Some(u64::MAX), "observations[1].connections");
        let many: Vec<Observation> = (0..10_001).map(good).collect();
        assert!(matches!(Batch::new(many), Err(BatchError::TooMany { count: 10_001 })));
    }
}
