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
/// On a slow disk fewer come back, and everybody waits for them: so many per second,
const SLOW_REFAULTS_PER_SECOND: u64 = 1_000;
/// and this share of the time in which nothing ran for want of memory, in percent.
const SLOW_FULL_PERCENT: f64 = 50.0;
/// Where the kernel does not count them (a cgroup that is not shown, Linux before 4.20): major faults per second, of
/// which the same livelock had 92, each reading a stretch of pages,
const MAJOR_FAULTS_PER_SECOND: u64 = 40;
/// together with the share of time in which nothing ran for want of memory, in percent (measured in it: 21).
const FULL_PERCENT: f64 = 15.0;
/// In a livelock the page cache is nearly gone (measured: 10 of 432 MiB); this share of the limit, in percent.
const CACHE_PERCENT: u64 = 8;
/// And the rest is used, in percent of the limit.
const USED_PERCENT: u64 = 85;

/// One reading for the livelock detector; what nobody tells is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CacheReading {
    /// Any clock that does not go back, in milliseconds.
    pub now_ms: u64,
    /// File pages read back after eviction, a running count.
    pub refaults: Option<u64>,
    /// Page faults that had to read, a running count.
    pub major_faults: Option<u64>,
    /// Share of the last 10 s in which everybody waited for memory, in percent.
    pub full_percent: Option<f64>,
    /// Page cache in bytes.
    pub file_bytes: Option<u64>,
    /// Memory that cannot be reclaimed, in bytes.
    pub used_bytes: u64,
    /// The limit in bytes.
    pub limit_bytes: u64,
}

impl CacheReading {
    /// The limit is used up, and little or nothing of it is page cache.
    fn is_squeezed(&self) -> bool {
        let limit_percent = |bytes: u64| bytes.saturating_mul(100) / self.limit_bytes.max(1);
        self.file_bytes.is_none_or(|bytes| limit_percent(bytes) <= CACHE_PERCENT)
            && limit_percent(self.used_bytes) >= USED_PERCENT
    }

    /// Whether the time since an earlier reading was spent reading back what had been evicted.
    fn read_back_since(&self, start: &CacheReading) -> bool {
        let window_ms = self.now_ms.saturating_sub(start.now_ms).max(1);
        let per_second = |now: Option<u64>, before: Option<u64>| {
            Some(now?.saturating_sub(before?).saturating_mul(1000) / window_ms)
        };
        match per_second(self.refaults, start.refaults) {
            Some(refaults) => {
                refaults >= REFAULTS_PER_SECOND
                    || refaults >= SLOW_REFAULTS_PER_SECOND && self.full_percent >= Some(SLOW_FULL_PERCENT)
            }
            None => {
                per_second(self.major_faults, start.major_faults) >= Some(MAJOR_FAULTS_PER_SECOND)
                    && self.full_percent >= Some(FULL_PERCENT)
            }
        }
    }
}

/// Sees a tree that reads its own code back again and again.
#[derive(Debug, Clone, Default)]
pub struct LivelockDetector {
    /// Where the present window began.
    since: Option<CacheReading>,
}

impl LivelockDetector {
    /// Takes a reading; true once a whole window was nothing but read-back.
    pub fn push(&mut self, reading: &CacheReading) -> bool {
        if !reading.is_squeezed() {
            self.since = None;
            return false;
        }
        let start = *self.since.get_or_insert(*reading);
        if reading.now_ms.saturating_sub(start.now_ms) < LIVELOCK_WINDOW_MS {
            return false;
        }
        self.since = Some(*reading);
        reading.read_back_since(&start)
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

    const MEASURED: CacheReading = CacheReading {
        now_ms: 0,
        refaults: Some(108_000),
        major_faults: Some(92),
        full_percent: Some(21.0),
        file_bytes: Some(10 * MIB),
        used_bytes: 420 * MIB,
        limit_bytes: 432 * MIB,
    };

    /// Feeds a reading per second, its counts taken as growth per second; the second in which it was seen.
    fn livelock(each: CacheReading) -> Option<u64> {
        let mut detector = LivelockDetector::default();
        (0..30).find(|second| {
            let count = |growth: Option<u64>| growth.map(|growth| second * growth);
            detector.push(&CacheReading {
                now_ms: second * 1000,
                refaults: count(each.refaults),
                major_faults: count(each.major_faults),
                ..each
            })
        })
    }

    #[test]
    fn livelock_is_read_back_without_room() {
        let check = |what: &str, each, expect| assert_eq!(livelock(each), expect, "{what}");
        check("as measured", MEASURED, Some(5));
        check("full, but nothing comes back", CacheReading { refaults: Some(0), ..MEASURED }, None);
        check(
            "a little read-back is life near the limit",
            CacheReading { refaults: Some(500), ..MEASURED },
            None,
        );
        let slow = CacheReading { refaults: Some(1_500), full_percent: Some(80.0), ..MEASURED };
        check("a slow disk: little comes back, nobody runs", slow, Some(5));
        let big_file = CacheReading { file_bytes: Some(300 * MIB), used_bytes: 120 * MIB, ..MEASURED };
        check("a big file read twice: there is cache to take", big_file, None);
        let uncounted = CacheReading { refaults: None, ..MEASURED };
        check("no refaults are counted", uncounted, Some(5));
        check("nor is the cache", CacheReading { file_bytes: None, ..uncounted }, Some(5));
        check("others run meanwhile", CacheReading { full_percent: Some(3.0), ..uncounted }, None);
        check("no pressure is told", CacheReading { full_percent: None, ..uncounted }, None);
        check("a cold start reads little", CacheReading { major_faults: Some(9), ..uncounted }, None);
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
