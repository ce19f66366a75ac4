//! What a backtest says, as it is written: `plimsoll.backtest/1`.

use super::series::Outcome;
use plimsoll_core::backtest::score::{Score, worst};
use serde::Serialize;

/// The name of this form.
pub(super) const SCHEMA: &str = "plimsoll.backtest/1";
/// Series named as the worst of a policy.
pub(super) const WORST: usize = 10;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct BacktestReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Where the history came from.
    pub source: String,
    /// History before the first decision, in seconds.
    pub train_seconds: f64,
    /// Time between decisions, in seconds.
    pub horizon_seconds: f64,
    /// Sizes follow use.
    pub closed_loop: bool,
    /// One entry a policy.
    pub policies: Vec<PolicyReport>,
}

/// What came of one policy.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PolicyReport {
    pub policy: &'static str,
    /// Series that were decided on.
    pub series: u64,
    pub decisions: u64,
    /// Decisions with any sample over the limit.
    pub windows_exceeded: u64,
    pub samples_exceeded: u64,
    pub samples: u64,
    /// Series with any sample over the limit.
    pub series_exceeded: u64,
    /// Mean over decisions of mean(1 - min(use, limit) / limit).
    pub slack: f64,
    /// The same of the least limits that are never passed.
    pub oracle_slack: f64,
    pub changes_per_day: f64,
    /// Exceeded windows a series and day.
    pub exceedances_per_day: f64,
    /// What a policy reckoned with, and what came; null for one that reckons no chances.
    pub calibration: Option<CalibrationReport>,
    /// The first decision of each series: what a policy does that knows little yet.
    pub cold_start: ColdStart,
    /// Mean of all limits together, in GiB.
    pub limit_gib: f64,
    /// Price of what is reserved in 30 days; null without a price.
    pub price_per_month: Option<f64>,
    /// The worst series, the worst first.
    pub worst: Vec<WorstSeries>,
}

/// Chances against what came.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CalibrationReport {
    /// Decisions whose chance was known.
    pub decisions: u64,
    /// Sum of the chances: exceeded windows that were expected.
    pub expected: f64,
    pub passed: u64,
}

/// First decisions.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ColdStart {
    pub decisions: u64,
    pub windows_exceeded: u64,
    pub slack: f64,
}

/// A series for which a policy did badly.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WorstSeries {
    pub series_id: String,
    pub windows_exceeded: u64,
    pub samples_exceeded: u64,
    pub slack: f64,
}

const HOURS_PER_MONTH: f64 = 30.0 * 24.0;

impl PolicyReport {
    /// From the scores of all series.
    pub fn new(outcome: &Outcome, gib_hour_price: Option<f64>) -> PolicyReport {
        let scores = &outcome.scores;
        let mut total = Score::default();
        scores.iter().for_each(|(_, score)| total.add(score));
        let limit_gib = scores
            .iter()
            .filter(|(_, score)| score.days > 0.0)
            .map(|(_, score)| score.limit_gib_days / score.days)
            .sum::<f64>();
        let worst = worst(scores, WORST).into_iter().map(|index| {
            let (series_id, score) = &scores[index];
            WorstSeries {
                series_id: series_id.clone(),
                windows_exceeded: score.windows_exceeded,
                samples_exceeded: score.samples_exceeded,
                slack: score.slack(),
            }
        });
        PolicyReport {
            policy: outcome.policy.name(),
            series: total.series,
            decisions: total.decisions,
            windows_exceeded: total.windows_exceeded,
            samples_exceeded: total.samples_exceeded,
            samples: total.samples,
            series_exceeded: total.series_exceeded,
            slack: total.slack(),
            oracle_slack: total.oracle_slack(),
            changes_per_day: total.changes_per_day(),
            exceedances_per_day: total.exceedances_per_day(),
            calibration: outcome.calibration.map(|calibration| CalibrationReport {
                decisions: calibration.decisions,
                expected: calibration.expected,
                passed: calibration.passed,
            }),
            cold_start: ColdStart {
                decisions: total.first.decisions,
                windows_exceeded: total.first.windows_exceeded,
                slack: total.first.slack_sum / total.first.decisions.max(1) as f64,
            },
            limit_gib,
            price_per_month: gib_hour_price.map(|price| price * limit_gib * HOURS_PER_MONTH),
            worst: worst.collect(),
        }
    }
}

/// One policy for builds.
#[derive(Debug, Serialize)]
pub(super) struct JobsReport {
    pub policy: &'static str,
    pub runs: u64,
    pub first_failures: u64,
    pub waste_gib_hours: f64,
    /// For people; programs divide.
    #[serde(skip)]
    pub failure_ratio: f64,
}
