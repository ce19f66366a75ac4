//! Outcomes: how an attempt ended, from evidence, best evidence first.
//!
//! The order is: the kernel's own counter of kills in the build's cgroup, then the wait status, then text.
//! `failcnt` is not evidence: it stays 0 with a real kill when the memory+swap limit equals the memory limit.

use crate::signature::Sighting;
use serde::{Deserialize, Serialize};

/// How an attempt, or the whole run, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The command ended with exit code 0.
    Succeeded,
    /// The build's own fault: a genuine failure, never retried.
    Failed,
    /// Memory ended it, with evidence.
    OutOfMemory,
    /// A time limit of the user's ended it.
    TimedOut,
    /// The user, or the machine, sent a signal.
    Signalled,
    /// We gave up on it for a reason that is not memory.
    Abandoned,
}

/// What about memory ended an attempt; decides the direction of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A runtime reached its own heap limit (V8 134, JVM 3, Go) while the cgroup had room.
    HeapLimit,
    /// The kernel killed a process of the tree.
    KernelKill,
    /// Both, or a heap limit with no room left in the cgroup.
    HeapLimitAndKernelKill,
    /// Garbage collection ate the run near the heap limit; ended by us.
    GcThrash,
    /// The tree read its own code back again and again at the limit; ended by us.
    Livelock,
    /// Promised growth no longer fitted and freezing could not help; ended by us before the kernel did.
    LimitReached,
    /// An allocation was refused (`std::bad_alloc`, `MemoryError`, `ENOMEM`): an rlimit or overcommit.
    AllocationRefused,
}

/// How the command's first process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// `exit(code)`.
    Code(i32),
    /// Ended by a signal.
    Signal(i32),
}

impl Exit {
    /// The code a shell would report: the code itself, or 128 + signal.
    pub fn shell_code(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal,
        }
    }
}

/// Why we ended an attempt ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedByUs {
    /// See [`Cause::GcThrash`].
    GcThrash,
    /// See [`Cause::Livelock`].
    Livelock,
    /// See [`Cause::LimitReached`].
    LimitReached,
    /// `--timeout`.
    Timeout,
    /// SIGINT, SIGTERM or SIGHUP reached us and was passed on.
    Signal(i32),
}

/// Everything known about the end of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Wait status of the command.
    pub exit: Exit,
    /// Kernel OOM kills counted in the build's cgroup; `None` when no counter is readable.
    pub kernel_kills: Option<u64>,
    /// Processes of the tree that died by a SIGKILL we did not send (seen as their reaper), apart from `exit`.
    pub sigkilled_in_tree: u64,
    /// Lines of output, or files such as Node reports, that speak of memory.
    pub sightings: Vec<Sighting>,
    /// Set when we ended the attempt.
    pub ended_by_us: Option<EndedByUs>,
    /// Highest non-reclaimable memory of the tree, in bytes.
    pub peak_bytes: Option<u64>,
    /// The budget the attempt ran in, in bytes.
    pub budget_bytes: Option<u64>,
}
