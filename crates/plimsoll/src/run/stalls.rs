//! Stalls of the tree that is watched: feeds the detectors of core.

use super::tree::Reading;
use plimsoll_core::census::runtime_of;
use plimsoll_core::outcome::EndedByUs;
use plimsoll_core::program::Runtime;
use plimsoll_core::stall::{CacheReading, GcDetector, HeapReading, LivelockDetector};
use plimsoll_probe::proc::{Process, ThreadTicks};
use std::path::Path;

/// A heap is looked at this often, in milliseconds: it costs a read per thread.
const HEAP_EVERY_MS: u64 = 1000;

/// The detectors of one attempt.
#[derive(Debug, Default)]
pub struct Stalls {
    livelock: LivelockDetector,
    gc: GcDetector,
    next_heap_ms: u64,
}

impl Stalls {
    /// Takes a tick; what the attempt has to end for, if it has to.
    pub fn look(
        &mut self,
        reading: &Reading,
        processes: &[Process],
        used_bytes: u64,
        budget_bytes: u64,
        heap_bytes: Option<u64>,
        now_ms: u64,
    ) -> Option<EndedByUs> {
        if self.livelock.push(&cache(reading, used_bytes, budget_bytes, now_ms)) {
            return Some(EndedByUs::Livelock);
        }
        if now_ms < self.next_heap_ms {
            return None;
        }
        self.next_heap_ms = now_ms + HEAP_EVERY_MS;
        self.collects(processes, heap_bytes?, now_ms).then_some(EndedByUs::GcThrash)
    }

    fn collects(&mut self, processes: &[Process], cap_bytes: u64, now_ms: u64) -> bool {
        let nodes = processes.iter().filter(|process| runtime_of(&process.program) == Runtime::Node);
        let Some(main) = nodes.max_by_key(|process| process.private_bytes) else { return false };
        let (Some(held_bytes), Some(ThreadTicks { main_ticks, helper_ticks })) =
            (main.private_bytes, ThreadTicks::read(Path::new("/"), main.pid))
        else {
            return false;
        };
        self.gc.push(&HeapReading { now_ms, held_bytes, cap_bytes, main_ticks, helper_ticks })
    }
}

fn cache(reading: &Reading, used_bytes: u64, limit_bytes: u64, now_ms: u64) -> CacheReading {
    CacheReading {
        now_ms,
        refaults: reading.refaults,
        major_faults: reading.major_faults,
        full_percent: reading.full_percent,
        file_bytes: reading.file_bytes,
        used_bytes,
        limit_bytes,
    }
}
