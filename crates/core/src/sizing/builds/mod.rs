//! Sizes for builds: one number before each run, told afterwards what the run took.
//!
//! A run that needs more than it got fails and is tried again with twice as much, which is what people do and what it is
//! charged for here.

pub mod newsvendor;
pub mod peers;
pub mod replay;

/// A run that has passed.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRun {
    /// What was built: runs of a role resemble each other.
    pub role: String,
    /// What else is known before it starts, such as architecture and compiler; as many and in the same order in each run.
    pub attributes: Vec<String>,
    /// Highest memory in bytes.
    pub peak_bytes: u64,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// A rule that gives each run a limit.
pub trait JobPolicy {
    /// Limit in bytes for a run of this role with these attributes; `None` where nothing is known of the role.
    fn limit_bytes(&mut self, role: &str, attributes: &[String]) -> Option<u64>;

    /// Takes what the run took. `limit_bytes`: what it was given, where it was given something.
    fn learn(&mut self, run: &JobRun, limit_bytes: Option<u64>);
}

/// What a run costs that was given this limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Memory reserved and not needed, times hours: all of the attempts that failed, the unused part of the one that passed.
    pub waste_byte_hours: f64,
    /// Its first attempt failed.
    pub failed: bool,
}

/// Charges a run; each failed attempt is followed by one with twice the limit.
pub fn cost(run: &JobRun, limit_bytes: u64) -> Cost {
    let (peak, hours) = (run.peak_bytes as f64, run.seconds / 3600.0);
    let mut limit = limit_bytes.max(1) as f64;
    let mut waste_byte_hours = 0.0;
    let failed = peak > limit;
    while peak > limit {
        waste_byte_hours += limit * hours;
        limit *= 2.0;
    }
    Cost { waste_byte_hours: waste_byte_hours + (limit - peak) * hours, failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failed_attempt_is_charged_in_full() {
        let run = JobRun { role: "a".into(), attributes: vec![], peak_bytes: 1000, seconds: 7200.0 };
        let check = |limit, waste_byte_hours, failed| {
            assert_eq!(cost(&run, limit), Cost { waste_byte_hours, failed }, "{limit}");
        };
        check(1000, 0.0, false);
        check(1500, 1000.0, false);
        check(600, 1200.0 + 400.0, true);
        check(300, 600.0 + 1200.0 + 400.0, true);
    }
}
