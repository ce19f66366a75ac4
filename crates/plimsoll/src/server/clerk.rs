//! The clerk: does what the desk is asked, one after the other, all that waits at once in one change of the store.
//!
//! So no two decisions are made at the same time, and a disk that takes milliseconds to keep something keeps hundreds of
//! decisions in them. Nobody is answered before it is kept. Where that fails all are told so, and the book is read anew.

use super::book::{Book, PAST_MS};
use super::decide::Session;
use super::desk::{Replacement, Request, Seen};
use super::now_ms;
use super::problem::Problem;
use super::terms::Terms;
use crate::config::Capacity;
use plimsoll_capacity::{Change, Database};
use plimsoll_core::capacity::booking::reservation::{Event, Reservation};
use serde_json::Value;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{RwLock, mpsc, oneshot};

/// So many are done in one change.
const BATCH_MAX: usize = 256;

/// Who asks waits for this.
type Reply<T> = oneshot::Sender<Result<T, Problem>>;

/// What is to be done.
pub(super) enum Task {
    Reserve(Box<Request>, Reply<(u16, Value)>),
    Replace(Box<Replacement>, Reply<(Reservation, Value)>),
    Happen(Seen, Event, Reply<Reservation>),
    CancelSeries(Seen, Reply<Vec<Reservation>>),
    Sweep(Reply<usize>),
    Look(Reply<()>),
}

/// Sends an answer, or what went wrong when it was to be kept.
type Answer = Box<dyn FnOnce(Option<&Problem>)>;

pub(super) struct Clerk {
    pub database: Database,
    pub capacity: Arc<Capacity>,
    pub book: Arc<RwLock<Option<Book>>>,
    pub queue: mpsc::Receiver<Task>,
}

impl Clerk {
    /// Begins to work, on a thread of its own: decisions are work for a processor, and nobody else is to wait for them.
    pub fn start(mut self) {
        let runtime = Handle::current();
        std::thread::spawn(move || {
            runtime.block_on(async {
                while let Some(first) = self.queue.recv().await {
                    let mut batch = vec![first];
                    while batch.len() < BATCH_MAX
                        && let Ok(next) = self.queue.try_recv()
                    {
                        batch.push(next);
                    }
                    self.work(batch).await;
                }
            });
        });
    }

    async fn work(&self, batch: Vec<Task>) {
        let mut kept = self.book.write().await;
        let mut answers = Vec::new();
        let failed = match self.carry_out(&mut kept, batch, &mut answers).await {
            Ok(()) => None,
            Err((problem, left)) => {
                // Nobody knows how much of it has happened.
                *kept = None;
                answers.extend(left.into_iter().map(Task::fail));
                Some(problem)
            }
        };
        drop(kept);
        answers.into_iter().for_each(|answer| answer(failed.as_ref()));
    }

    /// Does all of it in one change; what could not be begun is left with what went wrong.
    async fn carry_out(
        &self,
        kept: &mut Option<Book>,
        batch: Vec<Task>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), (Problem, Vec<Task>)> {
        let now_ms = now_ms();
        let begun = async {
            let mut change = self.database.change().await?;
            let mut book = self.catch_up(kept.take(), &mut change, now_ms).await?;
            book.advance(now_ms)?;
            let changed = book.keep(&mut change);
            Ok((change, book, changed))
        };
        let (mut change, mut book, _) = match begun.await {
            Ok(begun) => begun,
            Err(problem) => return Err((problem, batch)),
        };
        for task in batch {
            let session = Session { capacity: &self.capacity, book: &mut book, change: &mut change, now_ms };
            answers.push(task.carry_out(session).await);
            book.undo().map_err(|problem| (problem, Vec::new()))?;
        }
        if change.is_anything() {
            book.revision = change.commit().await.map_err(|error| (error.into(), Vec::new()))?;
        }
        *kept = Some(book);
        Ok(())
    }

    /// The book with all that other replicas have written.
    async fn catch_up(&self, kept: Option<Book>, change: &mut Change, now_ms: i64) -> Result<Book, Problem> {
        let revision = change.revision();
        let Some(mut book) = kept else {
            let terms = Arc::new(Terms::of(&self.capacity, change).await?);
            let all = change.open_reservations(now_ms - PAST_MS).await?;
            return Book::of(terms, all, revision, now_ms);
        };
        if book.revision == revision {
            return Ok(book);
        }
        for one in change.reservations_since(book.revision).await? {
            book.note(one)?;
        }
        book.revision = revision;
        let terms = Terms::of(&self.capacity, change).await?;
        if *book.terms == terms { Ok(book) } else { book.by(Arc::new(terms), now_ms) }
    }
}

impl Task {
    async fn carry_out(self, mut session: Session<'_>) -> Answer {
        match self {
            Task::Reserve(request, reply) => answer(reply, session.reserve(&request).await),
            Task::Replace(asked, reply) => answer(reply, session.replace(&asked).await),
            Task::Happen(seen, event, reply) => answer(reply, session.happen(&seen, event).await),
            Task::CancelSeries(seen, reply) => answer(reply, session.cancel_series(&seen)),
            Task::Sweep(reply) => answer(reply, session.sweep()),
            Task::Look(reply) => answer(reply, Ok(())),
        }
    }

    /// It was not begun.
    fn fail(self) -> Answer {
        match self {
            Task::Reserve(_, reply) => never(reply),
            Task::Replace(_, reply) => never(reply),
            Task::Happen(_, _, reply) => never(reply),
            Task::CancelSeries(_, reply) => never(reply),
            Task::Sweep(reply) => never(reply),
            Task::Look(reply) => never(reply),
        }
    }
}

/// Who does not wait any more does not hear of it.
fn answer<T: 'static>(reply: Reply<T>, result: Result<T, Problem>) -> Answer {
    Box::new(move |failed| drop(reply.send(failed.map_or(result, |problem| Err(problem.clone())))))
}

fn never<T: 'static>(reply: Reply<T>) -> Answer {
    Box::new(move |failed| drop(failed.map(|problem| reply.send(Err(problem.clone())))))
}
