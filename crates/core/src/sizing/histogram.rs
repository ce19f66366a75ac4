//! Decaying histograms with exponential buckets, as the Vertical Pod Autoscaler and Autopilot keep them.
//!
//! Source: kubernetes/autoscaler, `vertical-pod-autoscaler/pkg/recommender/util/{histogram,histogram_options,decaying_histogram}.go`.

/// How values fall into buckets: the first is `first` wide, each next one wider by `ratio`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buckets {
    /// Width of the first bucket, in bytes.
    pub first: f64,
    /// Each bucket is so many times as wide as the one before; above 1.
    pub ratio: f64,
    /// How many there are; the last takes everything above.
    pub count: usize,
}

impl Buckets {
    /// As many as reach up to `max`.
    pub fn up_to(first: f64, ratio: f64, max: f64) -> Buckets {
        let count = ((max * (ratio - 1.0) / first + 1.0).ln() / ratio.ln()).ceil() as usize + 1;
        Buckets { first, ratio, count }
    }

    /// The bucket of a value.
    pub fn of(&self, value: f64) -> usize {
        if value < self.first {
            return 0;
        }
        let bucket = (value * (self.ratio - 1.0) / self.first + 1.0).ln() / self.ratio.ln();
        (bucket.floor() as usize).min(self.count - 1)
    }

    /// Where a bucket starts; the end of the one before.
    pub fn start(&self, bucket: usize) -> f64 {
        self.first * (self.ratio.powi(bucket as i32) - 1.0) / (self.ratio - 1.0)
    }
}

/// Weights per bucket that halve in a fixed time.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Buckets,
    half_life_ms: i64,
    /// Weights are relative to this time, a multiple of the half-life, so that old ones need not be touched.
    reference_ms: Option<i64>,
    weights: Vec<f64>,
    total: f64,
}

/// Weights grow by no more than 2^100 before the reference time moves.
const EXPONENT_MAX: i64 = 100;
/// What is lighter counts as nothing.
const EPSILON: f64 = 1e-4;

impl Histogram {
    /// An empty one.
    pub fn new(buckets: Buckets, half_life_ms: i64) -> Histogram {
        let weights = vec![0.0; buckets.count];
        Histogram { buckets, half_life_ms, reference_ms: None, weights, total: 0.0 }
    }

    /// Adds a value of this weight, at this time in milliseconds.
    pub fn add(&mut self, value: f64, weight: f64, at_ms: i64) {
        let weight = weight * self.decay(at_ms);
        self.weights[self.buckets.of(value)] += weight;
        self.total += weight;
    }

    /// Takes back what was added with the same arguments.
    pub fn subtract(&mut self, value: f64, weight: f64, at_ms: i64) {
        let weight = weight * self.decay(at_ms);
        let without = |held: f64| if held - weight < EPSILON { 0.0 } else { held - weight };
        let held = &mut self.weights[self.buckets.of(value)];
        *held = without(*held);
        self.total = without(self.total);
    }

    /// Adds another of the same buckets and half-life.
    pub fn merge(&mut self, other: &Histogram) {
        debug_assert_eq!((self.buckets, self.half_life_ms), (other.buckets, other.half_life_ms));
        let Some(theirs_ms) = other.reference_ms else { return };
        let reference_ms = self.reference_ms.map_or(theirs_ms, |ours_ms| ours_ms.max(theirs_ms));
        self.move_reference(reference_ms);
        let factor = self.halvings(theirs_ms, reference_ms);
        for (mine, theirs) in self.weights.iter_mut().zip(&other.weights) {
            *mine += theirs * factor;
        }
        self.total += other.total * factor;
    }

    /// The end of the bucket in which so much of the weight is reached, in [0, 1]; `None` when there is none.
    pub fn percentile_end(&self, share: f64) -> Option<f64> {
        let bucket = self.percentile_bucket(share)?;
        Some(self.buckets.start(if bucket + 1 < self.buckets.count { bucket + 1 } else { bucket }))
    }

    fn percentile_bucket(&self, share: f64) -> Option<usize> {
        let counts = |weight: &f64| *weight >= EPSILON;
        let (first, last) = (self.weights.iter().position(counts)?, self.weights.iter().rposition(counts)?);
        let threshold = share * self.total;
        let mut sum = 0.0;
        let reached = self.weights[first..last].iter().position(|weight| {
            sum += weight;
            sum >= threshold
        });
        Some(reached.map_or(last, |reached| first + reached))
    }

    /// Weight per bucket and the bucket's start, as they are now relative to each other.
    pub fn iter(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.weights.iter().enumerate().map(|(bucket, weight)| (self.buckets.start(bucket), *weight))
    }

    /// The weight of all together.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The buckets.
    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    fn decay(&mut self, at_ms: i64) -> f64 {
        let reference_ms = match self.reference_ms {
            Some(reference_ms) if at_ms <= reference_ms + EXPONENT_MAX * self.half_life_ms => reference_ms,
            _ => self.move_reference(
                (at_ms + self.half_life_ms / 2).div_euclid(self.half_life_ms) * self.half_life_ms,
            ),
        };
        self.halvings(at_ms, reference_ms)
    }

    /// How much heavier what is of one time is than what is of another.
    fn halvings(&self, at_ms: i64, reference_ms: i64) -> f64 {
        ((at_ms - reference_ms) as f64 / self.half_life_ms as f64).exp2()
    }

    fn move_reference(&mut self, reference_ms: i64) -> i64 {
        let factor = self.halvings(self.reference_ms.unwrap_or(reference_ms), reference_ms);
        self.weights.iter_mut().for_each(|weight| *weight *= factor);
        self.total *= factor;
        self.reference_ms = Some(reference_ms);
        reference_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::DAY_MS;
    use crate::sizing::vpa;
    use proptest::prelude::*;

    #[test]
    fn buckets_of_the_vertical_pod_autoscaler() {
        let buckets = vpa::buckets();
        assert_eq!(buckets.count, 176);
        let check = |bytes: f64, expect: usize| assert_eq!(buckets.of(bytes), expect, "{bytes}");
        check(0.0, 0);
        check(9_999_999.0, 0);
        check(10_000_001.0, 1);
        check(20_500_001.0, 2);
        check(1e18, 175);
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket(value in 0f64..9e11) {
            let buckets = vpa::buckets();
            let bucket = buckets.of(value);
            prop_assert!(buckets.start(bucket) <= value * (1.0 + 1e-9));
            prop_assert!(value <= buckets.start(bucket + 1) * (1.0 + 1e-9));
        }

        #[test]
        fn percentiles_rise(values in prop::collection::vec((1f64..1e11, 0i64..30), 1..50)) {
            let mut histogram = Histogram::new(vpa::buckets(), DAY_MS);
            let mut days: Vec<_> = values;
            days.sort_by_key(|(_, day)| *day);
            for (value, day) in days {
                histogram.add(value, 1.0, day * DAY_MS);
            }
            let ends: Vec<_> = (0..=20).filter_map(|step| histogram.percentile_end(f64::from(step) / 20.0)).collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0] <= pair[1]), "{ends:?}");
        }

        #[test]
        fn merging_is_associative(
            parts in prop::collection::vec(prop::collection::vec((1f64..1e11, 0i64..30), 1..9), 3..=3),
        ) {
            let of = |values: &Vec<(f64, i64)>| {
                let mut histogram = Histogram::new(vpa::buckets(), DAY_MS);
                values.iter().for_each(|(value, day)| histogram.add(*value, 1.0, day * DAY_MS));
                histogram
            };
            let [a, b, c] = [of(&parts[0]), of(&parts[1]), of(&parts[2])];
            let merged = |one: &Histogram, other: &Histogram| {
                let mut sum = one.clone();
                sum.merge(other);
                sum
            };
            let left = merged(&merged(&a, &b), &c);
            let right = merged(&a, &merged(&b, &c));
            for ((_, one), (_, other)) in left.iter().zip(right.iter()) {
                prop_assert!((one - other).abs() <= 1e-9 * (1.0 + one.abs()), "{one} {other}");
            }
        }
    }
}
