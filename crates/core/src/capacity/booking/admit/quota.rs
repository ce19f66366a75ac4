//! What one owner may have.

use super::Binds;
use super::board::Refusal;
use crate::capacity::booking::span::{DAY_MS, HOUR_MS, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days ahead, unless said otherwise.
const HORIZON_DAYS: u32 = 90;
/// Byte-milliseconds of a megabyte-hour, where a megabyte is 10⁶ bytes.
const MB_HOUR: u128 = 1_000_000 * HOUR_MS as u128;

/// Limits of one owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Reservations that hold capacity at the same moment.
    pub concurrent: Option<u32>,
    /// Megabytes (10⁶ bytes) times hours, on average, of reservations that start in one week; a week begins on Monday at
    /// 00:00 UTC.
    pub mb_hours_per_week: Option<u64>,
    /// A reservation ends at most so many days from now.
    pub horizon_days: u32,
}

impl Default for Quota {
    fn default() -> Quota {
        Quota { concurrent: None, mb_hours_per_week: None, horizon_days: HORIZON_DAYS }
    }
}

impl Quota {
    /// The last moment at which a reservation may end, in milliseconds since 1970.
    pub fn horizon_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(i64::from(self.horizon_days).saturating_mul(DAY_MS))
    }
}

/// Limits of all owners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// Of those who are not named.
    pub default: Quota,
    /// Of those who are.
    pub owners: BTreeMap<String, Quota>,
}

impl Quotas {
    /// An owner's.
    pub fn of(&self, owner: &str) -> &Quota {
        self.owners.get(owner).unwrap_or(&self.default)
    }
}

/// What counts of one reservation.
#[derive(Debug, Clone)]
pub(super) struct Owned {
    pub span: Span,
    pub footprint: Span,
    pub mean_bytes: u64,
    /// Otherwise it is over, and counts for its week only.
    pub is_holding: bool,
}

impl Owned {
    fn byte_ms(&self) -> u128 {
        u128::from(self.mean_bytes).saturating_mul(u128::from(self.footprint.length_ms().unsigned_abs()))
    }
}

/// The week in which a moment is, by number.
fn week(at_ms: i64) -> i64 {
    // 1970 began on a Thursday.
    at_ms.saturating_add(3 * DAY_MS).div_euclid(7 * DAY_MS)
}

/// When the next week begins.
pub(super) fn next_week_ms(at_ms: i64) -> i64 {
    (week(at_ms) + 1).saturating_mul(7 * DAY_MS).saturating_sub(3 * DAY_MS)
}

/// One more is within the quota of its owner, who has these already.
pub(super) fn check(
    same: Option<&BTreeMap<String, Owned>>,
    one: &Owned,
    quota: &Quota,
) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal { binds: Binds::Quota, why });
    let same = || same.into_iter().flat_map(BTreeMap::values);
    if let Some(most) = quota.concurrent {
        let beside: Vec<&Span> = same()
            .filter(|it| it.is_holding && it.footprint.overlaps(&one.footprint))
            .map(|it| &it.footprint)
            .collect();
        let starts = beside.iter().map(|it| it.start_ms.max(one.footprint.start_ms));
        let at = |at_ms: i64| beside.iter().filter(|it| it.contains(at_ms)).count();
        let count = starts.map(at).max().unwrap_or(0);
        if count as u64 >= u64::from(most) {
            return refuse(format!("its owner has {count} reservations at that time, {most} are allowed"));
        }
    }
    if let Some(most) = quota.mb_hours_per_week {
        let of_week = same().filter(|it| week(it.span.start_ms) == week(one.span.start_ms));
        let sum = of_week.fold(one.byte_ms(), |sum, it| sum.saturating_add(it.byte_ms()));
        if sum > u128::from(most).saturating_mul(MB_HOUR) {
            let hours = sum.div_ceil(MB_HOUR);
            return refuse(format!("its owner would have {hours} MB-hours in that week, {most} are allowed"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY_MS: i64 = 4 * DAY_MS;

    fn owned(start_hour: i64, hours: i64, mb: u64) -> Owned {
        let start_ms = MONDAY_MS + start_hour * HOUR_MS;
        let span = Span { start_ms, end_ms: start_ms + hours * HOUR_MS };
        Owned { span, footprint: span, mean_bytes: mb * 1_000_000, is_holding: true }
    }

    #[test]
    fn limits() {
        let all = [owned(0, 4, 100), owned(2, 4, 100), owned(167, 2, 100)];
        let all = all.into_iter().enumerate().map(|(at, it)| (format!("r{at}"), it)).collect();
        let check = |quota: Quota, one: Owned, expect: Option<&str>| {
            let found = super::check(Some(&all), &one, &quota).map_err(|it| it.why);
            match expect {
                None => assert_eq!(found, Ok(()), "{one:?}"),
                Some(why) => assert!(found.as_ref().is_err_and(|it| it.contains(why)), "{one:?} {found:?}"),
            }
        };
        let concurrent = |most| Quota { concurrent: Some(most), ..Quota::default() };
        check(concurrent(2), owned(3, 9, 1), Some("has 2 reservations at that time"));
        check(concurrent(3), owned(3, 9, 1), None);
        check(concurrent(2), owned(4, 9, 1), None);
        check(concurrent(1), owned(6, 9, 1), None);
        check(concurrent(0), owned(6, 9, 1), Some("has 0"));
        let hours = |most| Quota { mb_hours_per_week: Some(most), ..Quota::default() };
        check(hours(1_100), owned(100, 1, 100), None);
        check(hours(1_100), owned(100, 1, 101), Some("would have 1101 MB-hours"));
        check(hours(1_100), owned(168, 11, 100), None);
        assert!(super::check(None, &owned(0, 11, 100), &hours(1_100)).is_ok());
        assert_eq!(next_week_ms(MONDAY_MS - 1), MONDAY_MS);
        assert_eq!(next_week_ms(MONDAY_MS), MONDAY_MS + 7 * DAY_MS);
    }
}
