//! Outcomes: how an attempt ended, from evidence, best evidence first.
//!
//! The order is: the kernel's own counter of kills in the build's cgroup, then the wait status, then text.
//! `failcnt` is not evidence: it stays 0 with a real kill when the memory+swap limit equals the memory limit.

use crate::signature::{Sighting, Signature};
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

impl Evidence {
    /// Whether the tree's peak reached this share of the budget; `false` where either is unknown.
    fn peaked_at(&self, percent: u64) -> bool {
        let both = self.peak_bytes.zip(self.budget_bytes);
        both.is_some_and(|(peak, budget)| peak >= budget / 100 * percent)
    }

    fn saw(&self, which: impl Fn(Signature) -> bool) -> bool {
        self.sightings.iter().any(|sighting| which(sighting.signature))
    }
}

/// From this share of the budget on, in percent, a heap error had no room left to grow into. Measured: tsc in 2 GiB
/// passes with 1963 MiB, 96 % of it, so a heap that was full at 93 % can still be given more.
const NO_ROOM_PERCENT: u64 = 95;
/// Text that a build with a fault of its own prints too counts only from this share of the budget on, in percent.
const NEAR_LIMIT_PERCENT: u64 = 85;
/// SIGKILL as a shell reports it.
const CODE_SIGKILL: i32 = 137;
/// SIGHUP, SIGINT, SIGQUIT, SIGKILL and SIGTERM as a shell reports them: sent by somebody, not by a fault.
const CODES_SENT: [i32; 5] = [129, 130, 131, CODE_SIGKILL, 143];

/// The one outcome the evidence allows, and the cause when memory ended the attempt.
///
/// An exit code of 0 is a success even when the kernel killed something inside (`bash -c 'node x; true'`, a test
/// runner that replaces its dead workers): the exit code is the command's own word. The kills stay in the report,
/// and the ladder does not take such an attempt for a clean one.
pub fn classify(evidence: &Evidence) -> (Outcome, Option<Cause>) {
    if let Some(ended) = evidence.ended_by_us {
        return ended_by_us(ended, evidence);
    }
    let code = evidence.exit.shell_code();
    if code == 0 {
        return (Outcome::Succeeded, None);
    }
    match memory_cause(evidence) {
        Some(cause) => (Outcome::OutOfMemory, Some(cause)),
        None if CODES_SENT.contains(&code) => (Outcome::Signalled, None),
        None => (Outcome::Failed, None),
    }
}

fn ended_by_us(ended: EndedByUs, evidence: &Evidence) -> (Outcome, Option<Cause>) {
    let cause = match ended {
        EndedByUs::Timeout => return (Outcome::TimedOut, None),
        EndedByUs::Signal(_) => return (Outcome::Signalled, None),
        // The kernel was faster: its kill says more than our reason to end the rest.
        _ if evidence.kernel_kills.is_some_and(|kills| kills > 0) => Cause::KernelKill,
        EndedByUs::GcThrash => Cause::GcThrash,
        EndedByUs::Livelock => Cause::Livelock,
        EndedByUs::LimitReached => Cause::LimitReached,
    };
    (Outcome::OutOfMemory, Some(cause))
}

/// What about memory explains a failed exit, if anything does.
fn memory_cause(evidence: &Evidence) -> Option<Cause> {
    let heap = evidence.saw(Signature::is_heap_limit);
    let killed = killed_by_kernel(evidence);
    let refused = evidence.saw(|signature| {
        let is_refusal = !signature.is_heap_limit() && !signature.is_kill();
        is_refusal && (signature.is_strong() || evidence.peaked_at(NEAR_LIMIT_PERCENT))
    });
    match (heap, killed) {
        (true, true) => Some(Cause::HeapLimitAndKernelKill),
        (true, false) if evidence.peaked_at(NO_ROOM_PERCENT) => Some(Cause::HeapLimitAndKernelKill),
        (true, false) => Some(Cause::HeapLimit),
        (false, true) => Some(Cause::KernelKill),
        (false, false) => refused.then_some(Cause::AllocationRefused),
    }
}

/// A readable counter decides, both ways: a SIGKILL while it stays 0 came from somebody else. Without one, a
/// SIGKILL nobody here sent is taken for the kernel's.
fn killed_by_kernel(evidence: &Evidence) -> bool {
    match evidence.kernel_kills {
        Some(kills) => kills > 0,
        None => {
            evidence.exit.shell_code() == CODE_SIGKILL
                || evidence.sigkilled_in_tree > 0
                || evidence.saw(|signature| {
                    signature.is_kill() && (signature.is_strong() || evidence.peaked_at(NEAR_LIMIT_PERCENT))
                })
        }
    }
}

#[cfg(test)]
mod tests;
