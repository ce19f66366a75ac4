//! The highest sample of a sliding window, exactly, in amortised constant time.

use super::Sample;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Samples of the last `span_ms` that a later one has not outgrown: the first is the highest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlidingMax {
    span_ms: i64,
    falling: VecDeque<Sample>,
}

impl SlidingMax {
    /// A window of `span_ms` milliseconds.
    pub fn new(span_ms: i64) -> SlidingMax {
        SlidingMax { span_ms, falling: VecDeque::new() }
    }

    /// Takes a sample; never older than the one before.
    pub fn push(&mut self, sample: Sample) {
        while self.falling.back().is_some_and(|last| last.bytes <= sample.bytes) {
            self.falling.pop_back();
        }
        self.falling.push_back(sample);
        self.forget(sample.at_ms);
    }

    /// The highest of the window that ends at `at_ms`, which is part of it; its start is not.
    pub fn max(&mut self, at_ms: i64) -> Option<Sample> {
        self.forget(at_ms);
        self.latest()
    }

    /// The highest of the window that ends with the latest sample.
    pub fn latest(&self) -> Option<Sample> {
        self.falling.front().copied()
    }

    fn forget(&mut self, at_ms: i64) {
        while self.falling.front().is_some_and(|first| first.at_ms <= at_ms - self.span_ms) {
            self.falling.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_the_maximum_of_the_window(
            steps in prop::collection::vec((0i64..50, 0u64..20), 1..100), span_ms in 1i64..200,
        ) {
            let mut window = SlidingMax::new(span_ms);
            let mut samples = Vec::new();
            let mut at_ms = 0;
            for (step, bytes) in steps {
                at_ms += step;
                let sample = Sample { at_ms, bytes };
                samples.push(sample);
                window.push(sample);
                let within = samples.iter().filter(|sample| sample.at_ms > at_ms - span_ms);
                prop_assert_eq!(window.max(at_ms).map(|sample| sample.bytes), within.map(|s| s.bytes).max());
            }
        }
    }
}
