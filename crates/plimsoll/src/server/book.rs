//! The book: reservations as one change sees them, and what becomes of them in it.

use super::desk::Request;
use super::problem::{Code, Problem};
use super::terms::{Terms, unknown_role};
use plimsoll_capacity::Change;
use plimsoll_core::capacity::booking::admit::{Admission, SeriesAdmission, Turn, Verdict, settle};
use plimsoll_core::capacity::booking::reservation::{Event, Reservation, State};
use plimsoll_core::capacity::booking::span::DAY_MS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Those that are over count for their owners' weeks for so long.
const PAST_MS: i64 = 7 * DAY_MS;

/// Reservations as a change sees them, and what becomes of them.
pub(super) struct Book {
    pub all: BTreeMap<String, Reservation>,
    changed: BTreeSet<String>,
    news: Vec<(i64, String, Value)>,
}

impl Book {
    /// With what was due before now.
    pub async fn open(terms: &Terms, change: &mut Change, now_ms: i64) -> Result<Book, Problem> {
        let all = change.open_reservations(now_ms - PAST_MS).await?;
        let all = all.into_iter().map(|it| (it.id.clone(), it)).collect();
        let mut book = Book { all, changed: BTreeSet::new(), news: Vec::new() };
        let ids: Vec<String> = book.all.keys().cloned().collect();
        for id in ids {
            while let Some((event, why)) = book.all.get(&id).and_then(|it| it.due(now_ms)) {
                book.apply(&id, event, now_ms, why)?;
            }
        }
        if !book.changed.is_empty() {
            book.promote(terms, now_ms)?;
        }
        Ok(book)
    }

    /// All of them.
    pub fn list(&self) -> Vec<Reservation> {
        self.all.values().cloned().collect()
    }

    /// How many have changed.
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Something happens to one of them.
    pub fn apply(&mut self, id: &str, event: Event, now_ms: i64, why: &str) -> Result<(), Problem> {
        let Some(found) = self.all.get_mut(id) else { return Ok(()) };
        let change = found
            .apply(event, now_ms, why)
            .map_err(|error| Problem::new(Code::WrongState, error.to_string()).with("state", found.state))?;
        let about = json!({"from": change.from, "to": change.to, "why": change.why, "owner": found.owner});
        self.news.push((change.at_ms, id.to_string(), about));
        self.changed.insert(id.to_string());
        Ok(())
    }

    /// Writes down a place; others may have been moved for it.
    fn place(&mut self, admission: &Admission) {
        let moved = admission.moved.iter().map(|it| (&it.id, &it.placement));
        for (id, placement) in moved.chain([(&admission.id, &admission.placement)]) {
            if let Some(found) = self.all.get_mut(id)
                && found.placement != *placement
            {
                found.placement = placement.clone();
                self.changed.insert(id.clone());
            }
        }
    }

    /// Another takes the place of one in this state, and is promised what it has.
    pub fn replace(
        &mut self,
        state: State,
        wanted: Reservation,
        admission: &SeriesAdmission,
        now_ms: i64,
    ) -> Result<(), Problem> {
        let id = wanted.id.clone();
        self.all.insert(id.clone(), wanted);
        self.apply(&id, Event::Confirm, now_ms, "it was changed")?;
        if let Some((_, _, about)) = self.news.last_mut() {
            about["from"] = json!(state);
        }
        admission.occurrences.iter().for_each(|one| self.place(one));
        Ok(())
    }

    /// It is promised, or held.
    pub fn take(
        &mut self,
        request: &Request,
        admission: &SeriesAdmission,
        now_ms: i64,
    ) -> Result<Vec<Reservation>, Problem> {
        for (wanted, one) in request.wanted.iter().zip(&admission.occurrences) {
            self.all.insert(wanted.id.clone(), wanted.clone());
            self.changed.insert(wanted.id.clone());
            if request.is_hold {
                let about =
                    json!({"from": null, "to": State::Requested, "why": "it is held", "owner": wanted.owner});
                self.news.push((now_ms, wanted.id.clone(), about));
            } else {
                self.apply(&wanted.id, Event::Confirm, now_ms, "there is a place")?;
            }
            self.place(one);
        }
        Ok(self.of(request))
    }

    /// It waits where it may, and is refused where it may not.
    pub fn refuse(
        &mut self,
        request: &Request,
        admission: &SeriesAdmission,
        may_wait: bool,
        now_ms: i64,
    ) -> Result<Vec<Reservation>, Problem> {
        let why =
            admission.occurrences.iter().find(|it| !it.reserved).map_or("", |it| it.explain.why.as_str());
        let event = if may_wait { Event::Waitlist } else { Event::Reject };
        for wanted in &request.wanted {
            self.all.insert(wanted.id.clone(), wanted.clone());
            self.apply(&wanted.id, event, now_ms, why)?;
        }
        Ok(self.of(request))
    }

    fn of(&self, request: &Request) -> Vec<Reservation> {
        request.wanted.iter().filter_map(|wanted| self.all.get(&wanted.id).cloned()).collect()
    }

    /// Who waits gets what is free, in turn.
    pub fn promote(&mut self, terms: &Terms, now_ms: i64) -> Result<(), Problem> {
        let waiting: Vec<Reservation> =
            self.all.values().filter(|it| it.state == State::Waitlisted).cloned().collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let turns = terms.board(&self.list(), now_ms)?.promote(&waiting).map_err(unknown_role)?;
        for (id, turn) in turns {
            if let Turn::Promoted(admission) = turn {
                self.apply(&id, Event::Confirm, now_ms, "a place has become free")?;
                self.place(&admission);
            }
        }
        Ok(())
    }

    /// Who still has a place, now that supply is what it is.
    pub fn settle(&mut self, terms: &Terms, now_ms: i64) -> Result<(), Problem> {
        for settled in settle(&terms.supply, &terms.loads, &self.list(), now_ms).map_err(unknown_role)? {
            let (id, placement) = match settled.verdict {
                Verdict::Kept | Verdict::StillDegraded => continue,
                Verdict::Lost(event) => {
                    self.apply(&settled.id, event, now_ms, "the capacity it was promised is gone")?;
                    continue;
                }
                Verdict::Restored(placement) => {
                    self.apply(&settled.id, Event::Restore, now_ms, "there is capacity for it again")?;
                    (settled.id, placement)
                }
                Verdict::Moved(placement) => (settled.id, placement),
            };
            if let Some(found) = self.all.get_mut(&id) {
                found.placement = placement;
                self.changed.insert(id);
            }
        }
        Ok(())
    }

    pub async fn save(&mut self, change: &mut Change) -> Result<(), Problem> {
        for id in &self.changed {
            if let Some(reservation) = self.all.get(id) {
                change.put(reservation).await?;
            }
        }
        for (at_ms, id, about) in std::mem::take(&mut self.news) {
            change.tell(at_ms, "reservation", &id, about).await?;
        }
        Ok(())
    }
}
