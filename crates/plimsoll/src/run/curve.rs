//! The memory curve of a run: bounded, and never losing a peak.

/// Points kept; beyond it pairs are merged. Enough for a page 1200 px wide.
const POINTS_MAX: usize = 600;

/// Memory over time since the run began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Curve {
    points: Vec<(u64, u64)>,
    step_ms: u64,
}

impl Curve {
    /// Adds a reading: milliseconds since the run began (never going back), bytes.
    pub fn push(&mut self, at_ms: u64, bytes: u64) {
        match self.points.last_mut() {
            Some((last_ms, last_bytes)) if at_ms.saturating_sub(*last_ms) < self.step_ms => {
                *last_bytes = bytes.max(*last_bytes);
            }
            _ => self.points.push((at_ms, bytes)),
        }
        if self.points.len() > POINTS_MAX {
            self.halve();
        }
    }

    /// The readings, the oldest first: (milliseconds, bytes).
    pub fn points(&self) -> &[(u64, u64)] {
        &self.points
    }

    fn halve(&mut self) {
        let span_ms = self.points.last().map_or(0, |last| last.0) - self.points[0].0;
        self.step_ms = (span_ms / (POINTS_MAX as u64 / 2)).max(self.step_ms * 2).max(1);
        self.points = self
            .points
            .chunks(2)
            .map(|pair| (pair[0].0, pair.iter().map(|point| point.1).max().unwrap_or_default()))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounded_and_keeps_the_peak(steps in prop::collection::vec((0u64..50, 0u64..1 << 32), 1..5000)) {
            let mut curve = Curve::default();
            let mut now_ms = 0;
            for (step_ms, bytes) in &steps {
                now_ms += step_ms;
                curve.push(now_ms, *bytes);
            }
            let peak = steps.iter().map(|step| step.1).max();
            prop_assert_eq!(curve.points().iter().map(|point| point.1).max(), peak);
            prop_assert!(curve.points().len() <= POINTS_MAX);
            prop_assert!(curve.points().windows(2).all(|pair| pair[0].0 <= pair[1].0));
        }
    }
}
