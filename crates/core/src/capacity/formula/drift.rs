//! Drift: from when on memory has not been what the formula says (Page's cumulative sums, Biometrika 41, 1954).

use super::fit::Fit;
use crate::sizing::HOUR_MS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Hours at the beginning that say what is usual: a third of them, this many at least.
const USUAL_HOURS_MIN: usize = 24;
/// Half of the shift that is looked for, in standard deviations of an hour.
const SLACK: f64 = 1.0;
/// Sum of standard deviations beyond the slack at which it is a drift.
const ALARM: f64 = 10.0;
/// One wild hour is no drift: no hour counts for more.
const HOUR_MAX: f64 = 5.0;
/// Hours are held to differ by this share of memory at least, so that a shift of 3 % is found in a day and one of 1 %
/// never is.
const DEVIATION_MIN: f64 = 0.02;

/// Hours are not held to be more alike than so.
const ALIKE_MAX: f64 = 0.98;

/// A change in how much memory is used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// From when on, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it could be told, in milliseconds since 1970.
    pub found_ms: i64,
    /// Of what had been expected, how much more is used since: -0.1 for a tenth less.
    pub share: f64,
}

/// The first drift within what was fitted.
pub fn drift(fit: &Fit) -> Option<Drift> {
    let mut hours: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (row, expected_mb) in fit.rows.rows.iter().zip(&fit.expected_mb) {
        let (sum, count) = hours.entry(row.at_ms.div_euclid(HOUR_MS)).or_default();
        *sum += (row.memory_mb - expected_mb) / expected_mb.max(1.0);
        *count += 1.0;
    }
    let shares: Vec<(i64, f64)> =
        hours.into_iter().map(|(hour, (sum, count))| (hour * HOUR_MS, sum / count)).collect();
    first(&shares).or_else(|| early(&shares))
}

/// A drift in the first hours, before it could be told what is usual: looked for backwards from the last.
fn early(shares: &[(i64, f64)]) -> Option<Drift> {
    let backwards: Vec<(i64, f64)> =
        shares.iter().rev().map(|(at_ms, share)| (-at_ms - HOUR_MS, *share)).collect();
    let found = first(&backwards)?;
    let since_ms = -found.since_ms;
    let share = 1.0 / (1.0 + found.share).max(0.01) - 1.0;
    Some(Drift { since_ms, found_ms: since_ms + (found.found_ms - found.since_ms), share })
}

/// The first drift of shares by hour.
fn first(shares: &[(i64, f64)]) -> Option<Drift> {
    let usual = (shares.len() / 3).max(USUAL_HOURS_MIN);
    if shares.len() < usual + 2 {
        return None;
    }
    let centre = median(shares[..usual].iter().map(|hour| hour.1).collect());
    // A robust standard deviation: of a normal distribution half lies within 0.6745 of them.
    let deviation = median(shares[..usual].iter().map(|hour| (hour.1 - centre).abs()).collect()) / 0.6745;
    let deviation = (deviation * lengthened(&shares[..usual], centre, deviation)).max(DEVIATION_MIN);
    let mut sums = [0.0; 2];
    for (index, (at_ms, share)) in shares.iter().enumerate().skip(usual) {
        let score = ((share - centre) / deviation).clamp(-HOUR_MAX, HOUR_MAX);
        for (sum, score) in sums.iter_mut().zip([score, -score]) {
            *sum = f64::max(0.0, *sum + score - SLACK);
        }
        if sums.iter().any(|sum| *sum > ALARM) {
            let since = begin(&shares[usual..=index], centre) + usual;
            let share = median(shares[since..=index].iter().map(|hour| hour.1).collect());
            let share = (1.0 + share) / (1.0 + centre).max(0.01) - 1.0;
            return Some(Drift { since_ms: shares[since].0, found_ms: at_ms + HOUR_MS, share });
        }
    }
    None
}

/// Where a shift began that is found at the end: where all after it is nearer to the shifted than to the usual.
fn begin(shares: &[(i64, f64)], centre: f64) -> usize {
    // The last hours are shifted, whichever were before.
    let shift = median(shares[shares.len().saturating_sub(3)..].iter().map(|hour| hour.1).collect()) - centre;
    let (mut sum, mut best) = (0.0, (f64::MIN, shares.len() - 1));
    for (index, (_, share)) in shares.iter().enumerate().rev() {
        sum += (share - centre) * shift.signum() - shift.abs() / 2.0;
        if sum > best.0 {
            best = (sum, index);
        }
    }
    best.1
}

/// How many times as far sums of hours wander that depend on each other than of hours that do not: the long-run deviation of
/// a process whose hours are so alike (autoregressive, of order 1).
fn lengthened(shares: &[(i64, f64)], centre: f64, deviation: f64) -> f64 {
    let most = 3.0 * deviation;
    let apart = |hour: &(i64, f64)| (hour.1 - centre).clamp(-most, most);
    let squares: f64 = shares.iter().map(|hour| apart(hour).powi(2)).sum();
    let products: f64 = shares.windows(2).map(|pair| apart(&pair[0]) * apart(&pair[1])).sum();
    let alike = if squares > 0.0 { (products / squares).clamp(0.0, ALIKE_MAX) } else { 0.0 };
    ((1.0 + alike) / (1.0 - alike)).sqrt()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_and_what_is_none() {
        let check = |share: &dyn Fn(i64) -> f64, expect: Option<std::ops::RangeInclusive<i64>>| {
            let shares: Vec<(i64, f64)> = (0..300).map(|hour| (hour * HOUR_MS, share(hour))).collect();
            let found = first(&shares).map(|drift| drift.since_ms / HOUR_MS);
            assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
            assert!(expect.is_none_or(|expect| expect.contains(&found.unwrap())), "{found:?}");
        };
        let noise = |hour: i64| ((hour * 7919) % 100 - 50) as f64 / 2_500.0;
        check(&|hour| noise(hour), None);
        check(&|hour| noise(hour) + if hour == 200 { 3.0 } else { 0.0 }, None);
        check(&|hour| noise(hour) + if hour >= 200 { 0.1 } else { 0.0 }, Some(198..=200));
        check(&|hour| noise(hour) - if hour >= 250 { 0.1 } else { 0.0 }, Some(248..=250));
        check(&|hour| noise(hour) + if hour >= 200 { 0.01 } else { 0.0 }, None);
    }
}
