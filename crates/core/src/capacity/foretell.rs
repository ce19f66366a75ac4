//! What is foretold: which projections are written into the [ledger], and when they are held against what came.
//!
//! Of each reservation that is promised, when it is: what the whole app will use in its middle. Each hour: in an hour. And of each
//! ten minutes, as minutes depend on each other, what the formula says given who is there: is it right, whoever comes?

use super::booking::reservation::{Reservation, State};
use super::booking::span::{HOUR_MS, Span};
use super::formula::ledger::{Entry, Ledger};
use super::formula::plain::MB;
use super::formula::profile::Profile;
use super::formula::project::{Ask, Outlook};
use super::formula::rows::SLOT_MS;
use super::formula::together::Together;
use super::roles::{Counts, Role};
use std::collections::BTreeMap;

const RESERVATION: &str = "reservation:";
const STEP: &str = "step:";

/// What was seen of all pods, and what the profile expects them to use, given who has been in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What they used.
    pub together: Together,
    /// What is expected; `None` where a reading is missing.
    pub outlook: Option<Outlook>,
}

/// By what is foretold.
#[derive(Debug, Clone, Copy)]
pub struct Foreteller<'a> {
    /// Of the app, as it is in force.
    pub profile: &'a Profile,
    /// All that are not over.
    pub reservations: &'a [Reservation],
    /// Pods that run.
    pub pods: u32,
    /// In milliseconds since 1970.
    pub now_ms: i64,
}

/// Whether the ten minutes of a moment have their step already.
pub fn has_step(ledger: &Ledger, at_ms: i64) -> bool {
    let id = step(at_ms);
    ledger.scored().rev().any(|scored| scored.entry.id == id)
}

/// Whether an entry is a step: asked with people who were there, it says nothing of who comes.
pub fn is_step(entry: &Entry) -> bool {
    entry.id.starts_with(STEP)
}

fn step(at_ms: i64) -> String {
    format!("{STEP}{}", at_ms.div_euclid(SLOT_MS))
}

impl Foreteller<'_> {
    /// Writes down what is to be foretold, and scores what has come; whether anything of the ledger has changed. It may be
    /// asked as often as one likes, by several.
    pub fn keep(&self, ledger: &mut Ledger, seen: Option<&Seen>) -> bool {
        let mut has_changed = self.reservations(ledger);
        // What is never seen need not be foretold.
        let Some(seen) = seen else { return has_changed };
        has_changed |= self.hour(ledger);
        let Together { at_ms, memory_bytes, counts, is_whole, .. } = &seen.together;
        let (Some(used_bytes), true) = (memory_bytes, is_whole) else { return has_changed };
        if let Some(outlook) = seen.outlook.filter(|_| !has_step(ledger, *at_ms)) {
            let bytes = |level: f64| (self.profile.line_mb(&outlook, level) * MB).ceil() as u64;
            ledger.record(Entry {
                id: step(*at_ms),
                at_ms: *at_ms,
                for_ms: *at_ms,
                counts: counts.clone(),
                p50_bytes: bytes(0.5),
                p95_bytes: bytes(0.95),
                p99_bytes: bytes(0.99),
            });
        }
        let open = ledger.open();
        ledger.observe(*at_ms, counts, *used_bytes);
        has_changed || ledger.open() != open
    }

    /// Each that is promised has an entry; of those that are not any more it is taken back.
    fn reservations(&self, ledger: &mut Ledger) -> bool {
        let waiting: BTreeMap<&str, &Entry> =
            ledger.waiting().filter_map(|entry| Some((entry.id.strip_prefix(RESERVATION)?, entry))).collect();
        let ahead: BTreeMap<&str, &Reservation> = self
            .reservations
            .iter()
            .filter(|it| it.state.is_promised() && middle_ms(&it.span) > self.now_ms)
            .map(|it| (it.id.as_str(), it))
            .collect();
        // One that has begun is as it was foretold.
        let is_known = |it: &Reservation| {
            let entry = waiting.get(it.id.as_str()).filter(|entry| entry.for_ms == middle_ms(&it.span));
            entry.is_some_and(|entry| it.state != State::Confirmed || entry.at_ms >= it.changed_ms)
        };
        let new: Vec<Entry> = ahead
            .values()
            .filter(|it| !is_known(it))
            .filter_map(|it| self.entry(format!("{RESERVATION}{}", it.id), middle_ms(&it.span)))
            .collect();
        let is_gone =
            |(id, entry): &(&&str, &&Entry)| entry.for_ms > self.now_ms && !ahead.contains_key(**id);
        let gone: Vec<String> = waiting.iter().filter(is_gone).map(|(_, entry)| entry.id.clone()).collect();
        let has_changed = !new.is_empty() || !gone.is_empty();
        gone.iter().for_each(|id| ledger.forget(id));
        new.into_iter().for_each(|entry| ledger.record(entry));
        has_changed
    }

    /// Each hour has an entry for an hour later.
    fn hour(&self, ledger: &mut Ledger) -> bool {
        let id = format!("hour:{}", self.now_ms.div_euclid(HOUR_MS));
        if ledger.waiting().any(|entry| entry.id == id) {
            return false;
        }
        self.entry(id, self.now_ms + HOUR_MS).map(|entry| ledger.record(entry)).is_some()
    }

    /// What the app will use at a moment, by what is promised now; `None` where those are more than can be counted.
    fn entry(&self, id: String, for_ms: i64) -> Option<Entry> {
        let mut counts: BTreeMap<Role, u64> = BTreeMap::new();
        let is_there = |it: &&Reservation| it.state.is_promised() && it.span.contains(for_ms);
        for (role, count) in self.reservations.iter().filter(is_there).flat_map(|it| it.counts.iter()) {
            *counts.entry(role.clone()).or_default() += count;
        }
        let counts = Counts::new(counts).ok()?;
        let ask = Ask { counts, pods: self.pods, connections: 0, uptime_hours: None };
        let projection = self.profile.project(&ask);
        Some(Entry {
            id,
            at_ms: self.now_ms,
            for_ms,
            counts: ask.counts,
            p50_bytes: projection.p50_bytes,
            p95_bytes: projection.p95_bytes,
            p99_bytes: projection.p99_bytes,
        })
    }
}

fn middle_ms(span: &Span) -> i64 {
    span.start_ms + span.length_ms() / 2
}

#[cfg(test)]
mod tests {
    use super::super::booking::fixtures::reservation;
    use super::super::booking::reservation::Event;
    use super::super::formula::ledger::Scored;
    use super::super::formula::plain::Formula;
    use super::*;

    const START_MS: i64 = 1_000 * HOUR_MS;

    fn seen(at_ms: i64, people: u64, memory_bytes: Option<u64>) -> Seen {
        let counts = Counts::new([(Role::PARTICIPANT_VIDEO, people)].into()).unwrap();
        let together = Together { at_ms, memory_bytes, counts, pods: 1, is_whole: true };
        let expected_mb = 100.0 + 15.0 * people as f64;
        Seen { together, outlook: Some(Outlook { expected_mb, ..Outlook::NONE }) }
    }

    #[test]
    fn what_is_promised_is_foretold_once_and_scored_when_it_has_come() {
        let profile = Profile::assumed("", &Formula::backend());
        let mut all = vec![reservation("a", (START_MS + HOUR_MS, START_MS + 3 * HOUR_MS), 4)];
        let mut ledger = Ledger::default();
        let keep = |ledger: &mut Ledger, all: &[Reservation], now_ms: i64, seen: Option<&Seen>| {
            Foreteller { profile: &profile, reservations: all, pods: 1, now_ms }.keep(ledger, seen)
        };
        assert!(!keep(&mut ledger, &all, START_MS, None), "it is not promised yet");
        all[0].apply(Event::Confirm, START_MS, "").unwrap();
        assert!(keep(&mut ledger, &all, START_MS, None));
        assert!(!keep(&mut ledger, &all, START_MS + 1, None));
        let entry = ledger.waiting().next().unwrap().clone();
        assert_eq!((entry.for_ms, entry.counts.total()), (START_MS + 2 * HOUR_MS, 4));
        assert_eq!(entry.p50_bytes, 160_000_000);
        // It changes, and is foretold anew.
        all[0].counts = Counts::new([(Role::PARTICIPANT_VIDEO, 6)].into()).unwrap();
        all[0].changed_ms = START_MS + 2;
        assert!(keep(&mut ledger, &all, START_MS + 3, None));
        assert_eq!((ledger.open(), ledger.waiting().next().unwrap().counts.total()), (1, 6));
        all[0].apply(Event::Prepare, START_MS + 4, "").unwrap();
        assert!(!keep(&mut ledger, &all, START_MS + 5, None));
        let middle_ms = START_MS + 2 * HOUR_MS;
        assert!(keep(&mut ledger, &all, middle_ms + 10, Some(&seen(middle_ms + 5, 6, Some(200_000_000)))));
        let scored: Vec<&Scored> = ledger.scored().collect();
        let ids: Vec<&str> = scored.iter().map(|it| it.entry.id.as_str()).collect();
        assert_eq!(ids, ["reservation:a", "step:6012"]);
        assert!(scored.iter().all(|it| it.is_as_asked() && it.used_bytes == 200_000_000));
        assert_eq!(scored.iter().map(|it| is_step(&it.entry)).collect::<Vec<bool>>(), [false, true]);
        // What waits now is the hour's.
        assert_eq!(ledger.waiting().map(|it| it.for_ms).collect::<Vec<i64>>(), [middle_ms + 10 + HOUR_MS]);
        assert!(!keep(&mut ledger, &all, middle_ms + 20, Some(&seen(middle_ms + 15, 6, Some(200_000_000)))));
    }

    #[test]
    fn what_was_not_read_scores_nothing_and_what_is_cancelled_is_taken_back() {
        let profile = Profile::assumed("", &Formula::backend());
        let mut all = vec![reservation("a", (START_MS + HOUR_MS, START_MS + 3 * HOUR_MS), 4)];
        all[0].apply(Event::Confirm, START_MS, "").unwrap();
        let mut ledger = Ledger::default();
        let mut keep = |all: &[Reservation], seen: &Seen| {
            Foreteller { profile: &profile, reservations: all, pods: 1, now_ms: START_MS }
                .keep(&mut ledger, Some(seen));
            (ledger.open(), ledger.scored().count())
        };
        assert_eq!(keep(&all, &seen(START_MS, 1, None)), (2, 0));
        let mut part = seen(START_MS, 1, Some(1 << 27));
        part.together.is_whole = false;
        assert_eq!(keep(&all, &part), (2, 0));
        let mut unread = seen(START_MS, 1, Some(1 << 27));
        unread.outlook = None;
        assert_eq!(keep(&all, &unread), (2, 0));
        assert_eq!(keep(&all, &seen(START_MS, 1, Some(1 << 27))), (2, 1));
        all[0].apply(Event::Cancel, START_MS, "").unwrap();
        assert_eq!(keep(&all, &seen(START_MS, 1, Some(1 << 27))), (1, 1));
    }
}
