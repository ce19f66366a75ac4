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
    next_scan_ms: u64,
    cost: Duration,
}

impl Pace {
    /// Whether the room will soon be used up, so that every process counts.
    pub fn is_urgent(&self, used_bytes: Option<u64>, budget_bytes: Option<u64>) -> bool {
        match (used_bytes, budget_bytes) {
            (Some(used), Some(budget)) => budget.saturating_sub(used) / self.growth.max(1) < URGENT_MS,
            // Without a cgroup the scan is the only reading there is.
            (None, Some(_)) => true,
            _ => false,
        }
    }

    /// Whether the processes may be looked at again without costing more than their share.
    pub fn scan_is_due(&self, now_ms: u64, urgent: bool) -> bool {
        let pause = self.cost * if urgent { COST_DIVISOR_URGENT } else { COST_DIVISOR };
        now_ms >= self.next_scan_ms.saturating_add(pause.as_millis() as u64)
    }

    /// The processes were looked at, which took `cost`.
    pub fn scanned(&mut self, now_ms: u64, cost: Duration) {
        self.next_scan_ms = now_ms;
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
        assert!(pace.scan_is_due(0, false));
        pace.scanned(0, Duration::from_millis(2));
        assert!(!pace.scan_is_due(399, false));
        assert!(pace.scan_is_due(400, false));
        assert!(pace.scan_is_due(40, true));
    }
}
