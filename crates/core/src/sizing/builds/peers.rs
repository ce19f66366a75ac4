//! What is usually done: the highest or the 95th percentile of the runs before, and 15 %.

use super::{JobPolicy, JobRun};
use std::collections::HashMap;

const MARGIN_PERCENT: u128 = 15;
/// Backing off: fewer runs than this are too few to speak for themselves.
const RUNS_MIN: usize = 8;

/// Which of the peaks the limit follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// The highest.
    Highest,
    /// The 95th percentile, between the two nearest.
    P95,
}

/// Peaks of the role, or of the most similar of its runs.
#[derive(Debug, Clone)]
pub struct Peers {
    follows: Follows,
    by_attributes: bool,
    /// Sorted peaks by role and the first so many attributes.
    peaks: HashMap<(String, Vec<String>), Vec<u64>>,
}

impl Peers {
    /// `by_attributes`: only runs with the same attributes count, without the last one where they are fewer than eight,
    /// and so on; else all runs of the role.
    pub fn new(follows: Follows, by_attributes: bool) -> Peers {
        Peers { follows, by_attributes, peaks: HashMap::new() }
    }

    fn depths(&self, attributes: &[String]) -> std::ops::RangeInclusive<usize> {
        0..=if self.by_attributes { attributes.len() } else { 0 }
    }
}

impl JobPolicy for Peers {
    fn limit_bytes(&mut self, role: &str, attributes: &[String]) -> Option<u64> {
        let of = |depth: usize| self.peaks.get(&(role.to_string(), attributes[..depth].to_vec()));
        let mut depths = self.depths(attributes).rev();
        let peaks =
            depths.find_map(|depth| of(depth).filter(|peaks| depth == 0 || peaks.len() >= RUNS_MIN))?;
        let peak = match self.follows {
            Follows::Highest => *peaks.last()?,
            Follows::P95 => percentile(peaks, 0.95)?,
        };
        Some((u128::from(peak) * (100 + MARGIN_PERCENT) / 100) as u64)
    }

    fn learn(&mut self, run: &JobRun, _limit_bytes: Option<u64>) {
        for depth in self.depths(&run.attributes) {
            let peaks = self.peaks.entry((run.role.clone(), run.attributes[..depth].to_vec())).or_default();
            peaks.insert(peaks.partition_point(|peak| *peak < run.peak_bytes), run.peak_bytes);
        }
    }
}

/// Between the two nearest ranks, as NumPy and Prometheus reckon it.
fn percentile(sorted: &[u64], share: f64) -> Option<u64> {
    let rank = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[rank.floor() as usize] as f64, sorted[rank.ceil() as usize] as f64);
    Some((low + (high - low) * rank.fract()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arch: &str, peak_bytes: u64) -> JobRun {
        JobRun { role: "a".into(), attributes: vec![arch.into()], peak_bytes, seconds: 1.0 }
    }

    #[test]
    fn limits() {
        let check = |follows, by_attributes, arch: &str, expect: Option<u64>| {
            let mut peers = Peers::new(follows, by_attributes);
            (0..20).for_each(|peak| peers.learn(&run("x86", 1000 + peak * 100), None));
            (0..7).for_each(|_| peers.learn(&run("arm", 100), None));
            assert_eq!(peers.limit_bytes("a", &[arch.into()]), expect, "{follows:?} {by_attributes} {arch}");
        };
        check(Follows::Highest, false, "arm", Some(3335));
        check(Follows::Highest, true, "x86", Some(3335));
        check(Follows::P95, true, "x86", Some(3225));
        // Seven are too few.
        check(Follows::Highest, true, "arm", Some(3335));
        assert_eq!(Peers::new(Follows::P95, true).limit_bytes("a", &[]), None);
    }
}
