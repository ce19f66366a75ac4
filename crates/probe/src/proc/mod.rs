//! /proc: the process tree of a build, and what each process holds.

mod scan;
mod share;
mod stat;
mod threads;

pub use scan::{Process, Scan};
pub use share::{parse_share_bytes, share_bytes};
pub use stat::Stat;
pub use threads::ThreadTicks;

/// Start of a process, in clock ticks after boot; `None` when there is none with this id.
pub fn start_ticks(pid: i32) -> Option<u64> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    Some(Stat::parse(&String::from_utf8_lossy(&text))?.start_ticks)
}
