//! The rule of the Vertical Pod Autoscaler: the 90th percentile of daily peaks, which fade by half a day, and 15 %.
//!
//! Source: kubernetes/autoscaler, `vertical-pod-autoscaler/pkg/recommender/`: `model/container.go` (one peak per 24 h, out-of-memory
//! samples), `model/aggregations_config.go` (half-life 24 h), `logic/recommender.go` (margin, floor), `config/config.go` (p90).
//! It recommends requests only; a limit keeps its ratio to the request, here 1. That it agrees with the real recommender, bucket
//! by bucket, is tested in `dev/real/tests/vpa`.
//!
//! What it is not: the recommender takes the peaks of all pods with the same labels together, where each series is by itself here, and
//! its updater lets a pod be until its request is out of bounds, or 10 % off and the pod twelve hours old.

use super::histogram::{Buckets, Histogram};
use super::{DAY_MS, OomKill, Policy, Sample, Size};
use crate::size::MIB;

/// First bucket of 10 MB, each 5 % wider, up to 1 TB.
pub fn buckets() -> Buckets {
    Buckets::up_to(1e7, 1.05, 1e12)
}

const HALF_LIFE_MS: i64 = DAY_MS;
const TARGET_SHARE: f64 = 0.9;
const MARGIN_SHARE: f64 = 0.15;
const OOM_RATIO: f64 = 1.2;
const OOM_BYTES_MIN: u64 = 100 * MIB;
/// Its floor for a pod, shared by the containers of it, in bytes.
pub const POD_FLOOR_BYTES: u64 = 250 * MIB;

/// See the module.
#[derive(Debug, Clone)]
pub struct Vpa {
    floor_bytes: u64,
    histogram: Histogram,
    window_end_ms: Option<i64>,
    /// Highest of the day, and highest of the day's kills, in bytes.
    memory_peak: u64,
    oom_peak: u64,
}

impl Vpa {
    /// With this floor in bytes: [`POD_FLOOR_BYTES`] by the number of containers in the pod.
    pub fn new(floor_bytes: u64) -> Vpa {
        Vpa {
            floor_bytes,
            histogram: Histogram::new(buckets(), HALF_LIFE_MS),
            window_end_ms: None,
            memory_peak: 0,
            oom_peak: 0,
        }
    }

    /// The daily peaks, by which it sizes.
    pub fn peaks(&self) -> &Histogram {
        &self.histogram
    }

    /// The peak that this share of the weight is below, and the margin, in bytes and without the floor: its target is at 0.9, its
    /// bounds are at 0.5 and 0.95 before they are widened by how short the history is.
    pub fn with_margin(&self, share: f64) -> Option<u64> {
        let peak = self.histogram.percentile_end(share)? as u64;
        Some(peak + (peak as f64 * MARGIN_SHARE) as u64)
    }

    fn take(&mut self, at_ms: i64, bytes: u64, is_oom: bool) {
        let window_end_ms = self.window_end_ms.unwrap_or(at_ms);
        let peak = self.memory_peak.max(self.oom_peak);
        let (window_end_ms, is_new_peak) = if at_ms < window_end_ms {
            let beats = peak != 0 && bytes > peak;
            if beats {
                self.histogram.subtract(peak as f64, 1.0, window_end_ms);
            }
            (window_end_ms, beats)
        } else {
            self.memory_peak = 0;
            self.oom_peak = 0;
            (window_end_ms + (at_ms - window_end_ms) / DAY_MS * DAY_MS + DAY_MS, true)
        };
        self.window_end_ms = Some(window_end_ms);
        if is_new_peak {
            self.histogram.add(bytes as f64, 1.0, window_end_ms);
            *(if is_oom { &mut self.oom_peak } else { &mut self.memory_peak }) = bytes;
        }
    }
}

impl Policy for Vpa {
    fn observe(&mut self, sample: Sample) {
        self.take(sample.at_ms, sample.bytes, false);
    }

    /// A kill counts as a use of a fifth more than the request or the day's highest, 100 MiB at least.
    fn oom(&mut self, kill: OomKill) {
        let used = kill.request_bytes.max(self.memory_peak);
        let bytes = (used + OOM_BYTES_MIN).max((used as f64 * OOM_RATIO) as u64);
        self.take(kill.at_ms, bytes, true);
    }

    fn size(&mut self, _at_ms: i64) -> Option<Size> {
        Some(Size::both(self.with_margin(TARGET_SHARE)?.max(self.floor_bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::HOUR_MS;

    /// The published figures are rounded.
    fn target_mib(vpa: &mut Vpa) -> u64 {
        (vpa.size(0).unwrap().limit_bytes + MIB / 2) / MIB
    }

    /// Measured by driving the real recommender (v1.2.2) with 500 MiB and one daily peak of 2000 MiB.
    #[test]
    fn forgets_a_peak_after_three_days() {
        let mut vpa = Vpa::new(POD_FLOOR_BYTES);
        let mut targets = Vec::new();
        for hour in 0..24 * 22 {
            let is_peak = hour == 24 * 14 + 12;
            vpa.observe(Sample { at_ms: hour * HOUR_MS, bytes: if is_peak { 2000 } else { 500 } * MIB });
            if hour >= 24 * 14 && hour % 24 == 23 {
                targets.push(target_mib(&mut vpa));
            }
        }
        assert_eq!(targets, [2422, 2422, 2422, 600, 600, 600, 600, 600]);
    }

    /// Likewise: request 512 MiB, killed: 729 MiB, however often on that day; and three days later it is forgotten.
    #[test]
    fn a_kill_raises_it_once_a_day() {
        let mut vpa = Vpa::new(0);
        for hour in 0..24 * 14 {
            vpa.observe(Sample { at_ms: hour * HOUR_MS, bytes: 400 * MIB });
        }
        let kill =
            |hour: i64| OomKill { at_ms: hour * HOUR_MS, limit_bytes: 512 * MIB, request_bytes: 512 * MIB };
        vpa.oom(kill(24 * 14));
        assert_eq!(target_mib(&mut vpa), 729);
        vpa.oom(kill(24 * 14 + 1));
        assert_eq!(target_mib(&mut vpa), 729);
        for hour in 24 * 14 + 2..24 * 18 {
            vpa.observe(Sample { at_ms: hour * HOUR_MS, bytes: 400 * MIB });
        }
        assert_eq!(target_mib(&mut vpa), 488);
    }

    /// Constant use: small containers are over-sized by the first buckets.
    #[test]
    fn small_containers_are_over_sized() {
        let check = |mib: u64, expect_percent: std::ops::RangeInclusive<u64>| {
            let mut vpa = Vpa::new(0);
            (0..24 * 14).for_each(|hour| vpa.observe(Sample { at_ms: hour * HOUR_MS, bytes: mib * MIB }));
            let percent =
                (vpa.size(0).unwrap().limit_bytes as f64 / (mib * MIB) as f64 * 100.0 - 100.0).round() as u64;
            assert!(expect_percent.contains(&percent), "{mib} MiB: +{percent} %");
        };
        check(5, 119..=119);
        check(11, 104..=104);
        check(21, 65..=65);
        check(50, 18..=23);
        check(32 * 1024, 17..=23);
    }
}
