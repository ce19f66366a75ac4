//! Steady growth: whether something is higher than in the period before, beyond noise, daily rhythm and wild points.
//!
//! Each period is cut into seven parts, which are days where it is a week, and each part is held against the same part of the
//! period before: a Monday against a Monday. The rise is the middle of these differences; all but one have to go up.

use super::seen::Period;
use crate::size::MIB;
use crate::sizing::{DAY_MS, Sample};
use crate::trend::trend;

/// Parts of a period.
const PARTS: usize = 7;
/// Parts that must be known on both sides.
const PAIRS_MIN: usize = 4;
/// From so many pairs on, one may go down: a wild day is no trend, and hides none.
const PAIRS_FORGIVING: usize = 6;
/// A smaller rise is none, in bytes: the least that a container requests by default.
pub(super) const RISE_BYTES_MIN: u64 = 32 * MIB;
/// A smaller rise is none, as a share of what was held before.
pub(super) const RISE_SHARE_MIN: f64 = 0.1;

/// A rise has to be so many times the middle distance of the differences from it: days that differ as much by themselves are noise.
const SPREADS_MIN: f64 = 2.0;

/// How much something has grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grown {
    /// In the middle of the period before, in bytes.
    pub before_bytes: u64,
    /// In the middle of this one.
    pub now_bytes: u64,
    /// By how much it rises in a day, over both periods.
    pub bytes_per_day: f64,
    /// Parts that are higher than the same part before, and of how many.
    pub up: (usize, usize),
}

/// Whether a rise is large enough to be told.
pub(super) fn is_rise(before: f64, rise: f64) -> bool {
    rise >= RISE_BYTES_MIN as f64 && rise >= before * RISE_SHARE_MIN
}

/// How these samples have grown; `None` where they have not, or where too little is known to tell.
pub(super) fn grown(samples: impl Iterator<Item = Sample>, period: Period) -> Option<Grown> {
    let parts = parts(samples, period);
    let (before, now) = parts.split_at(PARTS);
    let pairs: Vec<(f64, f64)> = before.iter().zip(now).filter_map(|(one, other)| one.zip(*other)).collect();
    let up = pairs.iter().filter(|(before, now)| now > before).count();
    let down_max = usize::from(pairs.len() >= PAIRS_FORGIVING);
    if pairs.len() < PAIRS_MIN || up + down_max < pairs.len() {
        return None;
    }
    let before_bytes = middle(pairs.iter().map(|pair| pair.0).collect())?;
    let rises: Vec<f64> = pairs.iter().map(|(before, now)| now - before).collect();
    let rise = middle(rises.clone())?;
    let spread = middle(rises.iter().map(|one| (one - rise).abs()).collect())?;
    if !is_rise(before_bytes, rise) || rise < spread * SPREADS_MIN {
        return None;
    }
    let period_days = period.length_ms() as f64 / DAY_MS as f64;
    let known = parts.iter().enumerate();
    let known =
        known.filter_map(|(index, value)| Some((index as f64 * period_days / PARTS as f64, (*value)?)));
    let slope = trend(&known.collect::<Vec<_>>())?.slope;
    Some(Grown {
        before_bytes: before_bytes as u64,
        now_bytes: middle(pairs.iter().map(|pair| pair.1).collect())? as u64,
        // Where the rhythm of a week hides the slope, it is the rise from one period to the next.
        bytes_per_day: if slope > 0.0 { slope } else { rise / period_days },
        up: (up, pairs.len()),
    })
}

/// The middle of each part of the period before, and of this one.
fn parts(samples: impl Iterator<Item = Sample>, period: Period) -> Vec<Option<f64>> {
    let from_ms = period.before().from_ms;
    let mut hours = vec![Vec::new(); 2 * PARTS];
    for sample in samples {
        let part = (sample.at_ms - from_ms) as i128 * PARTS as i128 / period.length_ms().max(1) as i128;
        if sample.at_ms >= from_ms
            && let Some(part) = usize::try_from(part).ok().and_then(|it| hours.get_mut(it))
        {
            part.push(sample.bytes as f64);
        }
    }
    hours.into_iter().map(middle).collect()
}

/// The middle value; the lower of two.
pub(super) fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::HOUR_MS;

    const WEEK: Period = Period { from_ms: 7 * DAY_MS, to_ms: 14 * DAY_MS };

    /// The rise in MiB of use that is so many MiB at an hour.
    fn rise(of: impl Fn(i64) -> Option<f64>) -> Option<u64> {
        let sample = |hour: i64| {
            Some(Sample { at_ms: hour * HOUR_MS + HOUR_MS / 2, bytes: (of(hour)? * MIB as f64) as u64 })
        };
        grown((0..14 * 24).filter_map(sample), WEEK).map(|it| (it.now_bytes - it.before_bytes) / MIB)
    }

    #[test]
    fn what_grows_and_what_does_not() {
        let is_later = |hour: i64| hour >= 7 * 24;
        let check = |name: &str, found: Option<u64>, expect: Option<u64>| assert_eq!(found, expect, "{name}");
        check("level", rise(|_| Some(500.0)), None);
        check("a step", rise(|hour| Some(if is_later(hour) { 600.0 } else { 500.0 })), Some(100));
        check("a step down", rise(|hour| Some(if is_later(hour) { 400.0 } else { 500.0 })), None);
        check("a slope", rise(|hour| Some(500.0 + 10.0 * (hour / 24) as f64)), Some(70));
        check("below the share", rise(|hour| Some(if is_later(hour) { 1070.0 } else { 1000.0 })), None);
        check("below the bytes", rise(|hour| Some(if is_later(hour) { 60.0 } else { 40.0 })), None);
        // A weekend is no fall, and the Monday after it no rise.
        check("by the week", rise(|hour| Some(if hour / 24 % 7 >= 5 { 200.0 } else { 600.0 })), None);
        let weekly = |hour: i64| if hour / 24 % 7 >= 5 { 300.0 } else { 600.0 };
        check(
            "by the week, and grown",
            rise(|hour| Some(weekly(hour) * if is_later(hour) { 1.2 } else { 1.0 })),
            Some(120),
        );
        check("one wild day", rise(|hour| Some(if hour / 24 == 12 { 5000.0 } else { 500.0 })), None);
        check(
            "a wild day before hides nothing",
            rise(|hour| {
                Some(match (hour / 24, is_later(hour)) {
                    (3, _) => 5000.0,
                    (_, true) => 600.0,
                    _ => 500.0,
                })
            }),
            Some(100),
        );
        check("two days of high use", rise(|hour| Some(if hour / 24 >= 12 { 900.0 } else { 500.0 })), None);
        check("nothing before", rise(|hour| is_later(hour).then_some(500.0)), None);
        check(
            "three days before",
            rise(|hour| match hour / 24 {
                0..=2 => Some(500.0),
                3..=6 => None,
                _ => Some(800.0),
            }),
            None,
        );
        check(
            "four days before",
            rise(|hour| match hour / 24 {
                0..=3 => Some(500.0),
                4..=6 => None,
                _ => Some(800.0),
            }),
            Some(300),
        );
        check("nothing", rise(|_| None), None);
    }

    #[test]
    fn a_rise_has_a_pace() {
        let samples =
            (0..14 * 24).map(|hour| Sample { at_ms: hour * HOUR_MS, bytes: (500 + 2 * hour as u64) * MIB });
        let grown = grown(samples, WEEK).expect("it grows");
        assert!((grown.bytes_per_day / (48.0 * MIB as f64) - 1.0).abs() < 0.05, "{grown:?}");
        assert_eq!(grown.up, (7, 7));
    }
}
