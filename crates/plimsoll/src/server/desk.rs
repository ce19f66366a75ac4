//! The desk: who is promised what. Whoever asks for something leaves it with the [`clerk`](super::clerk), and hears of it when
//! it is so for good.

use super::book::Book;
use super::clerk::{Clerk, Task};
use super::problem::{Code, Problem};
use crate::config::Capacity;
use plimsoll_capacity::Database;
use plimsoll_core::capacity::booking::reservation::{Event, Reservation};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, RwLock, mpsc, oneshot};

/// So many may wait for their turn; others wait before that.
const WAITING_MAX: usize = 1_024;

/// What is promised of.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where it is kept.
    pub database: Database,
    /// What the configuration says.
    pub capacity: Arc<Capacity>,
    book: Arc<RwLock<Option<Book>>>,
    tasks: mpsc::Sender<Task>,
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

/// Whether somebody may do it to this reservation.
type May = Box<dyn Fn(&Reservation) -> Result<(), Problem> + Send>;

/// Which reservation somebody means, and as what they saw it.
pub struct Seen {
    /// Which; of a series its own id.
    pub id: String,
    /// Its revision, where they say so.
    pub revision: Option<u64>,
    /// Who they are.
    pub who: Arc<str>,
    /// Whether they may.
    pub may: May,
}

/// What is to become of a reservation.
pub struct Replacement {
    /// Which.
    pub seen: Seen,
    /// What is asked for instead.
    pub wanted: Reservation,
}

impl Desk {
    /// Opens it; its clerk ends when nobody can ask any more.
    pub fn open(database: Database, capacity: Capacity) -> Desk {
        let (capacity, book) = (Arc::new(capacity), Arc::new(RwLock::new(None)));
        let (tasks, queue) = mpsc::channel(WAITING_MAX);
        Clerk { database: database.clone(), capacity: capacity.clone(), book: book.clone(), queue }.start();
        Desk { database, capacity, book, tasks }
    }

    /// Decides about a request: HTTP's status, and the answer.
    ///
    /// # Errors
    ///
    /// Where it does not fit, is not valid, or the store does not answer.
    pub async fn reserve(&self, request: Request) -> Result<(u16, Value), Problem> {
        self.ask(|reply| Task::Reserve(Box::new(request), reply)).await
    }

    /// Makes something else of a reservation, if that has a place; where it has none it stays as it was.
    ///
    /// # Errors
    ///
    /// As [`Desk::happen`], and where it does not fit.
    pub async fn replace(&self, asked: Replacement) -> Result<(Reservation, Value), Problem> {
        self.ask(|reply| Task::Replace(Box::new(asked), reply)).await
    }

    /// Something happens to one of them, by its owner or an administrator.
    ///
    /// # Errors
    ///
    /// Where there is none, it has changed meanwhile, or its state does not allow it.
    pub async fn happen(&self, seen: Seen, event: Event) -> Result<Reservation, Problem> {
        self.ask(|reply| Task::Happen(seen, event, reply)).await
    }

    /// All occurrences of a series that have not started are cancelled; those.
    ///
    /// # Errors
    ///
    /// Where there is none, or somebody may not.
    pub async fn cancel_series(&self, seen: Seen) -> Result<Vec<Reservation>, Problem> {
        self.ask(|reply| Task::CancelSeries(seen, reply)).await
    }

    /// What time and supply make of all of them; how many have changed.
    ///
    /// # Errors
    ///
    /// Where the store does not answer.
    pub async fn sweep(&self) -> Result<usize, Problem> {
        self.ask(Task::Sweep).await
    }

    /// Brings the book up to what is stored, as if something were to be decided.
    ///
    /// # Errors
    ///
    /// Where nothing can be decided: the store does not answer, or the clerk is gone.
    pub async fn look(&self) -> Result<(), Problem> {
        self.ask(Task::Look).await
    }

    /// The book as it stands, with all that is stored by now. Nothing is decided while somebody reads it.
    ///
    /// # Errors
    ///
    /// Where the store does not answer.
    pub async fn book(&self) -> Result<OwnedRwLockReadGuard<Option<Book>, Book>, Problem> {
        let revision = self.database.revision().await?;
        if let Some(book) = self.read().await
            && book.revision >= revision
        {
            return Ok(book);
        }
        self.look().await?;
        self.read().await.ok_or_else(|| Problem::new(Code::Unavailable, "the store has failed\ntry again"))
    }

    async fn read(&self) -> Option<OwnedRwLockReadGuard<Option<Book>, Book>> {
        let book = self.book.clone().read_owned().await;
        OwnedRwLockReadGuard::try_map(book, Option::as_ref).ok()
    }

    async fn ask<T>(
        &self,
        task: impl FnOnce(oneshot::Sender<Result<T, Problem>>) -> Task,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let ended = || Problem::new(Code::Unavailable, "the service ends\nask again");
        self.tasks.send(task(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}
