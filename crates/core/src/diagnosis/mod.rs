//! What happened to something that died of memory, in five lines: what, why, by which evidence, what to do, and with which command.
//!
//! Three sources, each with what it can know: a job that Plimsoll remembers, a container whose end the cluster tells, and the text
//! that a build has printed.

mod container;
mod job;
mod log;
#[cfg(test)]
mod tests;

pub use container::{ContainerEnd, of_pod};
pub use job::of_job;
pub use log::{Log, exit_code_in, of_log};

use serde::Serialize;

/// The five lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// What happened.
    pub what: String,
    /// Why, as far as that is known.
    pub why: String,
    /// What says so, the best first.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: String,
    /// The next command.
    pub next: String,
}

/// What the ways to die have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// A runtime's own heap limit, with room left around it.
    Heap,
    /// The kernel, at the limit.
    Kill,
    /// Both.
    HeapAtLimit,
    /// An allocation was refused.
    Refused,
    /// It went nowhere any more.
    Stalled,
}

impl Death {
    fn why(self) -> &'static str {
        match self {
            Death::Heap => "the runtime reached its own heap limit; the memory around it was not the limit",
            Death::Kill => "the kernel killed a process: the memory limit was reached",
            Death::HeapAtLimit => {
                "the heap limit and the memory limit were reached together: there is too little for this work"
            }
            Death::Refused => "an allocation was refused: by ulimit, or because the machine promises no more",
            Death::Stalled => "it spent its time on getting memory back, and did not come on",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Death::Heap => "a larger heap, not a smaller one; the limit around it may stay",
            Death::Kill => {
                "fewer processes at a time or smaller heaps, or a higher limit; a larger heap makes it worse"
            }
            Death::HeapAtLimit => "a higher memory limit, and a heap of about three quarters of it",
            Death::Refused => {
                "look at `ulimit -v` and at overcommit; a higher limit of the container does not help"
            }
            Death::Stalled => "a higher limit, or less work at a time",
        }
    }
}
