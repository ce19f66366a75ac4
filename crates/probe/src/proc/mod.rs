//! /proc: the process tree of a build, and what each process holds.

mod scan;
mod stat;
mod threads;

pub use scan::{Process, Scan};
pub use stat::Stat;
pub use threads::ThreadTicks;
