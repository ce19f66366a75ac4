//! What the desk is asked to do, each as it is done to the book.

use super::book::Book;
use super::desk::{Replacement, Request, Seen};
use super::problem::{Code, Problem};
use super::schedule::answer::view;
use super::terms::unknown_role;
use crate::config::Capacity;
use plimsoll_capacity::{Answer, Change, Deed};
use plimsoll_core::capacity::booking::admit::SeriesAdmission;
use plimsoll_core::capacity::booking::reservation::{Event, Reservation, State};
use serde_json::{Value, json};

/// A change under way, and the book in it.
pub(super) struct Session<'a> {
    pub capacity: &'a Capacity,
    pub book: &'a mut Book,
    pub change: &'a mut Change,
    pub now_ms: i64,
}

impl Session<'_> {
    /// Decides about a request: HTTP's status, and the answer.
    pub async fn reserve(&mut self, request: &Request) -> Result<(u16, Value), Problem> {
        let owner = request.wanted.first().map(|it| it.owner.clone()).unwrap_or_default();
        if let Some((key, digest)) = &request.key
            && let Some(answer) = self.change.answer(&owner, key, self.now_ms).await?
        {
            if answer.request == *digest {
                return Ok((answer.status, answer.body));
            }
            let text =
                format!("the key '{key}' was sent with another request\nsend a new key with a new request");
            return Err(Problem::new(Code::KeyReused, text));
        }
        let admission = self.book.board.admit_series(&request.wanted).map_err(unknown_role)?;
        let answered = match admission.reserved {
            true => self.take(request, &admission)?,
            false => self.refuse(request, &admission)?,
        };
        let status = status(request, &answered);
        let body = view(self.capacity, request.is_series, &admission, &answered);
        if status >= 400 {
            return Err(refusal(&admission, body));
        }
        if request.is_dry {
            self.book.undo()?;
            return Ok((status, body));
        }
        self.book.keep(self.change);
        for one in &request.wanted {
            self.change.audit(self.deed(&request.who, "reserve", &one.id));
        }
        if let Some((key, digest)) = &request.key {
            let answer = Answer { request: digest.clone(), status, body: body.clone() };
            self.change.keep_answer(&owner, key, self.now_ms, answer);
        }
        Ok((status, body))
    }

    /// It is promised, or held.
    fn take(&mut self, request: &Request, admission: &SeriesAdmission) -> Result<Vec<Reservation>, Problem> {
        for (wanted, one) in request.wanted.iter().zip(&admission.occurrences) {
            self.book.set(wanted.clone())?;
            if request.is_hold {
                let about =
                    json!({"from": null, "to": State::Requested, "why": "it is held", "owner": wanted.owner});
                self.book.news.push((self.now_ms, wanted.id.clone(), about));
            } else {
                self.book.apply(&wanted.id, Event::Confirm, self.now_ms, "there is a place")?;
            }
            self.book.place(one)?;
        }
        Ok(self.of(request))
    }

    /// It waits where it may, and is refused where it may not.
    fn refuse(
        &mut self,
        request: &Request,
        admission: &SeriesAdmission,
    ) -> Result<Vec<Reservation>, Problem> {
        let first = request.wanted.first().filter(|_| request.may_wait && !request.is_series);
        let could = first.map(|one| self.book.board.could_ever_fit(one)).transpose().map_err(unknown_role)?;
        let event = if could == Some(true) { Event::Waitlist } else { Event::Reject };
        let why = why(admission);
        for wanted in &request.wanted {
            self.book.set(wanted.clone())?;
            self.book.apply(&wanted.id, event, self.now_ms, why)?;
        }
        Ok(self.of(request))
    }

    fn of(&self, request: &Request) -> Vec<Reservation> {
        request.wanted.iter().filter_map(|wanted| self.book.get(&wanted.id).cloned()).collect()
    }

    /// Makes something else of a reservation, if that has a place.
    pub async fn replace(&mut self, asked: &Replacement) -> Result<(Reservation, Value), Problem> {
        let current = self.find(&asked.seen).await?;
        if !matches!(current.state, State::Requested | State::Confirmed | State::Waitlisted) {
            let text = "it has begun or is over\nreserve anew";
            return Err(Problem::new(Code::WrongState, text).with("state", current.state));
        }
        let wanted = Reservation {
            id: current.id.clone(),
            occurrence: current.occurrence.clone(),
            created_ms: current.created_ms,
            confirmed_ms: current.confirmed_ms,
            revision: current.revision,
            // As who asks anew: what it has now is free for it.
            state: State::Requested,
            hold_until_ms: None,
            ..asked.wanted.clone()
        };
        self.book.take_out(&current.id);
        let admission = self.book.board.admit_series(std::slice::from_ref(&wanted)).map_err(unknown_role)?;
        if !admission.reserved {
            return Err(refusal(&admission, view(self.capacity, false, &admission, &[wanted])));
        }
        self.book.set(wanted)?;
        self.book.apply(&current.id, Event::Confirm, self.now_ms, "it was changed")?;
        if let Some((_, _, about)) = self.book.news.last_mut() {
            about["from"] = json!(current.state);
        }
        for one in &admission.occurrences {
            self.book.place(one)?;
        }
        self.book.promote(self.now_ms)?;
        self.book.keep(self.change);
        self.change.audit(self.deed(&asked.seen.who, "change", &current.id));
        let changed = self.book.get(&current.id).cloned().unwrap_or(current);
        let body = view(self.capacity, false, &admission, std::slice::from_ref(&changed));
        Ok((changed, body))
    }

    /// Something happens to one of them, by its owner or an administrator.
    pub async fn happen(&mut self, seen: &Seen, event: Event) -> Result<Reservation, Problem> {
        let current = self.find(seen).await?;
        self.book.apply(&seen.id, event, self.now_ms, "by request")?;
        self.book.promote(self.now_ms)?;
        self.book.keep(self.change);
        self.change.audit(self.deed(&seen.who, event.name(), &seen.id));
        Ok(self.book.get(&seen.id).cloned().unwrap_or(current))
    }

    /// Cancels all occurrences of a series that have not started.
    pub fn cancel_series(&mut self, seen: &Seen) -> Result<Vec<Reservation>, Problem> {
        let is_of = |it: &&Reservation| it.occurrence.as_ref().is_some_and(|of| of.series_id == seen.id);
        let open: Vec<Reservation> =
            self.book.all().filter(is_of).filter(|it| !it.state.is_over()).cloned().collect();
        let ahead: Vec<&Reservation> = open.iter().filter(|it| it.state != State::Active).collect();
        if ahead.is_empty() {
            let text = format!(
                "series '{}' has no occurrence that is still to come\nsee GET /api/capacity/schedule?series_id=",
                seen.id
            );
            return Err(Problem::new(Code::NotFound, text));
        }
        for one in &ahead {
            (seen.may)(one)?;
        }
        for one in &ahead {
            self.book.apply(&one.id, Event::Cancel, self.now_ms, "its series was cancelled")?;
        }
        self.book.promote(self.now_ms)?;
        self.book.keep(self.change);
        self.change.audit(self.deed(&seen.who, "cancel series", &seen.id));
        Ok(ahead.iter().filter_map(|one| self.book.get(&one.id).cloned()).collect())
    }

    /// The reservation that somebody means.
    async fn find(&mut self, seen: &Seen) -> Result<Reservation, Problem> {
        let found = match self.book.get(&seen.id) {
            Some(found) => found.clone(),
            None => {
                let stored = self.change.reservation(&seen.id).await?;
                let stored = stored.ok_or_else(|| Problem::no_reservation(&seen.id))?;
                self.book.note(stored.clone())?;
                stored
            }
        };
        (seen.may)(&found)?;
        if seen.revision.is_some_and(|seen| seen != found.revision) {
            let text = format!("reservation '{}' is at revision {}\nread it again", seen.id, found.revision);
            return Err(Problem::new(Code::Changed, text).with("revision", found.revision));
        }
        Ok(found)
    }

    /// What supply makes of all of them; how many have changed.
    pub fn sweep(&mut self) -> Result<usize, Problem> {
        self.book.settle(self.now_ms)?;
        self.book.promote(self.now_ms)?;
        self.book.prune(self.now_ms);
        Ok(self.book.keep(self.change))
    }

    fn deed(&self, who: &str, what: &str, subject: &str) -> Deed {
        let text = str::to_string;
        Deed { at_ms: self.now_ms, who: text(who), what: text(what), subject: text(subject) }
    }
}

/// 201 where it has a place, 202 where it waits, 409 where it has none; 200 where nothing is kept.
fn status(request: &Request, answered: &[Reservation]) -> u16 {
    match answered.first().map(|it| it.state) {
        Some(State::Rejected) | None => 409,
        Some(_) if request.is_dry => 200,
        Some(State::Waitlisted) => 202,
        Some(_) => 201,
    }
}

fn why(admission: &SeriesAdmission) -> &str {
    admission.occurrences.iter().find(|it| !it.reserved).map_or("", |it| it.explain.why.as_str())
}

/// It does not fit: why, and what would.
fn refusal(admission: &SeriesAdmission, body: Value) -> Problem {
    let text = format!("{}\ntake what explain says, or wait for a place with may_wait", why(admission));
    let mut problem = Problem::new(Code::CapacityExhausted, text);
    if let Value::Object(answer) = body {
        for (key, value) in answer {
            problem = problem.with(&key, value);
        }
    }
    problem
}
