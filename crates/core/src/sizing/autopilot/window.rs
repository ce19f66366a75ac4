//! Autopilot's moving window: the 98th percentile of load-adjusted peaks that fade by half in 48 hours.
//!
//! The paper gives memory three statistics by how well a job bears being killed: the maximum (minimal tolerance), the 98th
//! percentile (low; the default of most large jobs) and max(60th percentile, half the maximum). Low is taken here.

use super::{FiveMinutes, buckets, held};
use crate::sizing::histogram::Histogram;
use crate::sizing::peaks::SlidingMax;
use crate::sizing::{HOUR_MS, OomKill, Policy, Sample, Size};

const HALF_LIFE_MS: i64 = 48 * HOUR_MS;
const SHARE: f64 = 0.98;
/// "a margin of 10 to 15 %, less for large limits": the paper has no formula, so it falls here from 15 % at 256 MiB to 10 %
/// at 8 GiB, by the logarithm.
const MARGIN: (f64, f64) = (0.15, 0.10);
const MARGIN_AT_LOG2: (f64, f64) = (28.0, 33.0);

/// See the module.
#[derive(Debug, Clone)]
pub struct AutopilotWindow {
    five_minutes: FiveMinutes,
    histogram: Histogram,
    held: SlidingMax,
}

impl Default for AutopilotWindow {
    fn default() -> Self {
        AutopilotWindow {
            five_minutes: FiveMinutes::default(),
            histogram: Histogram::new(buckets(), HALF_LIFE_MS),
            held: held(),
        }
    }
}

impl AutopilotWindow {
    /// S_pj of the paper: each bucket weighs by its bytes, so that it is load, not time, of which a share is covered.
    fn load_adjusted_percentile(&self) -> Option<f64> {
        let buckets = self.histogram.buckets();
        let loads = |(start, weight): (f64, f64)| start.max(1.0) * weight;
        let total: f64 = self.histogram.iter().map(loads).sum();
        let mut sum = 0.0;
        let bucket = self.histogram.iter().map(loads).position(|load| {
            sum += load;
            total > 0.0 && sum >= SHARE * total
        })?;
        Some(buckets.start((bucket + 1).min(buckets.count - 1)))
    }
}

fn margin(bytes: f64) -> f64 {
    let along = (bytes.log2() - MARGIN_AT_LOG2.0) / (MARGIN_AT_LOG2.1 - MARGIN_AT_LOG2.0);
    MARGIN.0 + (MARGIN.1 - MARGIN.0) * along.clamp(0.0, 1.0)
}

impl Policy for AutopilotWindow {
    fn observe(&mut self, sample: Sample) {
        if let Some((end_ms, peak)) = self.five_minutes.push(sample) {
            self.histogram.add(peak as f64, 1.0, end_ms);
            if let Some(bytes) = self.load_adjusted_percentile() {
                let bytes = (bytes * (1.0 + margin(bytes))) as u64;
                self.held.push(Sample { at_ms: end_ms, bytes });
            }
        }
    }

    /// The paper's window knows kills only as the peak that led to them: usage stops at the limit.
    fn oom(&mut self, kill: OomKill) {
        self.observe(Sample { at_ms: kill.at_ms, bytes: kill.limit_bytes });
    }

    fn size(&mut self, _at_ms: i64) -> Option<Size> {
        self.held.latest().map(|held| Size::both(held.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::MIB;

    #[test]
    fn covers_98_percent_of_the_load() {
        let check = |high_percent: i64, expect_mib: std::ops::RangeInclusive<u64>| {
            let mut window = AutopilotWindow::default();
            for minute in 0..60 * 48 {
                let is_high = minute / 5 % 100 < high_percent;
                window.observe(Sample {
                    at_ms: minute * 60_000,
                    bytes: if is_high { 1000 } else { 100 } * MIB,
                });
            }
            let mib = window.size(0).unwrap().limit_bytes / MIB;
            assert!(expect_mib.contains(&mib), "{high_percent} %: {mib} MiB");
        };
        // Flat: the end of its bucket and 15 %.
        check(0, 115..=120);
        // 1 % of the time at ten times the memory is 9 % of the load.
        check(1, 1120..=1180);
    }

    #[test]
    fn margins_fall_with_size() {
        assert_eq!((margin(1e6), margin((8u64 << 30) as f64)), (0.15, 0.10));
    }
}
