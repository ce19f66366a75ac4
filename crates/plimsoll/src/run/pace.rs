//! The pace: how often to look, so that growth is not missed and looking costs next to nothing.

use std::time::Duration;

/// A build may start to grow like this at any time, in bytes per millisecond. Measured: 512 MiB in half a second
/// by one process.
const BURST: u64 = 1 << 20;

/// Bounds of the wait between two ticks, in milliseconds. The kernel wakes us on pressure besides.
const WAIT_MS: (u64, u64) = (10, 250);
/// Looking may take this part of the time: one look per so many times its own duration.
const COST_DIVISOR: u32 = 200;
/// In a hurry it may take more, because a kill costs more.
const COST_DIVISOR_URGENT: u32 = 20;
/// And half of it once the tree has grown by this part of the budget since the last look: what was known is no
/// longer true, and a budget is filled by few such steps.
const COST_DIVISOR_GROWN: u32 = 2;
/// See [`COST_DIVISOR_GROWN`].
const GROWN_DIVISOR: u64 = 32;
/// Urgent is a growth that would use up the room within this time, in milliseconds.
const URGENT_MS: u64 = 2000;
/// Kept free at least, as a share of the budget in percent.
const MARGIN_PERCENT: u64 = 3;
/// And at most: a build that bursts is not stopped from using its memory.
const MARGIN_MAX_PERCENT: u64 = 12;
/// A look reaches this far into the future, in milliseconds: the growth until the next tick has taken effect.
const FORESIGHT_MS: u64 = 60;

/// Growth and cost, from tick to tick.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    last: Option<(u64, u64)>,
    /// Bytes per millisecond, decaying slowly.
    growth: u64,
    scanned_ms: u64,
    /// What was used at the latest scan.
    scanned_bytes: u64,
    cost: Duration,
}

impl Pace {
    /// Whether the processes may be looked at again without costing more than their share.
    pub fn scan_is_due(&self, now_ms: u64, used_bytes: Option<u64>, budget_bytes: Option<u64>) -> bool {
        let pause = self.cost * self.cost_divisor(used_bytes, budget_bytes);
        now_ms >= self.scanned_ms.saturating_add(pause.as_millis() as u64)
    }

    fn cost_divisor(&self, used_bytes: Option<u64>, budget_bytes: Option<u64>) -> u32 {
        let Some(budget) = budget_bytes else { return COST_DIVISOR };
        // Without a cgroup the scan is the only reading there is.
        let Some(used) = used_bytes else { return COST_DIVISOR_URGENT };
        if used.saturating_sub(self.scanned_bytes) >= budget / GROWN_DIVISOR {
            COST_DIVISOR_GROWN
        } else if budget.saturating_sub(used) / self.growth.max(1) < URGENT_MS {
            COST_DIVISOR_URGENT
        } else {
            COST_DIVISOR
        }
    }

    /// The processes were looked at, which took `cost`.
    pub fn scanned(&mut self, now_ms: u64, used_bytes: Option<u64>, cost: Duration) {
        self.scanned_ms = now_ms;
        self.scanned_bytes = used_bytes.unwrap_or(0);
        self.cost = cost;
    }

    /// How long to wait after this reading, in milliseconds: a quarter of the time until the room is used up.
    pub fn wait_ms(&mut self, now_ms: u64, used_bytes: Option<u64>, budget_bytes: Option<u64>) -> u64 {
        let Some(used_bytes) = used_bytes else { return WAIT_MS.1 / 4 };
        if let Some((last_ms, last_bytes)) = self.last {
            let grown = used_bytes.saturating_sub(last_bytes) / now_ms.saturating_sub(last_ms).max(1);
            self.growth = grown.max(self.growth - self.growth / 8);
        }
        self.last = Some((now_ms, used_bytes));
        let room_bytes = budget_bytes.map(|budget| budget.saturating_sub(used_bytes));
        let until_full_ms = room_bytes.map_or(u64::MAX, |room| room / self.growth.max(BURST));
        (until_full_ms / 4).clamp(WAIT_MS.0, WAIT_MS.1)
    }

    /// What has to be kept free for growth between two looks, in bytes.
    pub fn margin_bytes(&self, budget_bytes: u64) -> u64 {
        let percent = |percent: u64| budget_bytes / 100 * percent;
        self.growth.saturating_mul(FORESIGHT_MS).clamp(percent(MARGIN_PERCENT), percent(MARGIN_MAX_PERCENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn waits_by_growth() {
        let check = |what: &str, grown_mib: u64, used_mib: u64, expect: std::ops::RangeInclusive<u64>| {
            let mut pace = Pace::default();
            pace.wait_ms(0, Some((used_mib - grown_mib) * MIB), Some(2048 * MIB));
            let wait_ms = pace.wait_ms(100, Some(used_mib * MIB), Some(2048 * MIB));
            assert!(expect.contains(&wait_ms), "{what}: {wait_ms}");
        };
        check("small and still", 0, 100, 250..=250);
        check("small and growing", 20, 120, 250..=250);
        check("large and still", 0, 1948, 25..=25);
        check("a burst of 1 GiB/s from the middle", 100, 1000, 240..=250);
        check("half as fast again, near the limit", 150, 1900, 20..=30);
        check("at the limit", 100, 2040, 10..=10);
    }

    #[test]
    fn scans_cost_their_share() {
        let mut pace = Pace::default();
        let due = |pace: &Pace, now_ms, used_mib: u64| {
            pace.scan_is_due(now_ms, Some(used_mib * MIB), Some(2048 * MIB))
        };
        assert!(due(&pace, 0, 0));
        pace.scanned(0, Some(100 * MIB), Duration::from_millis(2));
        assert!(!due(&pace, 399, 100));
        assert!(due(&pace, 400, 100));
        assert!(!due(&pace, 4, 163));
        assert!(due(&pace, 4, 164), "grown by a part of the budget");
        pace.wait_ms(0, Some(1000 * MIB), Some(2048 * MIB));
        pace.wait_ms(100, Some(1060 * MIB), Some(2048 * MIB));
        pace.scanned(100, Some(1060 * MIB), Duration::from_millis(2));
        assert!(!due(&pace, 139, 1060));
        assert!(due(&pace, 140, 1060), "full in less than two seconds");
        assert!(pace.scan_is_due(140, None, Some(2048 * MIB)), "nothing else to read");
    }
}
