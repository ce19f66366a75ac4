//! Spans of time, and the footprint that a reservation has on capacity.

use serde::{Deserialize, Serialize};

/// A minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A day of 24 hours, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// How long before its start a reservation holds capacity, unless said otherwise: pods are started and checked then.
pub const LEAD_MS: i64 = 30 * MINUTE_MS;
/// How long after its end, unless said otherwise: people stay, and memory is given back late.
pub const TAIL_MS: i64 = 30 * MINUTE_MS;

/// Half-open, `[start, end)`, in milliseconds since 1970 in UTC: spans that only touch do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first millisecond in it.
    pub start_ms: i64,
    /// The first millisecond after it.
    pub end_ms: i64,
}

impl Span {
    /// `None` unless it ends after it starts.
    pub fn new(start_ms: i64, end_ms: i64) -> Option<Span> {
        (start_ms < end_ms).then_some(Span { start_ms, end_ms })
    }

    /// How long it is, in milliseconds.
    pub fn length_ms(&self) -> i64 {
        self.end_ms.saturating_sub(self.start_ms)
    }

    /// They have a moment in common.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.start_ms < other.end_ms && other.start_ms < self.end_ms
    }

    /// The moment is in it.
    pub fn contains(&self, at_ms: i64) -> bool {
        self.start_ms <= at_ms && at_ms < self.end_ms
    }

    /// What they have in common.
    pub fn intersection(&self, other: &Span) -> Option<Span> {
        Span::new(self.start_ms.max(other.start_ms), self.end_ms.min(other.end_ms))
    }

    /// From the first moment of both to the last.
    pub fn hull(&self, other: &Span) -> Span {
        Span { start_ms: self.start_ms.min(other.start_ms), end_ms: self.end_ms.max(other.end_ms) }
    }

    /// What of it is not before `now_ms`.
    pub fn since(&self, now_ms: i64) -> Option<Span> {
        Span::new(self.start_ms.max(now_ms), self.end_ms)
    }

    /// As long, from another moment on.
    pub fn moved_to(&self, start_ms: i64) -> Span {
        Span { start_ms, end_ms: start_ms.saturating_add(self.length_ms()) }
    }
}

/// How long before and after its span a reservation holds capacity, in milliseconds; neither is below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margins {
    /// Before its start.
    pub lead_ms: i64,
    /// After its end.
    pub tail_ms: i64,
}

impl Default for Margins {
    fn default() -> Margins {
        Margins { lead_ms: LEAD_MS, tail_ms: TAIL_MS }
    }
}

impl Margins {
    /// The span with lead and tail.
    pub fn footprint(&self, span: &Span) -> Span {
        Span {
            start_ms: span.start_ms.saturating_sub(self.lead_ms.max(0)),
            end_ms: span.end_ms.saturating_add(self.tail_ms.max(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start_ms: i64, end_ms: i64) -> Span {
        Span::new(start_ms, end_ms).expect("a span")
    }

    #[test]
    fn spans_are_half_open() {
        let check = |one: Span, other: Span, common: Option<Span>| {
            assert_eq!(one.intersection(&other), common, "{one:?} {other:?}");
            assert_eq!(other.intersection(&one), common, "{one:?} {other:?}");
            assert_eq!(one.overlaps(&other), common.is_some(), "{one:?} {other:?}");
        };
        check(span(0, 10), span(10, 20), None);
        check(span(0, 10), span(9, 20), Some(span(9, 10)));
        check(span(0, 30), span(10, 20), Some(span(10, 20)));
        check(span(i64::MIN, i64::MAX), span(-1, 1), Some(span(-1, 1)));
        assert_eq!(Span::new(5, 5), None);
        assert_eq!(Span::new(6, 5), None);
        assert!(span(0, 10).contains(0) && !span(0, 10).contains(10));
    }

    #[test]
    fn a_footprint_has_lead_and_tail_and_never_overflows() {
        let default = Margins::default();
        let hour = span(10 * HOUR_MS, 11 * HOUR_MS);
        let wide = span(10 * HOUR_MS - 30 * MINUTE_MS, 11 * HOUR_MS + 30 * MINUTE_MS);
        assert_eq!(default.footprint(&hour), wide);
        assert_eq!(default.footprint(&span(i64::MIN, i64::MAX)), span(i64::MIN, i64::MAX));
        assert_eq!(Margins { lead_ms: -5, tail_ms: 0 }.footprint(&hour), hour);
    }
}
