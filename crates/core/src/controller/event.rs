//! What happened to a workload, for whoever looks at it.

use crate::inventory::WorkloadId;
use crate::plan::{Change, ContainerChange};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// To which workload.
    pub workload: WorkloadId,
    /// What, in a word.
    pub reason: Reason,
    /// And in words.
    pub words: String,
}

/// What happened, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its pods have new sizes.
    Resized,
    /// New pods get new sizes.
    Sized,
    /// A container was killed for want of memory.
    OutOfMemory,
    /// A change was not borne, or not wanted any more.
    TakenBack,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 4] = [Reason::Resized, Reason::Sized, Reason::OutOfMemory, Reason::TakenBack];

    /// As Kubernetes' events have it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Resized => "MemoryResized",
            Reason::Sized => "MemorySized",
            Reason::OutOfMemory => "OutOfMemory",
            Reason::TakenBack => "MemoryTakenBack",
        }
    }

    /// Somebody should look at it.
    pub fn is_warning(self) -> bool {
        matches!(self, Reason::OutOfMemory | Reason::TakenBack)
    }
}

impl Event {
    pub(super) fn new(workload: &WorkloadId, reason: Reason, words: String) -> Event {
        Event { workload: workload.clone(), reason, words }
    }
}

/// The sizes of a change, in words.
pub(super) fn sizes(change: &Change) -> String {
    let one = |it: &ContainerChange| format!("{} {} -> {}: {}", it.name, it.before, it.after, it.evidence);
    change.containers.iter().map(one).collect::<Vec<_>>().join("; ")
}
