//! Stalls: a run that neither dies nor ends, seen from outside within seconds.
//!
//! Two kinds. Livelock: the tree's own code is evicted and read back again and again at the limit (measured: a rustc
//! of 430 MiB in 432 MiB, 84 million file refaults, no kill, 13 minutes and no end). Garbage collection: a heap at
//! its cap that only collects (measured: 87 s of it before V8 gave up).

/// A window of this length decides, in milliseconds.
const LIVELOCK_WINDOW_MS: u64 = 5_000;
/// File pages read back per second. Measured in the livelock above: 84 M pages in 13 minutes, 108,000 per second,
/// 420 MiB/s; a build that reads each file once has almost none.
const REFAULTS_PER_SECOND: u64 = 20_000;
/// In a livelock the page cache is nearly gone (measured: 10 of 432 MiB); this share of the limit, in percent.
const CACHE_PERCENT: u64 = 8;
/// And the rest is used, in percent of the limit.
const USED_PERCENT: u64 = 85;

/// One reading for the livelock detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheReading {
    /// Any clock that does not go back, in milliseconds.
    pub now_ms: u64,
    /// File pages read back after eviction, a running count.
    pub refaults: u64,
    /// Page cache in bytes.
    pub file_bytes: u64,
    /// Memory that cannot be reclaimed, in bytes.
    pub used_bytes: u64,
    /// The limit in bytes.
    pub limit_bytes: u64,
}

/// Sees a tree that reads its own code back again and again.
#[derive(Debug, Clone, Default)]
pub struct LivelockDetector {
    /// When the present stretch of thrashing began: (time, refaults then).
    since: Option<(u64, u64)>,
}

impl LivelockDetector {
    /// Takes a reading; true once a whole window was nothing but read-back.
    pub fn push(&mut self, reading: &CacheReading) -> bool {
        let limit_percent = |bytes: u64| bytes.saturating_mul(100) / reading.limit_bytes.max(1);
        let squeezed = limit_percent(reading.file_bytes) <= CACHE_PERCENT
            && limit_percent(reading.used_bytes) >= USED_PERCENT;
        if !squeezed {
            self.since = None;
            return false;
        }
        let (since_ms, before) = *self.since.get_or_insert((reading.now_ms, reading.refaults));
        let window_ms = reading.now_ms.saturating_sub(since_ms);
        if window_ms < LIVELOCK_WINDOW_MS {
            return false;
        }
        let per_second = reading.refaults.saturating_sub(before).saturating_mul(1000) / window_ms;
        self.since = Some((reading.now_ms, reading.refaults));
        per_second >= REFAULTS_PER_SECOND
    }
}

/// Collection has to eat the run for this long, in milliseconds.
const GC_WINDOW_MS: u64 = 8_000;
/// A heap counts as full from this share of its cap on, in percent of the process's private memory.
const GC_FULL_PERCENT: u64 = 92;
/// Share of the CPU time spent off the main thread from which collection is what runs: V8 marks and sweeps in
/// parallel, and JavaScript itself never leaves the main thread. Measured with tsc on Node 20, per 8 s: 15-57 in a
/// run that passed with room, 60-77 in one that died of a heap of 1.1 GiB, but 24-79 in one that died of 1.7. So it
/// is a hint, and an attempt is ended for it only where the ladder has a better one to make.
const GC_HELPERS_PERCENT: u64 = 60;

/// One reading of the main runtime process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapReading {
    /// Any clock that does not go back, in milliseconds.
    pub now_ms: u64,
    /// The process's private memory in bytes.
    pub held_bytes: u64,
    /// The heap cap it was given, in bytes.
    pub cap_bytes: u64,
    /// CPU time of its main thread, a running count in clock ticks.
    pub main_ticks: u64,
    /// CPU time of all its other threads, in clock ticks.
    pub helper_ticks: u64,
}

/// Sees a V8 that does little but collect at its cap.
#[derive(Debug, Clone, Default)]
pub struct GcDetector {
    /// Start of the present stretch at the cap.
    since: Option<HeapReading>,
}

impl GcDetector {
    /// Takes a reading; true once a whole window at the cap was mostly collection.
    pub fn push(&mut self, reading: &HeapReading) -> bool {
        if reading.held_bytes.saturating_mul(100) < reading.cap_bytes.saturating_mul(GC_FULL_PERCENT) {
            self.since = None;
            return false;
        }
        let start = *self.since.get_or_insert(*reading);
        if reading.now_ms.saturating_sub(start.now_ms) < GC_WINDOW_MS {
            return false;
        }
        self.since = Some(*reading);
        let main = reading.main_ticks.saturating_sub(start.main_ticks);
        let helpers = reading.helper_ticks.saturating_sub(start.helper_ticks);
        main + helpers > 0 && helpers * 100 / (main + helpers) >= GC_HELPERS_PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::MIB;

    /// Feeds a reading per second; the second in which it was seen.
    fn livelock(refaults_per_second: u64, file_mib: u64, used_mib: u64) -> Option<u64> {
        let mut detector = LivelockDetector::default();
        (0..30).find(|second| {
            detector.push(&CacheReading {
                now_ms: second * 1000,
                refaults: second * refaults_per_second,
                file_bytes: file_mib * MIB,
                used_bytes: used_mib * MIB,
                limit_bytes: 432 * MIB,
            })
        })
    }

    #[test]
    fn livelock_is_read_back_without_room() {
        assert_eq!(livelock(108_000, 10, 420), Some(5), "as measured");
        assert_eq!(livelock(0, 10, 420), None, "full, but nothing comes back");
        assert_eq!(livelock(108_000, 300, 120), None, "a big file read twice: there is cache to take");
        assert_eq!(livelock(500, 10, 420), None, "a little read-back is life near the limit");
    }

    fn collecting(held_mib: u64, helper_percent: u64) -> Option<u64> {
        let mut detector = GcDetector::default();
        (0..30).find(|second| {
            detector.push(&HeapReading {
                now_ms: second * 1000,
                held_bytes: held_mib * MIB,
                cap_bytes: 1024 * MIB,
                main_ticks: second * (100 - helper_percent),
                helper_ticks: second * helper_percent,
            })
        })
    }

    #[test]
    fn collection_is_a_full_heap_and_busy_helpers() {
        assert_eq!(collecting(1020, 70), Some(8));
        assert_eq!(collecting(1020, 57), None, "full and working: a run that passed had as much");
        assert_eq!(collecting(500, 70), None, "collecting with room to grow");
    }
}
