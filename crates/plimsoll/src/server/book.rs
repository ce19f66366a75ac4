//! The book: reservations as the desk knows them, what they hold, and what becomes of them.
//!
//! It is kept from one change to the next, and told what other replicas have written; so a decision does not read what is
//! stored. What a task does to it is undone when the task comes to nothing.

use super::problem::{Code, Problem};
use super::terms::{Terms, unknown_role};
use plimsoll_capacity::Change;
use plimsoll_core::capacity::booking::admit::{Admission, Board, Turn, Verdict, settle};
use plimsoll_core::capacity::booking::reservation::{Event, Reservation, State};
use plimsoll_core::capacity::booking::rooms::{Moved, Placed};
use plimsoll_core::capacity::booking::span::{DAY_MS, Span};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Those that are over count for their owners' weeks for so long.
pub(super) const PAST_MS: i64 = 7 * DAY_MS;

/// Reservations, and what they hold.
#[derive(Debug)]
pub struct Book {
    /// What it is decided by.
    pub terms: Arc<Terms>,
    /// The change up to which it knows all.
    pub revision: i64,
    all: BTreeMap<String, Reservation>,
    /// What is promised.
    pub board: Board,
    /// When time does something to which.
    due: BTreeSet<(i64, String)>,
    waiting: BTreeSet<String>,
    degraded: BTreeSet<String>,
    /// All have been looked at since terms are as they are.
    is_settled: bool,
    /// As they were before the task that is at it.
    before: BTreeMap<String, Option<Reservation>>,
    /// What is to be told of that task.
    pub news: Vec<(i64, String, Value)>,
}

impl Book {
    /// With all that is stored up to a change.
    pub fn of(terms: Arc<Terms>, all: Vec<Reservation>, revision: i64, now_ms: i64) -> Result<Book, Problem> {
        let board = terms.board(now_ms)?;
        let mut book = Book {
            terms,
            revision,
            all: BTreeMap::new(),
            board,
            due: BTreeSet::new(),
            waiting: BTreeSet::new(),
            degraded: BTreeSet::new(),
            is_settled: false,
            before: BTreeMap::new(),
            news: Vec::new(),
        };
        for one in all {
            book.note(one)?;
        }
        Ok(book)
    }

    /// The same reservations, by other terms.
    pub fn by(self, terms: Arc<Terms>, now_ms: i64) -> Result<Book, Problem> {
        Book::of(terms, self.all.into_values().collect(), self.revision, now_ms)
    }

    /// Takes note of one as it is stored.
    pub fn note(&mut self, one: Reservation) -> Result<(), Problem> {
        if let Some(before) = self.all.remove(&one.id) {
            self.forget(&before);
        }
        self.board.put(&one).map_err(unknown_role)?;
        if let Some((at_ms, ..)) = one.next() {
            self.due.insert((at_ms, one.id.clone()));
        }
        match one.state {
            State::Waitlisted => drop(self.waiting.insert(one.id.clone())),
            State::Degraded => drop(self.degraded.insert(one.id.clone())),
            _ => {}
        }
        self.all.insert(one.id.clone(), one);
        Ok(())
    }

    fn forget(&mut self, one: &Reservation) {
        self.board.release(one);
        if let Some((at_ms, ..)) = one.next() {
            self.due.remove(&(at_ms, one.id.clone()));
        }
        self.waiting.remove(&one.id);
        self.degraded.remove(&one.id);
    }

    /// One of them, as far as it is still of interest.
    pub fn get(&self, id: &str) -> Option<&Reservation> {
        self.all.get(id)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Reservation> {
        self.all.values()
    }

    /// Those that are not over.
    pub fn open(&self) -> Vec<Reservation> {
        self.all.values().filter(|it| !it.state.is_over()).cloned().collect()
    }

    /// Those that are not over and hold capacity, or would, at some moment of a span.
    pub fn during(&self, span: &Span) -> Vec<Reservation> {
        let is_meant = |it: &&Reservation| !it.state.is_over() && it.footprint().overlaps(span);
        self.all.values().filter(is_meant).cloned().collect()
    }

    /// Writes one down as it is now.
    pub fn set(&mut self, one: Reservation) -> Result<(), Problem> {
        self.keep_before(&one.id);
        self.note(one)
    }

    /// Takes one out, as if it had not been there.
    pub fn take_out(&mut self, id: &str) {
        self.keep_before(id);
        if let Some(before) = self.all.remove(id) {
            self.forget(&before);
        }
    }

    fn keep_before(&mut self, id: &str) {
        if !self.before.contains_key(id) {
            self.before.insert(id.to_string(), self.all.get(id).cloned());
        }
    }

    /// Something happens to one of them.
    pub fn apply(&mut self, id: &str, event: Event, now_ms: i64, why: &str) -> Result<(), Problem> {
        let Some(mut found) = self.all.get(id).cloned() else { return Ok(()) };
        let change = found
            .apply(event, now_ms, why)
            .map_err(|error| Problem::new(Code::WrongState, error.to_string()).with("state", found.state))?;
        let about = json!({"from": change.from, "to": change.to, "why": change.why, "owner": found.owner});
        self.news.push((change.at_ms, id.to_string(), about));
        self.set(found)
    }

    /// Writes down a place; others may have been moved for it.
    pub fn place(&mut self, admission: &Admission) -> Result<(), Problem> {
        self.put_at(&admission.id, &admission.placement, &admission.moved)
    }

    fn put_at(&mut self, id: &str, placement: &[Placed], moved: &[Moved]) -> Result<(), Problem> {
        let moved = moved.iter().map(|it| (it.id.as_str(), &it.placement[..]));
        for (id, placement) in moved.chain([(id, placement)]) {
            if let Some(found) = self.all.get(id) {
                self.set(Reservation { placement: placement.to_vec(), ..found.clone() })?;
            }
        }
        Ok(())
    }

    /// What time has made of them by now.
    pub fn advance(&mut self, now_ms: i64) -> Result<(), Problem> {
        self.board.at(now_ms);
        let mut is_any = false;
        while let Some((_, id)) = self.due.first().filter(|(at_ms, _)| *at_ms <= now_ms).cloned() {
            let Some((event, why)) = self.all.get(&id).and_then(|it| it.due(now_ms)) else { break };
            self.apply(&id, event, now_ms, why)?;
            is_any = true;
        }
        if is_any { self.promote(now_ms) } else { Ok(()) }
    }

    /// Who waits gets what is free, in turn.
    pub fn promote(&mut self, now_ms: i64) -> Result<(), Problem> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = self.those(&self.waiting);
        for (id, turn) in self.board.promote(&waiting).map_err(unknown_role)? {
            if let Turn::Promoted(admission) = turn {
                self.apply(&id, Event::Confirm, now_ms, "a place has become free")?;
                self.place(&admission)?;
            }
        }
        Ok(())
    }

    fn those(&self, ids: &BTreeSet<String>) -> Vec<Reservation> {
        ids.iter().filter_map(|id| self.all.get(id).cloned()).collect()
    }

    /// Who still has a place, now that terms are what they are; and who has one again.
    pub fn settle(&mut self, now_ms: i64) -> Result<(), Problem> {
        if !self.is_settled {
            self.settle_all(now_ms)?;
            self.is_settled = true;
        } else if !self.degraded.is_empty() {
            let degraded = self.those(&self.degraded);
            for one in self.board.restore(&degraded).map_err(unknown_role)? {
                self.apply(&one.id, Event::Restore, now_ms, "there is capacity for it again")?;
                self.put_at(&one.id, &one.placement, &one.moved)?;
            }
        }
        Ok(())
    }

    fn settle_all(&mut self, now_ms: i64) -> Result<(), Problem> {
        let settled = settle(&self.terms.supply, &self.terms.loads, self.all.values(), now_ms);
        for settled in settled.map_err(unknown_role)? {
            let id = settled.id;
            match settled.verdict {
                Verdict::Kept | Verdict::StillDegraded => {}
                Verdict::Lost(event) => {
                    self.apply(&id, event, now_ms, "the capacity it was promised is gone")?;
                }
                Verdict::Restored(placement) => {
                    self.apply(&id, Event::Restore, now_ms, "there is capacity for it again")?;
                    self.put_at(&id, &placement, &[])?;
                }
                Verdict::Moved(placement) => self.put_at(&id, &placement, &[])?,
            }
        }
        Ok(())
    }

    /// Forgets those that are over for so long that they count for nothing.
    pub fn prune(&mut self, now_ms: i64) {
        let is_old = |it: &Reservation| it.state.is_over() && it.footprint().end_ms <= now_ms - PAST_MS;
        let old: Vec<Reservation> = self.all.values().filter(|it| is_old(it)).cloned().collect();
        for one in old {
            self.forget(&one);
            self.all.remove(&one.id);
        }
    }

    /// What a task did is to be kept: how many it has changed.
    pub fn keep(&mut self, change: &mut Change) -> usize {
        let changed = std::mem::take(&mut self.before);
        for id in changed.keys() {
            if let Some(one) = self.all.get(id) {
                change.put(one);
            }
        }
        for (at_ms, id, about) in std::mem::take(&mut self.news) {
            change.tell(at_ms, "reservation", &id, about);
        }
        changed.len()
    }

    /// What a task did has not happened.
    pub fn undo(&mut self) -> Result<(), Problem> {
        self.news.clear();
        let before = std::mem::take(&mut self.before);
        // First all that it has taken is free again.
        for id in before.keys() {
            if let Some(now) = self.all.remove(id) {
                self.forget(&now);
            }
        }
        before.into_values().flatten().try_for_each(|one| self.note(one))
    }
}
