//! The jobserver: a GNU make token pool whose size follows memory.
//!
//! Clients are make, ninja from 1.13, cargo and rustc, GCC's link-time optimisation and whatever they start. Each
//! runs its first job for free and takes one token for every other job. Plimsoll changes how many tokens there
//! are while the build runs: [`plimsoll_core::admission`] decides, [`Jobserver::set_target`] carries it out.
//!
//! `make -jN` makes a jobserver of its own and leaves ours (it says so: "resetting jobserver mode"). Where the
//! command itself is that make, [`flags::take_jobs`] takes the `-jN` off; any other is the freezer's to bound.

#[cfg(test)]
mod clients;
pub mod flags;
pub mod ledger;
#[cfg(test)]
mod limit;
pub mod pool;

pub use ledger::Counts;

use flags::Auth;
use ledger::{Ledger, Step};
use pool::{Pool, TOKENS_MAX};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A running jobserver.
#[derive(Debug)]
pub struct Jobserver {
    shared: Arc<Shared>,
    withholder: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    account: Mutex<Account>,
    /// Wakes the withholder.
    wake: OwnedFd,
}

#[derive(Debug, Default)]
struct Account {
    ledger: Ledger,
    closing: bool,
}

impl Jobserver {
    /// Opens a jobserver with a fifo in `dir` (a pipe, where no fifo can be made) and `tokens` tokens: one less
    /// than the jobs that may run at first.
    pub fn create(dir: &Path, tokens: u32) -> io::Result<Jobserver> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { pool: Pool::open(dir)?, account: Mutex::default(), wake });
        let withholder = thread::Builder::new().name("jobserver".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.withhold_as_they_return()
        })?;
        let jobserver = Jobserver { shared, withholder: Some(withholder) };
        jobserver.set_target(tokens)?;
        Ok(jobserver)
    }

    /// How clients reach it.
    pub fn auth(&self) -> Auth {
        Auth { fds: self.shared.pool.client_fds(), path: self.shared.pool.path().map(Path::to_path_buf) }
    }

    /// Lets the command, and what it starts, inherit the descriptors. Needed for every client that is not given
    /// the fifo's path.
    pub fn attach(&self, command: &mut Command) {
        self.shared.pool.attach(command);
    }

    /// Sets how many tokens may be out in all. More are there at once; fewer become fewer as jobs end.
    pub fn set_target(&self, tokens: u32) -> io::Result<()> {
        let mut account = self.shared.account();
        account.ledger.set_target(tokens.min(TOKENS_MAX));
        self.shared.settle(&mut account.ledger)?;
        if account.ledger.surplus() > 0 {
            self.shared.wake();
        }
        Ok(())
    }

    /// Issues again what died with its holders. `holdable` is the most tokens that the living can hold
    /// ([`plimsoll_core::admission::holdable`]); `now_ms` any clock that does not go back. Returns how many tokens
    /// were lost.
    pub fn reconcile(&self, holdable: Option<u32>, now_ms: u64) -> io::Result<u32> {
        let mut account = self.shared.account();
        let lost = account.ledger.reconcile(self.shared.pool.waiting()?, holdable, now_ms);
        self.shared.settle(&mut account.ledger)?;
        Ok(lost)
    }

    /// Where the tokens are.
    pub fn counts(&self) -> io::Result<Counts> {
        let account = self.shared.account();
        Ok(account.ledger.counts(self.shared.pool.waiting()?))
    }
}

impl Drop for Jobserver {
    fn drop(&mut self) {
        self.shared.account().closing = true;
        self.shared.wake();
        // The thread cannot have panicked over anything that matters once the jobserver closes.
        let _ = self.withholder.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        // Full only when a wake is already pending.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Waits for tokens to come back while there are too many, and races the clients for them: make wants the token
    /// it returns back within microseconds. Measured with make 4.3 and four tokens too many: this wins them within
    /// about 10 ends of jobs, on an idle as on a busy machine; a tick of 10 ms had none of them after 100.
    fn withhold_as_they_return(&self) {
        loop {
            let surplus = {
                let account = self.account();
                if account.closing {
                    return;
                }
                account.ledger.surplus()
            };
            let mut ready = [PollFd::new(&self.wake, PollFlags::IN), PollFd::new(&self.pool, PollFlags::IN)];
            let watched = if surplus > 0 { &mut ready[..] } else { &mut ready[..1] };
            let polled = rustix::io::retry_on_intr(|| poll(watched, None));
            let _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
            // A pool that cannot be polled or read any more leaves the clients what they have.
            if polled.is_err() || self.settle(&mut self.account().ledger).is_err() {
                return;
            }
        }
    }

    /// Moves tokens until the pool is as the ledger wants it.
    fn settle(&self, ledger: &mut Ledger) -> io::Result<()> {
        loop {
            let moved = match ledger.step(self.pool.waiting()?) {
                Step::Issue(tokens) => self.pool.put(tokens).inspect(|put| ledger.issued_more(*put))?,
                Step::Withhold(tokens) => self.pool.take(tokens).inspect(|taken| ledger.withheld(*taken))?,
                Step::RemoveForeign(tokens) => self.pool.take(tokens)?,
                Step::Rest => 0,
            };
            if moved == 0 {
                return Ok(());
            }
        }
    }
}
