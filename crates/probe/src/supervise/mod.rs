//! Supervision: starting the command, passing its output through, reaping, and hearing signals.
//!
//! Nothing here decides anything. The run loop asks "what ended?" and "which signal came?" and says what to do.

mod reaper;
mod signals;
mod spawn;
mod tee;

pub use reaper::{Ended, become_subreaper, reap};
pub use signals::Signals;
pub use spawn::{Spawn, SpawnError, Spawned, Streams};
pub use tee::Tee;
