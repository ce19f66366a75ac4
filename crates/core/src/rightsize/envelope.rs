//! The envelope: the highest use of each hour, in two bytes an hour.
//!
//! It is what is kept of a container's history, whatever the number of its pods and samples: two weeks are 672 bytes. Envelopes
//! of parts of a history, or of pods, merge in any order, and twice the same is once.

use crate::sizing::{HOUR_MS, Sample};

/// What is smaller counts as this, in bytes.
const LEAST_BYTES: f64 = 4096.0;
/// The highest code stands for so many octaves above: 1 EiB.
const OCTAVES: f64 = 48.0;
/// Codes are so many to an octave: each is 0.05 % above the one before.
const CODES_PER_OCTAVE: f64 = (u16::MAX as f64 - 1.0) / OCTAVES;

/// See the module. Codes are rounded up: what is read from it is never less than what was put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    first_hour: i64,
    /// 0 where nothing was read.
    codes: Box<[u16]>,
}

impl Envelope {
    /// From one time to another, in milliseconds since 1970; nothing read yet.
    pub fn new(from_ms: i64, to_ms: i64) -> Envelope {
        let first_hour = from_ms.div_euclid(HOUR_MS);
        let hours = (to_ms.div_euclid(HOUR_MS) - first_hour + 1).max(0) as usize;
        Envelope { first_hour, codes: vec![0; hours].into_boxed_slice() }
    }

    /// Takes a reading; one of another time is not its business.
    pub fn take(&mut self, at_ms: i64, bytes: f64) {
        let hour = at_ms.div_euclid(HOUR_MS) - self.first_hour;
        if let Some(code) = usize::try_from(hour).ok().and_then(|hour| self.codes.get_mut(hour)) {
            *code = (*code).max(encode(bytes));
        }
    }

    /// Adds what another one of the same time has.
    pub fn merge(&mut self, other: &Envelope) {
        debug_assert_eq!((self.first_hour, self.codes.len()), (other.first_hour, other.codes.len()));
        self.codes.iter_mut().zip(&other.codes).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
    }

    /// The hours in which something was read, as samples in the middle of each.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = Sample> + '_ {
        let at_ms = |hour: usize| (self.first_hour + hour as i64) * HOUR_MS + HOUR_MS / 2;
        let read = self.codes.iter().enumerate().filter(|(_, code)| **code > 0);
        read.map(move |(hour, code)| Sample { at_ms: at_ms(hour), bytes: decode(*code) })
    }

    /// The highest use of the hours that start in `[from_ms, to_ms)`, in bytes; `None` when nothing was read in them.
    pub fn highest(&self, from_ms: i64, to_ms: i64) -> Option<u64> {
        self.highest_code(from_ms, to_ms).map(decode)
    }

    /// Its code, which rises with it.
    pub fn highest_code(&self, from_ms: i64, to_ms: i64) -> Option<u16> {
        let code = self.codes[self.hours(from_ms, to_ms)].iter().max().copied().unwrap_or(0);
        (code > 0).then_some(code)
    }

    /// The mean of the hours that start in `[from_ms, to_ms)` and in which something was read, in bytes.
    pub fn mean(&self, from_ms: i64, to_ms: i64) -> Option<f64> {
        let read = self.codes[self.hours(from_ms, to_ms)].iter().filter(|code| **code > 0);
        let (sum, count) =
            read.fold((0.0, 0u32), |(sum, count), code| (sum + decode(*code) as f64, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// Hours in which something was read, and all hours from the first of them to the end.
    pub fn coverage(&self) -> (usize, usize) {
        let first = self.codes.iter().position(|code| *code > 0).unwrap_or(self.codes.len());
        let read = self.codes[first..].iter().filter(|code| **code > 0).count();
        (read, self.codes.len() - first)
    }

    fn hours(&self, from_ms: i64, to_ms: i64) -> std::ops::Range<usize> {
        // An hour starts in the stretch when its number is from the first whole one on.
        let index = |ms: i64| {
            let hour = (ms + HOUR_MS - 1).div_euclid(HOUR_MS) - self.first_hour;
            hour.clamp(0, self.codes.len() as i64) as usize
        };
        let from = index(from_ms);
        from..index(to_ms).max(from)
    }
}

/// The code of a size in bytes; never 0.
pub fn encode(bytes: f64) -> u16 {
    let code = ((bytes / LEAST_BYTES).log2() * CODES_PER_OCTAVE).ceil();
    // Too small, zero and no number at all are the least; a cast stops at the highest code.
    if code >= 0.0 { (code as u16).saturating_add(1) } else { 1 }
}

/// The largest size that has this code, in bytes.
pub fn decode(code: u16) -> u64 {
    let bytes = LEAST_BYTES * (f64::from(code.saturating_sub(1)) / CODES_PER_OCTAVE).exp2();
    bytes.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hours_are_those_that_start_in_the_stretch() {
        let mut envelope = Envelope::new(0, 5 * HOUR_MS);
        (0..5).for_each(|hour| envelope.take(hour * HOUR_MS + 1, f64::from(hour as i32 + 1) * 1e6));
        let check = |from_ms: i64, to_ms: i64, expect: Option<u64>| {
            assert_eq!(
                envelope.highest(from_ms, to_ms).map(|bytes| bytes / 1_000_000),
                expect,
                "{from_ms} {to_ms}"
            );
        };
        check(0, 2 * HOUR_MS, Some(2));
        check(1, 2 * HOUR_MS, Some(2));
        check(HOUR_MS + 1, 2 * HOUR_MS, None);
        check(-9 * HOUR_MS, 99 * HOUR_MS, Some(5));
        check(5 * HOUR_MS, 99 * HOUR_MS, None);
        check(3 * HOUR_MS, HOUR_MS, None);
        assert_eq!(envelope.coverage(), (5, 6));
        assert_eq!(
            envelope.samples().next_back().map(|sample| sample.at_ms),
            Some(4 * HOUR_MS + HOUR_MS / 2)
        );
    }

    #[test]
    fn two_weeks_are_under_a_kilobyte() {
        let envelope = Envelope::new(0, 14 * 24 * HOUR_MS);
        assert!(size_of_val(&*envelope.codes) + size_of::<Envelope>() < 750);
    }

    proptest! {
        #[test]
        fn never_less_and_hardly_more(bytes in 4096f64..1e15) {
            let read = decode(encode(bytes)) as f64;
            prop_assert!(read >= bytes && read <= bytes * 1.0006 + 1.0, "{bytes} {read}");
        }

        #[test]
        fn merging_is_associative_commutative_and_idempotent(
            parts in prop::collection::vec(prop::collection::vec((0i64..48, 0f64..1e12), 0..20), 3..=3),
        ) {
            let of = |readings: &Vec<(i64, f64)>| {
                let mut envelope = Envelope::new(0, 47 * HOUR_MS);
                readings.iter().for_each(|(hour, bytes)| envelope.take(hour * HOUR_MS, *bytes));
                envelope
            };
            let merged = |one: &Envelope, other: &Envelope| {
                let mut sum = one.clone();
                sum.merge(other);
                sum
            };
            let [a, b, c] = [of(&parts[0]), of(&parts[1]), of(&parts[2])];
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&a, &a), a);
        }
    }
}
