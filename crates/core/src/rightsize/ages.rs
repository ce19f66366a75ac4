//! Use by age: what tells a leak from growth. Load grows with the calendar, a leak with the time since the start.

/// Ages in doublings, the first up to two hours: up to three weeks.
const BUCKETS: usize = 9;
/// A container that has only just started shows its start-up, not its age: the first bucket is not looked at.
const FIRST: usize = 1;
/// A bucket counts when so many times its width was read in it: more than one life has come so far.
const LIVES_MIN: f64 = 1.5;
/// From bucket to bucket a leak rises by this share at least, and so much in all.
const RISE_EACH: f64 = 0.02;
const RISE_IN_ALL: f64 = 0.15;
/// It has to be seen in so many buckets.
const BUCKETS_MIN: usize = 3;

/// Hours read at each age, and what was used in them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ages {
    sums: [f32; BUCKETS],
    hours: [u32; BUCKETS],
}

/// How fast use rises with age.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rise {
    /// In bytes a day.
    pub bytes_per_day: f64,
    /// From the slowest to the fastest that is likely, in bytes a day.
    pub band: (f64, f64),
}

impl Ages {
    /// Takes the highest use of an hour at an age in hours.
    pub fn take(&mut self, age_hours: u64, bytes: f64) {
        let bucket = (age_hours.max(1).ilog2() as usize).min(BUCKETS - 1);
        self.sums[bucket] += bytes as f32;
        self.hours[bucket] += 1;
    }

    /// Adds those of other lives.
    pub fn merge(&mut self, other: &Ages) {
        self.sums.iter_mut().zip(other.sums).for_each(|(mine, theirs)| *mine += theirs);
        self.hours.iter_mut().zip(other.hours).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How use rises with age, where it does so in life after life.
    pub fn rise(&self) -> Option<Rise> {
        let seen: Vec<(f64, f64)> = (FIRST..BUCKETS)
            .take_while(|bucket| f64::from(self.hours[*bucket]) >= LIVES_MIN * (1u64 << bucket) as f64)
            .map(|bucket| {
                let middle_hours = 1.5 * (1u64 << bucket) as f64;
                (middle_hours / 24.0, f64::from(self.sums[bucket]) / f64::from(self.hours[bucket]))
            })
            .collect();
        let (first, last) = (seen.first()?, seen.last()?);
        let rises_throughout = seen.windows(2).all(|pair| pair[1].1 >= pair[0].1 * (1.0 + RISE_EACH));
        if seen.len() < BUCKETS_MIN || !rises_throughout || last.1 < first.1 * (1.0 + RISE_IN_ALL) {
            return None;
        }
        let slopes = seen.windows(2).map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
        let (slowest, fastest) =
            slopes.fold((f64::INFINITY, 0.0), |(slow, fast), slope| (slope.min(slow), slope.max(fast)));
        Some(Rise { bytes_per_day: (last.1 - first.1) / (last.0 - first.0), band: (slowest, fastest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ages(lives: u32, hours: u64, bytes: impl Fn(u64) -> f64) -> Ages {
        let mut ages = Ages::default();
        for _ in 0..lives {
            (0..hours).for_each(|age| ages.take(age, bytes(age)));
        }
        ages
    }

    #[test]
    fn a_leak_rises_in_life_after_life() {
        let leak = |age: u64| 1e8 + 1e6 * age as f64;
        let rise = ages(3, 60, leak).rise().unwrap();
        assert!((rise.bytes_per_day / 24e6 - 1.0).abs() < 0.1, "{rise:?}");
        assert!(rise.band.0 <= 24.1e6 && rise.band.1 >= 23.9e6, "{rise:?}");
        // One life is not enough: it could be growth.
        assert_eq!(ages(1, 60, leak).rise(), None);
        assert_eq!(ages(3, 60, |_| 1e8).rise(), None);
        // It warms up and stays there.
        assert_eq!(ages(3, 60, |age| 1e8 * (1.0 - (-(age as f64) / 2.0).exp())).rise(), None);
    }
}
