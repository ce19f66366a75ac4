//! PSI: pressure stall information, and triggers that wake a poll.

use crate::cgroup::Refusal;
use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Who is stalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// At least one task waits for memory.
    Some,
    /// All tasks wait at once: nothing productive runs.
    Full,
}

impl fmt::Display for Stall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Stall::Some => "some",
            Stall::Full => "full",
        })
    }
}

/// One line of a pressure file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Share of the last 10 s stalled, in percent.
    pub avg10_percent: f64,
    /// Share of the last 60 s stalled, in percent.
    pub avg60_percent: f64,
    /// Share of the last 300 s stalled, in percent.
    pub avg300_percent: f64,
    /// Stalled time since the start, in microseconds.
    pub total_us: u64,
}

/// A pressure file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pressure {
    /// The `some` line.
    pub some: Share,
    /// The `full` line; not every kernel has it for every cgroup.
    pub full: Option<Share>,
}

impl Pressure {
    /// Parses `memory.pressure` or `/proc/pressure/memory`; `None` without a `some` line that makes sense.
    pub fn parse(text: &str) -> Option<Pressure> {
        let line = |stall: &str| {
            text.lines().find_map(|line| parse_share(line.strip_prefix(stall)?.strip_prefix(' ')?))
        };
        Some(Pressure { some: line("some")?, full: line("full") })
    }
}

fn parse_share(fields: &str) -> Option<Share> {
    let field =
        |key: &str| fields.split_whitespace().find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
    let percent = |key: &str| field(key)?.parse().ok().filter(|share: &f64| (0.0..=100.0).contains(share));
    Some(Share {
        avg10_percent: percent("avg10")?,
        avg60_percent: percent("avg60")?,
        avg300_percent: percent("avg300")?,
        total_us: field("total")?.parse().ok()?,
    })
}

/// A request to the kernel to wake a poll (`POLLPRI`) when stalls pass a threshold; it ends when dropped.
#[derive(Debug)]
pub struct Trigger(OwnedFd);

impl Trigger {
    /// Fires when tasks stalled for `stall_us` within `window_us`, at most once per window.
    ///
    /// The kernel takes windows from 500 ms to 10 s; without CAP_SYS_RESOURCE only whole multiples of 2 s
    /// (Linux 6.4; none at all before). Source: Documentation/accounting/psi.rst.
    pub fn arm(path: &Path, stall: Stall, stall_us: u32, window_us: u32) -> Result<Trigger, Refusal> {
        let arm = || {
            let file =
                rustix::fs::open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
            rustix::io::write(&file, format!("{stall} {stall_us} {window_us}\0").as_bytes())?;
            Ok(file)
        };
        arm().map(Trigger).map_err(|errno: rustix::io::Errno| Refusal::io(path, &errno.into()))
    }
}

impl AsFd for Trigger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
