//! Our rule for builds: the limit that costs least, where a failed first attempt has a price.
//!
//! Past runs of the role, weighted by how alike and how recent they are, stand for the next one. Each candidate limit has an
//! expected waste, and a chance to fail that is charged at a price (the newsvendor's problem: Arrow, Harris and Marschak,
//! Econometrica 1951). One price for all roles spends the failures where they save most: a small build gets room to spare,
//! which costs nothing, and a huge one is cut close. The price follows what is seen: it rises with each failure and
//! falls with each success, so that over time as many fail as were asked for (dual ascent on the failure budget).
//!
//! The constants are round numbers near which the Spack builds change little (`make bench-policies`): halving or doubling
//! any of them moves the waste by less than 5 %.

use super::{JobPolicy, JobRun};
use std::collections::{HashMap, VecDeque};

/// Share of the runs whose first attempt may fail, unless said otherwise.
pub const RISK: f64 = 0.02;
/// A run that differs in an attribute counts this much of one that does not.
const UNLIKE: f64 = 0.1;
/// A run that is so many runs old counts half.
const HALF_LIFE_RUNS: f64 = 100.0;
/// The same build takes a little less or more each time.
const SPREAD: [f64; 3] = [0.97, 1.0, 1.05];
/// The next run is higher than all before it with the chance 1/(n + 1), where order says nothing: by so much, with this
/// share of that chance.
const BEYOND: [(f64, f64); 2] = [(1.1, 0.6), (1.3, 0.4)];
/// How fast the price moves: its logarithm by this for a failure.
const STEP: f64 = 0.1;
/// Bounds of the price, in average loads of a run.
const PRICE: (f64, f64) = (0.01, 1000.0);
/// Runs kept per role.
const RUNS_MAX: usize = 1000;

/// A past run as it counts for the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// Highest memory in bytes.
    pub peak_bytes: f64,
    /// Wall time in hours.
    pub hours: f64,
    /// How much it counts, relative to the others.
    pub weight: f64,
}

/// The limit in bytes that costs least; a failure costs `price_byte_hours` besides its waste. `None` without runs.
pub fn cheapest(runs: &[Weighted], price_byte_hours: f64) -> Option<u64> {
    let points = spread(runs)?;
    // Waste falls up to a point and jumps there: the best limit is one of them.
    let priced = points.points.iter().map(|point| {
        let limit = point.peak_bytes;
        let expected = points.expected(limit);
        (limit, expected.waste + price_byte_hours * expected.failure)
    });
    let (limit, _) = priced.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    Some(limit.ceil() as u64)
}

/// What may come, sorted by peak, with running sums of weight and of weight times hours.
struct Points {
    points: Vec<Weighted>,
    sums: Vec<(f64, f64)>,
}

struct Expected {
    /// In byte-hours, but for the same constant.
    waste: f64,
    failure: f64,
}

impl Points {
    /// Each failed attempt doubles the limit: with k of them a run costs ((2^(k+1) - 1) limit - peak) times its hours.
    fn expected(&self, limit: f64) -> Expected {
        let (weights, _) = self.sums[self.points.len()];
        let mut fits = 0;
        let mut waste = 0.0;
        let mut room = limit;
        while fits < self.points.len() {
            let next = fits + self.points[fits..].partition_point(|point| point.peak_bytes <= room);
            waste += (2.0 * room - limit) * (self.sums[next].1 - self.sums[fits].1);
            (fits, room) = (next, room * 2.0);
        }
        let within = self.points.partition_point(|point| point.peak_bytes <= limit);
        Expected { waste, failure: 1.0 - self.sums[within].0 / weights }
    }
}

fn spread(runs: &[Weighted]) -> Option<Points> {
    let total: f64 = runs.iter().map(|run| run.weight).sum();
    let squares: f64 = runs.iter().map(|run| run.weight * run.weight).sum();
    let highest = runs.iter().map(|run| run.peak_bytes).fold(0.0, f64::max);
    if !(total > 0.0 && highest > 0.0) {
        return None;
    }
    // Kish's effective number of runs.
    let beyond = 1.0 / (total * total / squares + 1.0);
    let hours = runs.iter().map(|run| run.hours * run.weight).sum::<f64>() / total;
    let within = runs.iter().flat_map(|run| {
        let weight = (1.0 - beyond) * run.weight / total / SPREAD.len() as f64;
        SPREAD.map(|factor| Weighted { peak_bytes: run.peak_bytes * factor, hours: run.hours, weight })
    });
    let top = highest * SPREAD[SPREAD.len() - 1];
    let above =
        BEYOND.map(|(factor, share)| Weighted { peak_bytes: top * factor, hours, weight: beyond * share });
    let mut points: Vec<Weighted> = within.chain(above).collect();
    points.sort_by(|one, other| one.peak_bytes.total_cmp(&other.peak_bytes));
    let mut sum = (0.0, 0.0);
    let running = points.iter().map(|point| {
        sum = (sum.0 + point.weight, sum.1 + point.weight * point.hours);
        sum
    });
    let sums = std::iter::once((0.0, 0.0)).chain(running).collect();
    Some(Points { points, sums })
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Newsvendor {
    risk: f64,
    /// Logarithm of the price of a failure, in average loads of a run.
    log_price: f64,
    /// Sum of peak times hours, and number, of all runs.
    load_byte_hours: f64,
    runs: f64,
    roles: HashMap<String, VecDeque<JobRun>>,
}

impl Newsvendor {
    /// So many of the first attempts may fail, as a share in (0, 1); usually [`RISK`].
    pub fn new(risk: f64) -> Newsvendor {
        Newsvendor { risk, log_price: 0.0, load_byte_hours: 0.0, runs: 0.0, roles: HashMap::new() }
    }

    fn price_byte_hours(&self) -> f64 {
        self.log_price.exp() * self.load_byte_hours / self.runs.max(1.0)
    }
}

/// Past runs, the oldest first, as they count for one with these attributes.
fn weighted(runs: &VecDeque<JobRun>, attributes: &[String]) -> Vec<Weighted> {
    let of = |(age, run): (usize, &JobRun)| {
        let unlike = run.attributes.iter().zip(attributes).filter(|(theirs, ours)| theirs != ours).count();
        let weight = UNLIKE.powi(unlike as i32) * (-(age as f64) / HALF_LIFE_RUNS).exp2();
        Weighted { peak_bytes: run.peak_bytes as f64, hours: run.seconds / 3600.0, weight }
    };
    runs.iter().rev().enumerate().map(of).collect()
}

impl JobPolicy for Newsvendor {
    fn limit_bytes(&mut self, role: &str, attributes: &[String]) -> Option<u64> {
        cheapest(&weighted(self.roles.get(role)?, attributes), self.price_byte_hours())
    }

    fn learn(&mut self, run: &JobRun, limit_bytes: Option<u64>) {
        if let Some(limit_bytes) = limit_bytes {
            let failed = f64::from(u8::from(run.peak_bytes > limit_bytes));
            let log_price = self.log_price + STEP * (failed - self.risk);
            self.log_price = log_price.clamp(PRICE.0.ln(), PRICE.1.ln());
        }
        self.load_byte_hours += run.peak_bytes as f64 * run.seconds / 3600.0;
        self.runs += 1.0;
        let runs = self.roles.entry(run.role.clone()).or_default();
        if runs.len() == RUNS_MAX {
            runs.pop_front();
        }
        runs.push_back(run.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::builds::cost;
    use proptest::prelude::*;

    fn runs(peaks: &[u64]) -> Vec<Weighted> {
        peaks.iter().map(|peak| Weighted { peak_bytes: *peak as f64, hours: 1.0, weight: 1.0 }).collect()
    }

    #[test]
    fn the_price_decides() {
        let mut peaks = vec![1000; 98];
        peaks.extend([4000, 4000]);
        let check =
            |price: f64, expect: u64| assert_eq!(cheapest(&runs(&peaks), price), Some(expect), "{price}");
        // Cheap failures: as most of them need, and half of those in three sizes.
        check(0.0, 1050);
        // Dear ones: more than all that was seen needs, by and by.
        check(200_000.0, 4620);
        check(1e9, 5460);
        assert_eq!(cheapest(&[], 1.0), None);
    }

    #[test]
    fn what_is_alike_and_recent_counts() {
        let mut policy = Newsvendor::new(RISK);
        let run = |arch: &str, peak_bytes| JobRun {
            role: "a".into(),
            attributes: vec![arch.into()],
            peak_bytes,
            seconds: 3600.0,
        };
        (0..200).for_each(|_| policy.learn(&run("x86", 4000), None));
        (0..200).for_each(|_| policy.learn(&run("arm", 1000), None));
        let arm = policy.limit_bytes("a", &["arm".into()]).unwrap();
        let x86 = policy.limit_bytes("a", &["x86".into()]).unwrap();
        assert!(arm < 1100 && (4000..4500).contains(&x86), "{arm} {x86}");
        assert_eq!(policy.limit_bytes("b", &["x86".into()]), None);
    }

    proptest! {
        /// The sums are those of charging each point by hand.
        #[test]
        fn expected_waste_is_the_mean_cost(peaks in prop::collection::vec(1u64..100_000, 1..30), limit in 1u64..200_000) {
            let points = spread(&runs(&peaks)).unwrap();
            let by_hand: f64 = points.points.iter().map(|point| {
                let run = JobRun { role: String::new(), attributes: vec![], peak_bytes: 0, seconds: 3600.0 * point.hours };
                let peak = point.peak_bytes;
                let run = JobRun { peak_bytes: peak.ceil() as u64, ..run };
                point.weight * cost(&run, limit).waste_byte_hours
            }).sum();
            let mean_peak: f64 = points.points.iter().map(|point| point.weight * point.hours * point.peak_bytes).sum();
            let waste = points.expected(limit as f64).waste - mean_peak;
            prop_assert!((waste - by_hand).abs() <= 2.0 + 1e-6 * by_hand.abs(), "{waste} {by_hand}");
        }

        /// A dearer failure never gives a smaller limit.
        #[test]
        fn limits_rise_with_the_price(peaks in prop::collection::vec(1u64..100_000, 1..30), price in 0f64..1e6) {
            prop_assert!(cheapest(&runs(&peaks), price) <= cheapest(&runs(&peaks), price * 2.0));
        }
    }
}
