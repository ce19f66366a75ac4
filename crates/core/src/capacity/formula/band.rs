//! The band: between what memory lies, by how far it has lain from what was expected.
//!
//! Conformal prediction in blocks: each row is scored by a fit that has not seen its block of time, as the distance from what
//! that expected, in units of the spread there; quantiles of the scores are the band (Vovk, Gammerman, Shafer,
//! "Algorithmic learning in a random world", 2005; blocks: Chernozhukov, Wuethrich, Zhu, COLT 2018; in turn: Barber et al.,
//! Annals of Statistics 49, 2021). Nothing is assumed of how distances are distributed. What is: that a block to come is like
//! those seen, as one more of them could be (exchangeable), and that a fit hardly depends on any one block. Then memory
//! is below the line of a level in at least [`Band::floor`] of the time, on average over blocks; not in each of them. The
//! time constant and the spread have seen all blocks.

use super::fit::{Fit, Spread};
use crate::sizing::HOUR_MS;
use serde::{Deserialize, Serialize};

/// The levels that are kept; between them lines are drawn.
pub const LEVELS: [f64; 8] = [0.5, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999];
/// Quantiles of the normal distribution at these.
const NORMAL: [f64; 8] = [0.0, 0.842, 1.282, 1.645, 1.960, 2.326, 2.576, 3.090];
/// Shorter blocks than this say little of each other: less than two days were seen.
const LONG_MS: i64 = 6 * HOUR_MS;
/// How far off a formula may be that nothing was observed of: a standard deviation of so much of it. The published one was
/// 29 % off on average where memory stays after people have left.
pub const ASSUMED_SHARE: f64 = 0.25;

/// Quantiles of the distance of memory from what is expected, in units of the spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The unit of the scores.
    pub spread: Spread,
    /// At each of [`LEVELS`], rising.
    pub scores: [f64; 8],
    /// Whether nothing was seen that says so: normal, with a standard deviation of [`ASSUMED_SHARE`].
    pub is_assumed: bool,
    /// Blocks of time that were left out in turn.
    pub blocks: u32,
    /// How long each was, in milliseconds; 0 where assumed.
    pub block_ms: i64,
}

impl Band {
    /// Of a formula that nothing was observed of.
    pub fn assumed() -> Band {
        let spread = Spread { flat_mb: 0.0, share: ASSUMED_SHARE };
        Band { spread, scores: NORMAL, is_assumed: true, blocks: 0, block_ms: 0 }
    }

    /// Of what was fitted.
    pub fn of(fit: &Fit) -> Band {
        let rows = &fit.rows;
        let score = |(row, expected): (&super::rows::Row, &f64)| {
            (row.memory_mb - expected) / fit.spread.at(*expected)
        };
        let mut scores: Vec<f64> = rows.rows.iter().zip(&fit.expected_mb).map(score).collect();
        scores.sort_unstable_by(f64::total_cmp);
        let block_ms = rows.block_ms * rows.blocks.div_ceil(fit.parts) as i64;
        // One more than were seen: independent observations, or blocks while these are too short to be alike.
        let more = 1.0 + 1.0 / if block_ms < LONG_MS { fit.parts as f64 } else { rows.slots() };
        let at = |level: f64| {
            let rank = (level * more * scores.len() as f64).ceil() as usize;
            // Where half a spread makes up for all that is expected, more people would seem to need less.
            scores[rank.clamp(1, scores.len()) - 1].max(-0.5 / fit.spread.share)
        };
        Band {
            spread: fit.spread,
            scores: LEVELS.map(at),
            is_assumed: false,
            blocks: fit.parts as u32,
            block_ms,
        }
    }

    /// The score at a level; below the lowest of [`LEVELS`] that one's, above the highest that one's.
    pub fn score(&self, level: f64) -> f64 {
        between(&self.scores, level)
    }

    /// How much above what is expected the line of a level is, in MB: `spread_mb` by what was seen, and `doubt_mb`, a
    /// standard deviation of what was not.
    pub fn reach_mb(&self, level: f64, spread_mb: f64, doubt_mb: f64) -> f64 {
        let seen = self.score(level) * spread_mb;
        if seen < 0.0 { seen } else { seen.hypot(between(&NORMAL, level) * doubt_mb) }
    }

    /// The share of time that memory is below the line of a level, at least; `None` where nothing was seen.
    pub fn floor(&self, level: f64) -> Option<f64> {
        let blocks = f64::from(self.blocks);
        // Of short blocks the scores have it in them, as far as any was seen.
        let most = blocks / (blocks + 1.0);
        (!self.is_assumed).then_some(if self.block_ms < LONG_MS { level.min(most) } else { level * most })
    }
}

fn between(values: &[f64; 8], level: f64) -> f64 {
    let above = LEVELS.iter().position(|at| *at >= level).unwrap_or(LEVELS.len() - 1);
    let below = above.saturating_sub(1);
    if above == below || level >= LEVELS[above] {
        return values[above];
    }
    let part = (level - LEVELS[below]) / (LEVELS[above] - LEVELS[below]);
    values[below] + part.max(0.0) * (values[above] - values[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_what_is_between() {
        let band = Band::assumed();
        let check = |level: f64, expect: f64| assert!((band.score(level) - expect).abs() < 1e-9, "{level}");
        check(0.1, 0.0);
        check(0.5, 0.0);
        check(0.95, 1.645);
        check(0.925, (1.282 + 1.645) / 2.0);
        check(1.0, 3.09);
        assert_eq!(band.floor(0.95), None);
        assert_eq!(band.reach_mb(0.5, 10.0, 10.0), 0.0);
        assert!((band.reach_mb(0.95, 3.0, 4.0) - 1.645 * 5.0).abs() < 1e-9);
    }
}
