//! The desk: who is promised what. Each decision is made in one change of the database, so that no two are made at the
//! same time, by however many replicas.

use super::book::Book;
use super::problem::{Code, Problem};
use super::schedule::answer::view;
use crate::config::Capacity;
use plimsoll_capacity::{Answer, Database};
use plimsoll_core::capacity::booking::admit::{Board, SeriesAdmission};
use plimsoll_core::capacity::booking::demand::{Loads, UnknownRole};
use plimsoll_core::capacity::booking::reservation::{Event, Reservation, State};
use plimsoll_core::capacity::booking::supply::{PodShape, Region, Supply};
use plimsoll_core::capacity::formula::profile::Profile;
use serde_json::Value;

/// What is promised of.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where it is kept.
    pub database: Database,
    /// What the configuration says.
    pub capacity: Capacity,
    /// What there is.
    pub supply: Supply,
    /// What people take.
    pub loads: Loads,
    /// Of the app.
    pub profile: Profile,
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
}

impl Desk {
    /// With what the configuration says.
    pub fn new(database: Database, capacity: Capacity) -> Desk {
        let profile = Profile::assumed("", &capacity.formula);
        let per_role = profile.roles.keys().map(|role| (role.clone(), profile.load(role))).collect();
        let loads = Loads { per_role, show_up: capacity.show_up.clone() };
        let pod = PodShape {
            limit_bytes: capacity.pod_limit_bytes,
            base: profile.base_load(profile.uptime_hours),
            max_rooms: capacity.pod_rooms,
            max_participants: capacity.pod_participants,
        };
        let region = |region: &crate::config::Region| Region {
            name: region.name.clone(),
            pods_now: region.pods.0,
            pods_most: region.pods.1,
            nodes: region.nodes,
        };
        let supply = Supply { pod, regions: capacity.regions.iter().map(region).collect() };
        Desk { database, capacity, supply, loads, profile }
    }

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
        let mut book = Book::open(self, &mut change, now_ms).await?;
        let all: Vec<Reservation> = book.all.values().cloned().collect();
        let mut board = self.board(&all, now_ms)?;
        let admission = board.admit_series(&request.wanted).map_err(unknown_role)?;
        let answered = if admission.reserved {
            book.take(&request, &admission, now_ms)?
        } else {
            let may = request.may_wait && !request.is_series && could_fit(&mut board, &request)?;
            book.refuse(&request, &admission, may, now_ms)?
        };
        let status = status(&request, &answered);
        let body = view(self, request.is_series, &admission, &answered);
        if status >= 400 {
            return Err(refusal(&admission, body));
        }
        if !request.is_dry {
            book.save(&mut change).await?;
            if let Some((key, digest)) = request.key {
                let answer = Answer { request: digest, status, body: body.clone() };
                change.keep_answer(&owner, &key, now_ms, &answer).await?;
            }
            change.commit().await?;
        }
        Ok((status, body))
    }

    /// Something happens to one of them, by its owner or an administrator; `seen` is the revision that they saw.
    ///
    /// # Errors
    ///
    /// Where there is none, it has changed meanwhile, or its state does not allow it.
    pub async fn happen(
        &self,
        id: &str,
        event: Event,
        may: impl Fn(&Reservation) -> Result<(), Problem>,
        seen: Option<u64>,
        now_ms: i64,
    ) -> Result<Reservation, Problem> {
        let mut change = self.database.change().await?;
        let found = change.reservation(id).await?;
        let found = found.ok_or_else(|| Problem::new(Code::NotFound, format!("no reservation '{id}'")))?;
        may(&found)?;
        let mut book = Book::open(self, &mut change, now_ms).await?;
        let current = book.all.entry(id.to_string()).or_insert(found).clone();
        if seen.is_some_and(|seen| seen != current.revision) {
            let text = format!("reservation '{id}' is at revision {}\nread it again", current.revision);
            return Err(Problem::new(Code::Changed, text).with("revision", current.revision));
        }
        book.apply(id, event, now_ms, "by request")?;
        book.promote(self, now_ms)?;
        book.save(&mut change).await?;
        change.commit().await?;
        Ok(book.all.remove(id).unwrap_or(current))
    }

    /// What time and supply make of all of them; how many have changed.
    ///
    /// # Errors
    ///
    /// Where the store does not answer.
    pub async fn sweep(&self, now_ms: i64) -> Result<usize, Problem> {
        let mut change = self.database.change().await?;
        let mut book = Book::open(self, &mut change, now_ms).await?;
        book.settle(self, now_ms)?;
        book.promote(self, now_ms)?;
        let changed = book.changed.len();
        if changed > 0 {
            book.save(&mut change).await?;
            change.commit().await?;
        }
        Ok(changed)
    }

    /// What is promised.
    pub fn board<'a>(&'a self, all: &[Reservation], now_ms: i64) -> Result<Board<'a>, Problem> {
        Board::new(&self.supply, &self.loads, &self.capacity.quotas, all, now_ms).map_err(unknown_role)
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

fn could_fit(board: &mut Board, request: &Request) -> Result<bool, Problem> {
    request.wanted.first().map_or(Ok(false), |one| board.could_ever_fit(one).map_err(unknown_role))
}

pub(super) fn unknown_role(error: UnknownRole) -> Problem {
    Problem::new(Code::InvalidRequest, error.to_string())
}

/// It does not fit: why, and what would.
fn refusal(admission: &SeriesAdmission, body: Value) -> Problem {
    let why = admission.occurrences.iter().find(|it| !it.reserved).map_or("", |it| it.explain.why.as_str());
    let text = format!("{why}\ntake what explain says, or send may_wait: true");
    let mut problem = Problem::new(Code::CapacityExhausted, text);
    if let Value::Object(answer) = body {
        for (key, value) in answer {
            problem = problem.with(&key, value);
        }
    }
    problem
}
