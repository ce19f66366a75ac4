//! Replays a history of builds through policies and counts what each would have cost.

use super::{JobPolicy, JobRun, cost};
use std::collections::HashMap;

/// A role is judged from this run on: before that, everybody guesses.
pub const JUDGED_FROM_RUN: usize = 6;

/// What a policy cost over a history.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// Runs judged.
    pub runs: u64,
    /// Of these, how many failed at first.
    pub first_failures: u64,
    /// See [`super::Cost`], in GiB-hours.
    pub waste_gib_hours: f64,
}

impl Score {
    /// First failures as a share of the runs, in [0, 1].
    pub fn failure_ratio(&self) -> f64 {
        self.first_failures as f64 / self.runs.max(1) as f64
    }
}

/// Asks before each run, in order, and tells afterwards.
pub fn replay(runs: &[JobRun], policy: &mut dyn JobPolicy) -> Score {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut score = Score::default();
    for run in runs {
        let number = seen.entry(&run.role).or_default();
        *number += 1;
        let limit_bytes =
            (*number >= JUDGED_FROM_RUN).then(|| policy.limit_bytes(&run.role, &run.attributes)).flatten();
        if let Some(limit_bytes) = limit_bytes {
            let cost = cost(run, limit_bytes);
            score.runs += 1;
            score.first_failures += u64::from(cost.failed);
            score.waste_gib_hours += cost.waste_byte_hours / crate::size::GIB as f64;
        }
        policy.learn(run, limit_bytes);
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::GIB;

    /// Gives each run what it was told before.
    struct Fixed(u64);

    impl JobPolicy for Fixed {
        fn limit_bytes(&mut self, _: &str, _: &[String]) -> Option<u64> {
            Some(self.0)
        }

        fn learn(&mut self, _: &JobRun, _: Option<u64>) {}
    }

    #[test]
    fn judged_from_the_sixth_run_of_a_role() {
        let run =
            |role: &str| JobRun { role: role.into(), attributes: vec![], peak_bytes: GIB, seconds: 3600.0 };
        let runs: Vec<JobRun> = ["a"; 7].into_iter().chain(["b"; 5]).map(run).collect();
        let score = replay(&runs, &mut Fixed(2 * GIB));
        assert_eq!(score, Score { runs: 2, first_failures: 0, waste_gib_hours: 2.0 });
        let score = replay(&runs, &mut Fixed(GIB / 2));
        assert_eq!((score.first_failures, score.waste_gib_hours, score.failure_ratio()), (2, 1.0, 1.0));
    }
}
