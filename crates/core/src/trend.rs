//! Trends: how fast something rises, and whether it does.
//!
//! Theil's and Sen's slope is the median of the slopes between all pairs: a third of the points may be wild without moving it
//! much. Whether there is a trend at all is Mann's and Kendall's test, which asks only which of each pair is higher.
//! Sources: Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968); Kendall, "Rank
//! correlation methods" (1975).

/// Both tails of the normal distribution beyond it are 1 %.
const Z_99: f64 = 2.576;
/// All pairs are looked at: with more points than this, of each stretch only one.
const POINTS_MAX: usize = 500;

/// How something changes with time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// By how much in each unit of time.
    pub slope: f64,
    /// Between these with a confidence of 99 %.
    pub band: (f64, f64),
    /// Whether it changes at all, with a confidence of 99 %.
    pub is_certain: bool,
}

/// The trend of points of time and value, in the order of time; `None` for fewer than four.
pub fn trend(points: &[(f64, f64)]) -> Option<Trend> {
    let step = points.len().div_ceil(POINTS_MAX).max(1);
    let points: Vec<(f64, f64)> = points.iter().copied().step_by(step).collect();
    if points.len() < 4 {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    let mut rises = 0i64;
    for (index, (from, low)) in points.iter().enumerate() {
        for (to, high) in &points[index + 1..] {
            if to > from {
                slopes.push((high - low) / (to - from));
            }
            rises += (high > low) as i64 - (high < low) as i64;
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let count = points.len() as f64;
    let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let middle = slopes.len() as f64 / 2.0;
    let at = |rank: f64| slopes.get(rank.clamp(0.0, (slopes.len().max(1) - 1) as f64) as usize).copied();
    let reach = Z_99 * deviation / 2.0;
    Some(Trend {
        slope: at(middle)?,
        band: (at(middle - reach)?, at(middle + reach)?),
        // A step of one towards zero: continuity correction.
        is_certain: (rises.unsigned_abs().saturating_sub(1)) as f64 / deviation > Z_99,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(of: impl Fn(f64) -> f64, count: u32) -> Vec<(f64, f64)> {
        (0..count).map(|day| (f64::from(day), of(f64::from(day)))).collect()
    }

    #[test]
    fn what_rises_and_what_does_not() {
        let check = |points: &[(f64, f64)], slope: f64, is_certain: bool| {
            let trend = trend(points).unwrap();
            assert!((trend.slope - slope).abs() < 0.05, "{trend:?}");
            assert_eq!(trend.is_certain, is_certain, "{trend:?}");
            assert!(trend.band.0 <= trend.slope && trend.slope <= trend.band.1, "{trend:?}");
        };
        check(&points(|day| 10.0 + 2.0 * day, 14), 2.0, true);
        check(&points(|day| 10.0 - 2.0 * day, 14), -2.0, true);
        check(&points(|_| 10.0, 14), 0.0, false);
        // Up and down by turns.
        check(&points(|day| 10.0 + 2.0 * (day % 2.0), 14), 0.0, false);
        // Two wild points of fourteen.
        check(&points(|day| if day == 3.0 || day == 9.0 { 1e9 } else { 2.0 * day }, 14), 2.0, true);
        assert_eq!(trend(&points(|day| day, 3)), None);
    }

    proptest! {
        #[test]
        fn a_line_with_noise_has_its_slope_in_the_band(
            slope in -5f64..5.0, noise in prop::collection::vec(-1f64..1.0, 30..60),
        ) {
            let points: Vec<(f64, f64)> =
                noise.iter().enumerate().map(|(day, noise)| (day as f64, slope * day as f64 + noise)).collect();
            let trend = trend(&points).unwrap();
            prop_assert!(trend.band.0 - 0.05 <= slope && slope <= trend.band.1 + 0.05, "{slope} {trend:?}");
        }
    }
}
