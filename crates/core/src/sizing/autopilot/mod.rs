//! The two rules of Google's Autopilot: a moving window, and a choice among many small models.
//!
//! Source: Rzadca et al., "Autopilot: workload autoscaling at Google scale", EuroSys'20, sections 3.2 to 3.4. Both see one
//! value for five minutes, the peak. What the paper leaves open is chosen here and said where it stands.

pub mod ml;
pub mod window;

use super::histogram::Buckets;
use super::peaks::SlidingMax;
use super::{HOUR_MS, Sample};

/// Memory keeps only the peak of so much time, in milliseconds.
const WINDOW_MS: i64 = 5 * 60_000;
/// "the recommended limit is the maximum over the last hour".
const HELD_MS: i64 = HOUR_MS;
/// "around 400 buckets": from 1 MiB to 1 TiB in steps of 3.5 %. The paper does not say where they lie.
fn buckets() -> Buckets {
    Buckets { first: 1_048_576.0 * 0.035, ratio: 1.035, count: 402 }
}

/// Peaks of five minutes.
#[derive(Debug, Clone, Default)]
struct FiveMinutes {
    /// Number of the window, and its peak in bytes.
    open: Option<(i64, u64)>,
}

impl FiveMinutes {
    /// Takes a sample; gives the end in milliseconds and the peak in bytes of the window that it closes.
    fn push(&mut self, sample: Sample) -> Option<(i64, u64)> {
        let window = sample.at_ms.div_euclid(WINDOW_MS);
        match &mut self.open {
            Some((open, peak)) if *open == window => {
                *peak = (*peak).max(sample.bytes);
                None
            }
            _ => self
                .open
                .replace((window, sample.bytes))
                .map(|(closed, peak)| ((closed + 1) * WINDOW_MS, peak)),
        }
    }
}

/// The highest recommendation of the last hour, of none yet.
fn held() -> SlidingMax {
    SlidingMax::new(HELD_MS)
}
