//! The ledger: each projection is held against what was used when its time had come.

use super::super::roles::Counts;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Projections kept whose time has not come, the latest asked.
pub const OPEN_MAX: usize = 10_000;
/// Projections kept that were scored, the latest.
pub const SCORED_MAX: usize = 2_000;
/// What is seen so long after the time of a projection is still what it was about: a scrape or two may be missed.
pub const TOLERANCE_MS: i64 = 300_000;

/// What was projected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Of whoever asked.
    pub id: String,
    /// When it was asked, in milliseconds since 1970.
    pub at_ms: i64,
    /// For when, in milliseconds since 1970.
    pub for_ms: i64,
    /// How many of each role it was about.
    pub counts: Counts,
    /// In bytes, over all pods.
    pub p50_bytes: u64,
    /// See above.
    pub p95_bytes: u64,
    /// See above.
    pub p99_bytes: u64,
}

/// What was projected, and what was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// What was projected.
    pub entry: Entry,
    /// When it was looked at, in milliseconds since 1970.
    pub seen_ms: i64,
    /// Who was there.
    pub counts: Counts,
    /// What was used, in bytes.
    pub used_bytes: u64,
}

impl Scored {
    /// Whether as many came as were projected for: else people were wrong, not the formula.
    pub fn is_as_asked(&self) -> bool {
        self.counts == self.entry.counts
    }
}

/// How good projections were.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Of how many.
    pub projections: u64,
    /// Mean distance of p50 from what was used, as a share of that (MAPE).
    pub error_share: f64,
    /// Mean of p50 less what was used, in bytes: above 0 when too much was projected.
    pub bias_bytes: f64,
    /// Share of them that used no more than p95.
    pub covered_p95_share: f64,
    /// Share of them that used no more than p99.
    pub covered_p99_share: f64,
    /// Share of them that used more than p99: what booking at that line would have broken.
    pub breach_share: f64,
    /// Mean pinball loss of p95, in bytes: what an excess costs 19 times as much as the same to spare (Koenker, Bassett,
    /// Econometrica 46, 1978).
    pub pinball_p95_bytes: f64,
}

/// Projections whose time has not come, and the latest whose time has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    open: VecDeque<Entry>,
    scored: VecDeque<Scored>,
    /// Whose time went by while nothing was seen.
    missed: u64,
    /// That were dropped because there were too many.
    dropped: u64,
}

impl Ledger {
    /// Keeps a projection until its time has come. One with the id of another that is open takes its place.
    pub fn record(&mut self, entry: Entry) {
        self.open.retain(|open| open.id != entry.id);
        if self.open.len() >= OPEN_MAX {
            self.open.pop_front();
            self.dropped += 1;
        }
        self.open.push_back(entry);
    }

    /// Takes back what will not come to pass.
    pub fn forget(&mut self, id: &str) {
        self.open.retain(|open| open.id != id);
    }

    /// Scores what is due by what all pods together used at a moment; the projections it scored are the answer.
    pub fn observe(&mut self, at_ms: i64, counts: &Counts, used_bytes: u64) -> Vec<Scored> {
        let (due, open): (Vec<Entry>, Vec<Entry>) =
            std::mem::take(&mut self.open).into_iter().partition(|entry| entry.for_ms <= at_ms);
        self.open = open.into();
        // Nothing uses nothing: what was not read scores nobody.
        let is_seen = |entry: &Entry| used_bytes > 0 && at_ms.saturating_sub(entry.for_ms) <= TOLERANCE_MS;
        let (seen, missed): (Vec<Entry>, Vec<Entry>) = due.into_iter().partition(is_seen);
        self.missed += missed.len() as u64;
        let score = |entry| Scored { entry, seen_ms: at_ms, counts: counts.clone(), used_bytes };
        let scored: Vec<Scored> = seen.into_iter().map(score).collect();
        self.scored.extend(scored.iter().cloned());
        self.scored.drain(..self.scored.len().saturating_sub(SCORED_MAX));
        scored
    }

    /// How good they were, of those kept for which `of` holds; `None` when there are none.
    pub fn accuracy(&self, of: impl Fn(&Scored) -> bool) -> Option<Accuracy> {
        let scored: Vec<&Scored> = self.scored.iter().filter(|scored| of(scored)).collect();
        let count = scored.len() as f64;
        let mean = |of: &dyn Fn(&Scored) -> f64| scored.iter().map(|scored| of(scored)).sum::<f64>() / count;
        let used = |scored: &Scored| scored.used_bytes as f64;
        let share = |of: &dyn Fn(&Scored) -> bool| mean(&|scored| f64::from(u8::from(of(scored))));
        let pinball = |scored: &Scored| {
            let over = used(scored) - scored.entry.p95_bytes as f64;
            if over > 0.0 { 0.95 * over } else { -0.05 * over }
        };
        let covered_p99_share = share(&|scored| scored.used_bytes <= scored.entry.p99_bytes);
        (!scored.is_empty()).then(|| Accuracy {
            projections: scored.len() as u64,
            error_share: mean(&|scored| (scored.entry.p50_bytes as f64 - used(scored)).abs() / used(scored)),
            bias_bytes: mean(&|scored| scored.entry.p50_bytes as f64 - used(scored)),
            covered_p95_share: share(&|scored| scored.used_bytes <= scored.entry.p95_bytes),
            covered_p99_share,
            breach_share: 1.0 - covered_p99_share,
            pinball_p95_bytes: mean(&pinball),
        })
    }

    /// Projections that were scored, the oldest first.
    pub fn scored(&self) -> impl DoubleEndedIterator<Item = &Scored> {
        self.scored.iter()
    }

    /// How many wait for their time.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Those that wait for their time, in the order in which they were asked.
    pub fn waiting(&self) -> impl Iterator<Item = &Entry> {
        self.open.iter()
    }

    /// How many have not been scored as nothing was seen when their time came, and how many were dropped for room.
    pub fn unscored(&self) -> (u64, u64) {
        (self.missed, self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::roles::Role;
    use super::*;

    fn entry(id: &str, for_ms: i64) -> Entry {
        let counts = Counts::new([(Role::EXPERIMENTER, 1)].into()).unwrap();
        let [p50_bytes, p95_bytes, p99_bytes] = [100, 120, 140];
        Entry { id: id.to_string(), at_ms: 0, for_ms, counts, p50_bytes, p95_bytes, p99_bytes }
    }

    #[test]
    fn projections_are_scored_once() {
        let mut ledger = Ledger::default();
        for (id, for_ms) in
            [("a", 1_000), ("b", 2_000), ("c", 3_000), ("d", 900_000), ("e", 2_000_000), ("f", 9)]
        {
            ledger.record(entry(id, for_ms));
        }
        ledger.record(entry("e", 2_000_000));
        ledger.forget("f");
        assert_eq!((ledger.open(), ledger.accuracy(|_| true)), (5, None));
        let counts = entry("", 0).counts;
        let mut check = |at_ms: i64, used_bytes: u64, expect: &[&str]| {
            let scored = ledger.observe(at_ms, &counts, used_bytes);
            assert_eq!(scored.iter().map(|scored| scored.entry.id.as_str()).collect::<Vec<&str>>(), expect);
        };
        check(999, 100, &[]);
        check(1_000, 80, &["a"]);
        check(2_500, 130, &["b"]);
        check(5_000, 200, &["c"]);
        // Nothing was seen in time.
        check(900_001 + TOLERANCE_MS, 100, &[]);
        let accuracy = ledger.accuracy(Scored::is_as_asked).unwrap();
        assert_eq!((accuracy.projections, ledger.open(), ledger.unscored()), (3, 1, (1, 0)));
        let near = |value: f64, expect: f64| assert!((value - expect).abs() < 1e-9, "{value} {expect}");
        near(accuracy.error_share, (20.0 / 80.0 + 30.0 / 130.0 + 0.5) / 3.0);
        near(accuracy.bias_bytes, (20.0 - 30.0 - 100.0) / 3.0);
        near(accuracy.covered_p95_share, 1.0 / 3.0);
        near(accuracy.covered_p99_share, 2.0 / 3.0);
        near(accuracy.breach_share, 1.0 / 3.0);
        near(accuracy.pinball_p95_bytes, (0.05 * 40.0 + 0.95 * 10.0 + 0.95 * 80.0) / 3.0);
        assert_eq!(ledger.accuracy(|scored| scored.entry.id == "x"), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut ledger = Ledger::default();
        for number in 0..OPEN_MAX + 5 {
            ledger.open.push_back(entry(&number.to_string(), 0));
        }
        ledger.open.truncate(OPEN_MAX);
        ledger.record(entry("last", 0));
        assert_eq!((ledger.open(), ledger.unscored()), (OPEN_MAX, (0, 1)));
        ledger.observe(0, &Counts::default(), 100);
        assert_eq!((ledger.open(), ledger.scored().count()), (0, SCORED_MAX));
    }
}
