//! Things that have a span, found by when they are: whoever asks for an hour does not go through a year.

use super::span::{DAY_MS, Span};
use std::collections::BTreeMap;

/// By the day on which they begin, within a day in the order in which they came.
#[derive(Debug, Clone)]
pub(super) struct Days<T> {
    by_day: BTreeMap<i64, Vec<(Span, T)>>,
    /// None of them begins more days before its end.
    longest_days: i64,
}

impl<T> Days<T> {
    /// None.
    pub fn new() -> Days<T> {
        Days { by_day: BTreeMap::new(), longest_days: 0 }
    }

    /// One more.
    pub fn push(&mut self, span: Span, it: T) {
        let day = day(span.start_ms);
        self.longest_days = self.longest_days.max(self::day(span.end_ms).saturating_sub(day));
        self.by_day.entry(day).or_default().push((span, it));
    }

    /// Takes back the last one that begins on the day on which this span does.
    pub fn pop(&mut self, span: &Span) -> Option<T> {
        let of_day = self.by_day.get_mut(&day(span.start_ms))?;
        let (_, it) = of_day.pop()?;
        if of_day.is_empty() {
            self.by_day.remove(&day(span.start_ms));
        }
        Some(it)
    }

    /// Those that have a moment in common with a span.
    pub fn overlapping(&self, span: &Span) -> impl Iterator<Item = &(Span, T)> {
        let first = day(span.start_ms).saturating_sub(self.longest_days);
        let near = self.by_day.range(first..=day(span.end_ms).max(first));
        near.flat_map(|(_, of_day)| of_day).filter(move |(it, _)| it.overlaps(span))
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.by_day.is_empty()
    }

    /// Takes out the first that is meant of those that begin on the day on which this span does.
    pub fn remove(&mut self, span: &Span, is_meant: impl Fn(&T) -> bool) -> Option<T> {
        let day = day(span.start_ms);
        let of_day = self.by_day.get_mut(&day)?;
        let at = of_day.iter().position(|(_, it)| is_meant(it))?;
        let (_, it) = of_day.remove(at);
        if of_day.is_empty() {
            self.by_day.remove(&day);
        }
        Some(it)
    }
}

fn day(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::span::HOUR_MS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn found_is_what_overlaps(
            all in proptest::collection::vec((-100i64..100, 1i64..80), 0..30),
            asked in (-100i64..100, 1i64..40),
            taken in 0usize..30,
        ) {
            let span = |(start, long): (i64, i64)| Span { start_ms: start * HOUR_MS, end_ms: (start + long) * HOUR_MS };
            let (mut days, asked) = (Days::new(), span(asked));
            let mut left: Vec<(Span, usize)> = all.into_iter().enumerate().map(|(at, it)| (span(it), at)).collect();
            left.iter().for_each(|(span, at)| days.push(*span, *at));
            if taken < left.len() {
                let (span, _) = left.remove(taken);
                prop_assert_eq!(days.remove(&span, |it| *it == taken), Some(taken));
                prop_assert_eq!(days.remove(&span, |it| *it == taken), None);
            }
            if let Some((span, last)) = left.pop() {
                prop_assert_eq!(days.pop(&span), Some(last));
            }
            let sorted = |mut ids: Vec<usize>| { ids.sort_unstable(); ids };
            let expect = left.iter().filter(|(it, _)| it.overlaps(&asked)).map(|(_, it)| *it).collect();
            prop_assert_eq!(sorted(days.overlapping(&asked).map(|(_, it)| *it).collect()), sorted(expect));
            prop_assert_eq!(days.is_empty(), left.is_empty());
        }
    }
}
