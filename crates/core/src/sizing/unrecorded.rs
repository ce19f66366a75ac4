//! Kills that nobody recorded, read off a history: use that stood at its limit and then fell as only a new start does.

use super::{OomKill, Sample};

/// From this share of its limit on, use is at the limit: the kernel kills at 100 %, and a reading comes before that.
const AT_LIMIT: f64 = 0.98;
/// What fell below this share of itself from one reading to the next was started anew.
const ANEW: f64 = 0.5;

/// Kills by time, of samples in the order of time; limits in bytes as they changed, with the times of it in milliseconds,
/// sorted, 0 for none.
pub fn kills(samples: impl Iterator<Item = Sample>, limits: &[(i64, u64)]) -> Vec<OomKill> {
    let mut kills = Vec::new();
    let mut before: Option<Sample> = None;
    let mut limits = limits.iter().peekable();
    let mut limit_bytes = 0;
    for sample in samples {
        let fell_from = before.replace(sample).filter(|before| {
            let at_limit = limit_bytes > 0 && before.bytes as f64 >= AT_LIMIT * limit_bytes as f64;
            at_limit && (sample.bytes as f64) < ANEW * before.bytes as f64
        });
        kills.extend(fell_from.map(|_| OomKill { at_ms: sample.at_ms, limit_bytes, request_bytes: 0 }));
        while let Some((_, now)) = limits.next_if(|(at_ms, _)| *at_ms <= sample.at_ms) {
            limit_bytes = *now;
        }
    }
    kills
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_and_then_anew() {
        let check = |bytes: &[u64], limits: &[(i64, u64)], expect: &[(i64, u64)]| {
            let samples = bytes
                .iter()
                .enumerate()
                .map(|(minute, bytes)| Sample { at_ms: minute as i64, bytes: *bytes });
            let found: Vec<(i64, u64)> =
                kills(samples, limits).iter().map(|kill| (kill.at_ms, kill.limit_bytes)).collect();
            assert_eq!(found, expect, "{bytes:?} {limits:?}");
        };
        check(&[100, 980, 400, 990, 300], &[(0, 1000)], &[(2, 1000), (4, 1000)]);
        // Cleaned up, but not anew; fell from below the limit; no limit; a limit of which it is not known.
        check(&[1000, 600], &[(0, 1000)], &[]);
        check(&[970, 100], &[(0, 1000)], &[]);
        check(&[1000, 100], &[], &[]);
        check(&[1000, 100], &[(1, 1000)], &[]);
        // The limit that it died at, not the one it got afterwards.
        check(&[1000, 100, 1990, 10], &[(0, 1000), (1, 2000)], &[(1, 1000), (3, 2000)]);
    }
}
