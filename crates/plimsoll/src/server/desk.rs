//! The desk: who is promised what. Each decision is made in one change of the database, so that no two are made at the
//! same time, by however many replicas.

use super::book::Book;
use super::problem::{Code, Problem};
use super::schedule::answer::view;
use super::terms::{Terms, unknown_role};
use crate::config::Capacity;
use plimsoll_capacity::{Answer, Change, Database, Deed};
use plimsoll_core::capacity::booking::admit::SeriesAdmission;
use plimsoll_core::capacity::booking::reservation::{Event, Reservation, State};
use serde_json::Value;
use std::sync::Arc;

/// What is promised of.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where it is kept.
    pub database: Database,
    /// What the configuration says.
    pub capacity: Capacity,
}

/// A request to reserve.
#[derive(Debug, Clone)]
pub struct Request {
    /// One, or all occurrences of what recurs.
    pub wanted: Vec<Reservation>,
    /// It is asked for by a rule.
    pub is_series: bool,
    /// Nothing is to be kept.
    pub is_dry: bool,
    /// It may wait where there is no place.
    pub may_wait: bool,
    /// It is confirmed later, or runs out.
    pub is_hold: bool,
    /// `Idempotency-Key`, and a digest of the request.
    pub key: Option<(String, String)>,
    /// Who asks.
    pub who: Arc<str>,
}

/// Which reservation somebody means, and as what they saw it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Which.
    pub id: &'a str,
    /// Its revision, where they say so.
    pub revision: Option<u64>,
    /// Who they are.
    pub who: &'a str,
}

impl Desk {
    /// Decides about a request: HTTP's status, and the answer.
    ///
    /// # Errors
    ///
    /// Where it does not fit, is not valid, or the store does not answer.
    pub async fn reserve(&self, request: Request, now_ms: i64) -> Result<(u16, Value), Problem> {
        let mut change = self.database.change().await?;
        let owner = request.wanted.first().map(|it| it.owner.clone()).unwrap_or_default();
        if let Some((key, digest)) = &request.key
            && let Some(answer) = change.answer(&owner, key, now_ms).await?
        {
            if answer.request == *digest {
                return Ok((answer.status, answer.body));
            }
            let text =
                format!("the key '{key}' was sent with another request\nsend a new key with a new request");
            return Err(Problem::new(Code::KeyReused, text));
        }
        let terms = Terms::of(&self.capacity, &mut change).await?;
        let mut book = Book::open(&terms, &mut change, now_ms).await?;
        let mut board = terms.board(&book.list(), now_ms)?;
        let admission = board.admit_series(&request.wanted).map_err(unknown_role)?;
        let answered = if admission.reserved {
            book.take(&request, &admission, now_ms)?
        } else {
            let may_wait = request.may_wait && !request.is_series;
            let first = request.wanted.first().filter(|_| may_wait);
            let could = first.map(|one| board.could_ever_fit(one)).transpose().map_err(unknown_role)?;
            book.refuse(&request, &admission, could == Some(true), now_ms)?
        };
        let status = status(&request, &answered);
        let body = view(self, request.is_series, &admission, &answered);
        if status >= 400 {
            return Err(refusal(&admission, body));
        }
        if !request.is_dry {
            book.save(&mut change).await?;
            for one in &request.wanted {
                change.audit(&deed(&request.who, "reserve", &one.id, now_ms)).await?;
            }
            if let Some((key, digest)) = request.key {
                let answer = Answer { request: digest, status, body: body.clone() };
                change.keep_answer(&owner, &key, now_ms, &answer).await?;
            }
            change.commit().await?;
        }
        Ok((status, body))
    }

    /// Makes something else of a reservation, if that has a place; where it has none it stays as it was.
    ///
    /// # Errors
    ///
    /// As [`Desk::happen`], and where it does not fit.
    pub async fn replace(
        &self,
        seen: Seen<'_>,
        wanted: Reservation,
        may: impl Fn(&Reservation) -> Result<(), Problem>,
        now_ms: i64,
    ) -> Result<(Reservation, Value), Problem> {
        let mut change = self.database.change().await?;
        let terms = Terms::of(&self.capacity, &mut change).await?;
        let (mut book, current) = self.find(seen, may, &terms, &mut change, now_ms).await?;
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
            ..wanted
        };
        book.all.remove(&current.id);
        let wanted = [wanted];
        let admission = terms.board(&book.list(), now_ms)?.admit_series(&wanted).map_err(unknown_role)?;
        let [wanted] = wanted;
        if !admission.reserved {
            return Err(refusal(&admission, view(self, false, &admission, &[wanted])));
        }
        book.replace(current.state, wanted, &admission, now_ms)?;
        book.promote(&terms, now_ms)?;
        book.save(&mut change).await?;
        change.audit(&deed(seen.who, "change", seen.id, now_ms)).await?;
        change.commit().await?;
        let changed = book.all.remove(&current.id).unwrap_or(current);
        let body = view(self, false, &admission, std::slice::from_ref(&changed));
        Ok((changed, body))
    }

    /// Something happens to one of them, by its owner or an administrator.
    ///
    /// # Errors
    ///
    /// Where there is none, it has changed meanwhile, or its state does not allow it.
    pub async fn happen(
        &self,
        seen: Seen<'_>,
        event: Event,
        may: impl Fn(&Reservation) -> Result<(), Problem>,
        now_ms: i64,
    ) -> Result<Reservation, Problem> {
        let mut change = self.database.change().await?;
        let terms = Terms::of(&self.capacity, &mut change).await?;
        let (mut book, current) = self.find(seen, may, &terms, &mut change, now_ms).await?;
        book.apply(seen.id, event, now_ms, "by request")?;
        book.promote(&terms, now_ms)?;
        book.save(&mut change).await?;
        let what = serde_json::to_value(event).unwrap_or_default();
        change.audit(&deed(seen.who, what.as_str().unwrap_or_default(), seen.id, now_ms)).await?;
        change.commit().await?;
        Ok(book.all.remove(seen.id).unwrap_or(current))
    }

    /// The book, and in it the reservation that somebody means.
    async fn find(
        &self,
        seen: Seen<'_>,
        may: impl Fn(&Reservation) -> Result<(), Problem>,
        terms: &Terms,
        change: &mut Change,
        now_ms: i64,
    ) -> Result<(Book, Reservation), Problem> {
        let id = seen.id;
        let found = change.reservation(id).await?;
        let unknown =
            || Problem::new(Code::NotFound, format!("no reservation '{id}'\nsee GET /api/capacity/schedule"));
        let found = found.ok_or_else(unknown)?;
        may(&found)?;
        let mut book = Book::open(terms, change, now_ms).await?;
        let current = book.all.entry(id.to_string()).or_insert(found).clone();
        if seen.revision.is_some_and(|seen| seen != current.revision) {
            let text = format!("reservation '{id}' is at revision {}\nread it again", current.revision);
            return Err(Problem::new(Code::Changed, text).with("revision", current.revision));
        }
        Ok((book, current))
    }

    /// What time and supply make of all of them; how many have changed.
    ///
    /// # Errors
    ///
    /// Where the store does not answer.
    pub async fn sweep(&self, now_ms: i64) -> Result<usize, Problem> {
        let mut change = self.database.change().await?;
        let terms = Terms::of(&self.capacity, &mut change).await?;
        let mut book = Book::open(&terms, &mut change, now_ms).await?;
        book.settle(&terms, now_ms)?;
        book.promote(&terms, now_ms)?;
        let changed = book.changed();
        if changed > 0 {
            book.save(&mut change).await?;
            change.commit().await?;
        }
        Ok(changed)
    }
}

fn deed(who: &str, what: &str, subject: &str, at_ms: i64) -> Deed {
    Deed { at_ms, who: who.to_string(), what: what.to_string(), subject: subject.to_string() }
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

/// It does not fit: why, and what would.
fn refusal(admission: &SeriesAdmission, body: Value) -> Problem {
    let why = admission.occurrences.iter().find(|it| !it.reserved).map_or("", |it| it.explain.why.as_str());
    let text = format!("{why}\ntake what explain says, or wait for a place with may_wait");
    let mut problem = Problem::new(Code::CapacityExhausted, text);
    if let Value::Object(answer) = body {
        for (key, value) in answer {
            problem = problem.with(&key, value);
        }
    }
    problem
}
