//! A running sum, from which what was added can be taken away again.

use super::Need;
use std::collections::BTreeMap;

/// What is there at a moment while time is gone through: adding and taking away cost the logarithm of what is there.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    sum: Need,
    steps: BTreeMap<u64, u32>,
    skews: BTreeMap<u64, u32>,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, need: Need) {
        self.sum = self.sum.plus(need);
        *self.steps.entry(need.step_bytes).or_default() += 1;
        *self.skews.entry(need.skew_bytes).or_default() += 1;
    }

    /// One less, that was added before.
    pub fn take_away(&mut self, need: Need) {
        let sum = &mut self.sum;
        sum.mean_bytes = sum.mean_bytes.saturating_sub(need.mean_bytes);
        sum.variance_bytes2 = sum.variance_bytes2.saturating_sub(need.variance_bytes2);
        sum.full_mean_bytes = sum.full_mean_bytes.saturating_sub(need.full_mean_bytes);
        sum.full_variance_bytes2 = sum.full_variance_bytes2.saturating_sub(need.full_variance_bytes2);
        sum.step_bytes = without(&mut self.steps, need.step_bytes);
        sum.skew_bytes = without(&mut self.skews, need.skew_bytes);
    }

    /// All that is there.
    pub fn sum(&self) -> Need {
        self.sum
    }
}

/// The largest that is left.
fn without(all: &mut BTreeMap<u64, u32>, one: u64) -> u64 {
    if let Some(times) = all.get_mut(&one) {
        *times -= 1;
        if *times == 0 {
            all.remove(&one);
        }
    }
    all.last_key_value().map_or(0, |(most, _)| *most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::load::Load;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_taken_away_leaves_no_trace(
            parts in proptest::collection::vec((0.0..1e9f64, 0.0..1e16f64, 0.0..=1.0f64, 0u64..9), 1..20),
            stays in proptest::collection::vec(any::<bool>(), 20),
        ) {
            let needs: Vec<Need> = parts
                .iter()
                .map(|&(mean_bytes, variance_bytes2, show_up, count)| {
                    Need::of_one(Load { mean_bytes, variance_bytes2 }, show_up).times(count)
                })
                .collect();
            let mut tally = Tally::default();
            needs.iter().for_each(|need| tally.add(*need));
            let mut left = Need::NONE;
            for (need, stays) in needs.iter().zip(stays) {
                if stays { left = left.plus(*need) } else { tally.take_away(*need) }
            }
            prop_assert_eq!(tally.sum(), left);
        }
    }
}
