//! Reaping: every child of ours that ended, the orphans we adopted as subreaper included.

use plimsoll_core::outcome::Exit;
use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};

/// A process that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Its process id.
    pub pid: i32,
    /// How it ended.
    pub exit: Exit,
}

/// Makes orphans of the build become our children, so that none escapes. Where that is refused (seccomp, very
/// old kernels) false comes back and orphans go to PID 1 as usual.
pub fn become_subreaper() -> bool {
    set_child_subreaper(Some(getpid())).is_ok()
}

/// Collects what has ended since the last call, without waiting. Reaps *any* child of this process, so nothing
/// else in the process may wait for children while a build is supervised.
pub fn reap() -> Vec<Ended> {
    let mut ended = Vec::new();
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        let exit = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => continue,
        };
        ended.push(Ended { pid: pid.as_raw_nonzero().get(), exit });
    }
    ended
}
