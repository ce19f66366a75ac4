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
    /// First decisions of series: what a policy does that knows little yet.
    pub first: First,
}

/// The first decision of each series.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct First {
    /// How many there are.
    pub decisions: u64,
    /// Of these, exceeded.
    pub windows_exceeded: u64,
    /// Sum of their slack.
    pub slack_sum: f64,
}

/// A limit that moves by less is the same one.
const CHANGE_SHARE: f64 = 0.01;

impl Score {
    /// Of one series, for which a size was decided on for a window each.
    pub fn of(series: &Series, decisions: &[Decision]) -> Score {
        let mut score = Score::default();
        let is_judged = |decision: &&Decision| {
            score.add_window(series, (decision.from_ms, decision.to_ms), &[**decision])
        };
        let judged: Vec<Decision> = decisions.iter().filter(is_judged).copied().collect();
        score.finished(&judged)
    }

    /// Of limits that change within windows, in stretches that are in the order of time: windows are judged as those of other
    /// policies are.
    pub fn of_stretches(
        series: &Series,
        windows: impl Iterator<Item = (i64, i64)>,
        stretches: &[Decision],
    ) -> Score {
        let mut score = Score::default();
        for (from_ms, to_ms) in windows {
            let start = stretches.partition_point(|stretch| stretch.to_ms <= from_ms);
            let within = stretches[start..].iter().take_while(|stretch| stretch.from_ms < to_ms);
            let cut = |stretch: &Decision| Decision {
                from_ms: stretch.from_ms.max(from_ms),
                to_ms: stretch.to_ms.min(to_ms),
                limit_bytes: stretch.limit_bytes,
            };
            score.add_window(series, (from_ms, to_ms), &within.map(cut).collect::<Vec<_>>());
        }
        score.finished(stretches)
    }

    /// Judges a window; one in which nothing was read or used has nothing to say.
    fn add_window(&mut self, series: &Series, (from_ms, to_ms): (i64, i64), stretches: &[Decision]) -> bool {
        let window = within(&series.samples, from_ms, to_ms);
        let highest = window.iter().map(|sample| sample.bytes).max().unwrap_or(0);
        if highest == 0 {
            return false;
        }
        let (mut slack, mut over) = (0.0, 0);
        for stretch in stretches {
            let limit = stretch.limit_bytes.max(1) as f64;
            for sample in within(window, stretch.from_ms, stretch.to_ms) {
                slack += 1.0 - (sample.bytes as f64).min(limit) / limit;
                over += u64::from(sample.bytes > stretch.limit_bytes);
            }
            self.limit_gib_days +=
                limit * (stretch.to_ms - stretch.from_ms) as f64 / DAY_MS as f64 / GIB as f64;
        }
        let count = window.len() as f64;
        slack /= count;
        if self.decisions == 0 {
            self.first = First { decisions: 1, windows_exceeded: u64::from(over > 0), slack_sum: slack };
        }
        self.decisions += 1;
        self.samples += window.len() as u64;
        self.samples_exceeded += over;
        self.windows_exceeded += u64::from(over > 0);
        self.slack_sum += slack;
        let used: f64 = window.iter().map(|sample| sample.bytes as f64).sum();
        self.oracle_slack_sum += 1.0 - used / count / highest as f64;
        self.days += (to_ms - from_ms) as f64 / DAY_MS as f64;
        true
    }

    fn finished(mut self, limits: &[Decision]) -> Score {
        let is_change = |pair: &&[Decision]| {
            let [before, after] = [pair[0], pair[1]].map(|decision| decision.limit_bytes.max(1) as f64);
            (after / before - 1.0).abs() > CHANGE_SHARE
        };
        self.changes = limits.windows(2).filter(is_change).count() as u64;
        self.series = u64::from(self.decisions > 0);
        self.series_exceeded = u64::from(self.samples_exceeded > 0);
        self
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
        self.first.decisions += other.first.decisions;
        self.first.windows_exceeded += other.first.windows_exceeded;
        self.first.slack_sum += other.first.slack_sum;
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

/// How often limits were passed whose chance was reckoned: what makes a chance one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calibration {
    /// Decisions with a chance.
    pub decisions: u64,
    /// Sum of the chances.
    pub expected: f64,
    /// How many were passed.
    pub passed: u64,
}

impl Calibration {
    /// Of one series.
    pub fn of(series: &Series, decisions: &[Decision], chances: &[Option<f64>]) -> Calibration {
        let mut calibration = Calibration::default();
        for (decision, chance) in decisions.iter().zip(chances) {
            let window = within(&series.samples, decision.from_ms, decision.to_ms);
            let highest = window.iter().map(|sample| sample.bytes).max().unwrap_or(0);
            if let Some(chance) = chance.filter(|_| highest > 0) {
                calibration.decisions += 1;
                calibration.expected += chance;
                calibration.passed += u64::from(highest > decision.limit_bytes);
            }
        }
        calibration
    }

    /// Adds another.
    pub fn add(&mut self, other: &Calibration) {
        self.decisions += other.decisions;
        self.expected += other.expected;
        self.passed += other.passed;
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
        Series { id: "a".into(), samples: samples.collect(), oom_kills: Vec::new(), limit_bytes: None }
    }

    #[test]
    fn chances_are_held_against_what_came() {
        let decision = |from: i64, limit_bytes| Decision {
            from_ms: from * HOUR_MS,
            to_ms: (from + 2) * HOUR_MS,
            limit_bytes,
        };
        let series = series(&[50, 100, 50, 150, 0, 0]);
        let decisions = [decision(0, 100), decision(2, 100), decision(4, 100)];
        let calibration = Calibration::of(&series, &decisions, &[None, Some(0.25), Some(0.5)]);
        assert_eq!(calibration, Calibration { decisions: 1, expected: 0.25, passed: 1 });
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
