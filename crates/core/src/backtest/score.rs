//! Scores: what came of decisions.

use super::{Decision, Series, within};
use crate::size::GIB;
use crate::sizing::DAY_MS;
use std::collections::BTreeSet;

/// What came of the decisions of one policy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// Series that were decided on.
    pub series: u64,
    /// Decisions.
    pub decisions: u64,
    /// Decisions with any sample over the limit.
    pub windows_exceeded: u64,
    /// Samples over the limit.
    pub samples_exceeded: u64,
    /// Samples judged.
    pub samples: u64,
    /// Series with any sample over the limit.
    pub series_exceeded: u64,
    /// Sum over decisions of mean(1 - min(use, limit) / limit).
    pub slack_sum: f64,
    /// The same of a limit that is the window's highest.
    pub oracle_slack_sum: f64,
    /// How often a limit differed from the one before by more than 1 %.
    pub changes: u64,
    /// Time judged, in days.
    pub days: f64,
    /// Reserved, in GiB-days.
    pub limit_gib_days: f64,
}

/// A limit that moves by less is the same one.
const CHANGE_SHARE: f64 = 0.01;

impl Score {
    /// Of one series.
    pub fn of(series: &Series, decisions: &[Decision]) -> Score {
        let mut score = Score::default();
        let mut last_limit: Option<f64> = None;
        for decision in decisions {
            let window = within(&series.samples, decision.from_ms, decision.to_ms);
            let highest = window.iter().map(|sample| sample.bytes).max().unwrap_or(0);
            // A window in which nothing was read or used has nothing to say.
            if highest == 0 {
                continue;
            }
            let limit = decision.limit_bytes.max(1) as f64;
            let mean = |of: &dyn Fn(f64) -> f64| {
                window.iter().map(|sample| of(sample.bytes as f64)).sum::<f64>() / window.len() as f64
            };
            let over = window.iter().filter(|sample| sample.bytes > decision.limit_bytes).count() as u64;
            let days = (decision.to_ms - decision.from_ms) as f64 / DAY_MS as f64;
            score.decisions += 1;
            score.samples += window.len() as u64;
            score.samples_exceeded += over;
            score.windows_exceeded += u64::from(over > 0);
            score.slack_sum += mean(&|used| 1.0 - used.min(limit) / limit);
            score.oracle_slack_sum += mean(&|used| 1.0 - used / highest as f64);
            score.changes +=
                u64::from(last_limit.is_some_and(|last| (limit / last - 1.0).abs() > CHANGE_SHARE));
            score.days += days;
            score.limit_gib_days += limit * days / GIB as f64;
            last_limit = Some(limit);
        }
        score.series = u64::from(score.decisions > 0);
        score.series_exceeded = u64::from(score.samples_exceeded > 0);
        score
    }

    /// Adds another.
    pub fn add(&mut self, other: &Score) {
        self.series += other.series;
        self.decisions += other.decisions;
        self.windows_exceeded += other.windows_exceeded;
        self.samples_exceeded += other.samples_exceeded;
        self.samples += other.samples;
        self.series_exceeded += other.series_exceeded;
        self.slack_sum += other.slack_sum;
        self.oracle_slack_sum += other.oracle_slack_sum;
        self.changes += other.changes;
        self.days += other.days;
        self.limit_gib_days += other.limit_gib_days;
    }

    /// Mean over decisions of mean(1 - min(use, limit) / limit).
    pub fn slack(&self) -> f64 {
        self.slack_sum / self.decisions.max(1) as f64
    }

    /// The same of the oracle.
    pub fn oracle_slack(&self) -> f64 {
        self.oracle_slack_sum / self.decisions.max(1) as f64
    }

    /// Changes a day and series.
    pub fn changes_per_day(&self) -> f64 {
        if self.days > 0.0 { self.changes as f64 / self.days } else { 0.0 }
    }

    /// Exceeded windows per day and series: what would have been out-of-memory kills.
    pub fn exceedances_per_day(&self) -> f64 {
        if self.days > 0.0 { self.windows_exceeded as f64 / self.days } else { 0.0 }
    }
}

/// The series with the most exceeded windows, and among these the most slack: at most `count`, the worst first.
pub fn worst(scores: &[(String, Score)], count: usize) -> Vec<usize> {
    let keys: BTreeSet<(std::cmp::Reverse<u64>, std::cmp::Reverse<u64>, usize)> = scores
        .iter()
        .enumerate()
        .map(|(index, (_, score))| {
            let slack_ppm = (score.slack().max(0.0) * 1e6) as u64;
            (std::cmp::Reverse(score.windows_exceeded), std::cmp::Reverse(slack_ppm), index)
        })
        .collect();
    keys.into_iter().take(count).map(|(_, _, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::{HOUR_MS, Sample};

    fn series(bytes: &[u64]) -> Series {
        let samples = bytes
            .iter()
            .enumerate()
            .map(|(hour, bytes)| Sample { at_ms: hour as i64 * HOUR_MS, bytes: *bytes });
        Series { id: "a".into(), samples: samples.collect(), oom_kills: Vec::new() }
    }

    #[test]
    fn counted_as_the_contract_says() {
        let decision = |from: i64, limit_bytes| Decision {
            from_ms: from * HOUR_MS,
            to_ms: (from + 2) * HOUR_MS,
            limit_bytes,
        };
        let series = series(&[50, 100, 50, 150, 0, 0]);
        let score = Score::of(&series, &[decision(0, 100), decision(2, 100), decision(4, 100)]);
        assert_eq!(
            (score.decisions, score.windows_exceeded, score.samples_exceeded, score.series_exceeded),
            (2, 1, 1, 1)
        );
        // (1/2 + 0) / 2 and (1/2 + 0) / 2; the oracle's (1/2 + 0) / 2 and (2/3 + 0) / 2.
        assert_eq!((score.slack(), score.changes), (0.25, 0));
        assert!((score.oracle_slack() - (0.25 + 1.0 / 3.0) / 2.0).abs() < 1e-12);
    }
}
