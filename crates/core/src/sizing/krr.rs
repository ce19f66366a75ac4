//! The rule of Robusta KRR's `simple` strategy: the highest sample of 14 days and 15 %.
//!
//! Source: robusta-dev/krr, `robusta_krr/strategies/simple.py` and `core/models/config.py` (July 2026): history of 336 h,
//! buffer 15 %, at least 100 points, rounded up to 1 MiB, at least 100 MiB; with `--use_oomkill_data` no less than the
//! limit of a killed container and 25 %.

use super::peaks::SlidingMax;
use super::{DAY_MS, OomKill, Policy, Sample, Size};
use crate::size::MIB;

const WINDOW_MS: i64 = 14 * DAY_MS;
const MARGIN_PERCENT: u64 = 15;
const OOM_MARGIN_PERCENT: u64 = 25;
/// Its floor, in bytes.
pub const FLOOR_BYTES: u64 = 100 * MIB;

/// See the module.
#[derive(Debug, Clone)]
pub struct Krr {
    floor_bytes: u64,
    highest: SlidingMax,
    killed_limits: SlidingMax,
}

impl Krr {
    /// With this floor in bytes, usually [`FLOOR_BYTES`].
    pub fn new(floor_bytes: u64) -> Krr {
        Krr { floor_bytes, highest: SlidingMax::new(WINDOW_MS), killed_limits: SlidingMax::new(WINDOW_MS) }
    }
}

fn with_margin(bytes: u64, percent: u64) -> u64 {
    (u128::from(bytes) * u128::from(100 + percent) / 100).min(u128::from(u64::MAX)) as u64
}

impl Policy for Krr {
    fn observe(&mut self, sample: Sample) {
        self.highest.push(sample);
    }

    fn oom(&mut self, kill: OomKill) {
        self.killed_limits.push(Sample { at_ms: kill.at_ms, bytes: kill.limit_bytes });
    }

    fn size(&mut self, at_ms: i64) -> Option<Size> {
        let highest = self.highest.max(at_ms)?.bytes;
        let killed =
            self.killed_limits.max(at_ms).map_or(0, |kill| with_margin(kill.bytes, OOM_MARGIN_PERCENT));
        let bytes = with_margin(highest, MARGIN_PERCENT).max(killed);
        Some(Size::both(bytes.next_multiple_of(MIB).max(self.floor_bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of the real class, driven beside this one.
    #[test]
    fn as_published() {
        let check = |samples_mib: &[(i64, u64)],
                     oom_limit_mib: Option<u64>,
                     at_day: i64,
                     expect_mib: Option<u64>| {
            let mut krr = Krr::new(FLOOR_BYTES);
            for (day, mib) in samples_mib {
                krr.observe(Sample { at_ms: day * DAY_MS, bytes: mib * MIB });
            }
            if let Some(mib) = oom_limit_mib {
                krr.oom(OomKill { at_ms: at_day * DAY_MS, limit_bytes: mib * MIB, request_bytes: mib * MIB });
            }
            let size = krr.size(at_day * DAY_MS);
            assert_eq!(size.map(|size| size.limit_bytes / MIB), expect_mib, "{samples_mib:?}");
        };
        check(&[(0, 500), (7, 2000), (8, 500)], None, 10, Some(2300));
        check(&[(0, 400)], Some(512), 1, Some(640));
        check(&[(0, 10)], None, 1, Some(100));
        // Forgotten at once when 14 days are over.
        check(&[(0, 2000), (1, 500)], None, 14, Some(575));
        check(&[], None, 1, None);
    }
}
