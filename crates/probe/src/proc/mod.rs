//! /proc: the process tree of a build, and what each process holds.

mod scan;
mod stat;

pub use scan::{Process, Scan};
pub use stat::Stat;
