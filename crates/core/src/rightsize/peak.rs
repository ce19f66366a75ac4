//! Peaks: whether the highest use is usual, comes by the week, was a start-up, or has been seen once.

use super::profile::Profile;
use crate::sizing::{DAY_MS, HOUR_MS, Sample};
use std::collections::BTreeMap;

/// A day is high when its highest is above the middle between the usual day's and the highest of all.
const BETWEEN: f64 = 0.5;
/// A highest use less than this above the usual day's is the usual.
const UNUSUAL_SHARE: f64 = 0.15;
/// A start-up stands out when it needs so much more than all that follows.
const START_UP_SHARE: f64 = 0.15;
/// Peaks are at the same time of day when they lie within so many hours.
const SAME_TIME_HOURS: i64 = 2;
/// A day has a peak of its own when its highest is so much above its middle.
const DAILY_SHARE: f64 = 0.15;

/// The highest use and how it comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// In bytes.
    pub bytes: u64,
    /// The last hour in which it, or one nearly as high, was seen: its middle, in milliseconds since 1970.
    pub last_ms: i64,
    /// Highest use of a usual day, in bytes.
    pub usual_bytes: u64,
    /// How it comes.
    pub kind: Kind,
}

/// How a peak comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Days are much alike, and there is no time of day to it.
    Usual,
    /// Each day at about this hour, in UTC.
    Daily(u32),
    /// Each week on this day, 0 being Monday, at about this hour, in UTC.
    Weekly(u32, u32),
    /// Each month on about the same day.
    Monthly,
    /// When it starts.
    StartUp,
    /// On one day of all.
    Once,
    /// On so many days, with no rule to them.
    NowAndThen(u32),
}

/// The peak of a profile; `None` when nothing was read.
pub fn peak(profile: &Profile) -> Option<Peak> {
    let days = days(profile);
    let bytes = days.values().map(|day| day.highest).max()?;
    let mut highest: Vec<u64> = days.values().map(|day| day.highest).collect();
    highest.sort_unstable();
    let usual_bytes = highest[(highest.len() - 1) / 2];
    let bar = usual_bytes as f64 + (bytes - usual_bytes) as f64 * BETWEEN;
    let high: Vec<(i64, &Day)> = days
        .iter()
        .filter(|(_, day)| day.highest as f64 >= bar)
        .map(|(number, day)| (*number, day))
        .collect();
    let last_ms = high.last()?.1.at_ms;
    let kind = if is_start_up(profile, bytes) {
        Kind::StartUp
    } else if (bytes as f64) < usual_bytes as f64 * (1.0 + UNUSUAL_SHARE) {
        daily(&days)
    } else {
        rhythm(&high)
    };
    Some(Peak { bytes, last_ms, usual_bytes, kind })
}

struct Day {
    highest: u64,
    middle: u64,
    /// Of the highest.
    at_ms: i64,
}

fn days(profile: &Profile) -> BTreeMap<i64, Day> {
    let day = |(number, mut hours): (i64, Vec<Sample>)| {
        hours.sort_unstable_by_key(|hour| (hour.bytes, hour.at_ms));
        let Sample { bytes: highest, at_ms } = hours[hours.len() - 1];
        (number, Day { highest, middle: hours[hours.len() / 2].bytes, at_ms })
    };
    profile.days().into_iter().map(day).collect()
}

fn is_start_up(profile: &Profile, bytes: u64) -> bool {
    let (start_up, later) = (profile.start_up_bytes, profile.later_bytes);
    // The envelope rounds up by up to a thousandth.
    start_up as f64 >= bytes as f64 * 0.998
        && later > 0
        && start_up as f64 > later as f64 * (1.0 + START_UP_SHARE)
}

fn hour_of(at_ms: i64) -> i64 {
    at_ms.rem_euclid(DAY_MS) / HOUR_MS
}

/// Hours of the day apart, around midnight too.
fn apart(one: i64, other: i64) -> i64 {
    let apart = (one - other).abs();
    apart.min(24 - apart)
}

fn daily(days: &BTreeMap<i64, Day>) -> Kind {
    let peaks: Vec<i64> = days
        .values()
        .filter(|day| day.highest as f64 > day.middle as f64 * (1.0 + DAILY_SHARE))
        .map(|day| hour_of(day.at_ms))
        .collect();
    let near = |hour: i64| peaks.iter().filter(|other| apart(hour, **other) <= SAME_TIME_HOURS).count();
    let best = (0..24).max_by_key(|hour| (near(*hour), std::cmp::Reverse(*hour)));
    match best {
        // Four days of five, of three at least.
        Some(hour) if days.len() >= 3 && near(hour) * 5 >= days.len() * 4 => {
            Kind::Daily(middle_hour(&peaks, hour))
        }
        _ => Kind::Usual,
    }
}

/// The middle of the hours near one.
fn middle_hour(peaks: &[i64], hour: i64) -> u32 {
    let mut offsets: Vec<i64> = peaks
        .iter()
        .filter(|other| apart(hour, **other) <= SAME_TIME_HOURS)
        .map(|other| (other - hour + 12).rem_euclid(24) - 12)
        .collect();
    offsets.sort_unstable();
    (hour + offsets[offsets.len() / 2]).rem_euclid(24) as u32
}

fn rhythm(high: &[(i64, &Day)]) -> Kind {
    let gaps: Vec<i64> = high.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let last_ms = high.last().map_or(0, |(_, day)| day.at_ms);
    let is_same_hour =
        high.iter().all(|(_, day)| apart(hour_of(day.at_ms), hour_of(last_ms)) <= SAME_TIME_HOURS);
    match gaps[..] {
        [] => Kind::Once,
        _ if is_same_hour && gaps.iter().all(|gap| *gap == 7) => {
            Kind::Weekly(weekday(last_ms), hour_of(last_ms) as u32)
        }
        _ if gaps.iter().all(|gap| (28..=31).contains(gap)) => Kind::Monthly,
        _ => Kind::NowAndThen(high.len() as u32),
    }
}

/// The day of the week, 0 being Monday: 1 January 1970 was a Thursday.
pub fn weekday(at_ms: i64) -> u32 {
    (at_ms.div_euclid(DAY_MS) + 3).rem_euclid(7) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of use by the day and the hour.
    fn profile(days: i64, bytes: impl Fn(i64, i64) -> f64) -> Profile {
        let mut profile = Profile::new(0, days * DAY_MS - 1);
        for hour in 0..days * 24 {
            profile.take(hour * HOUR_MS, None, bytes(hour / 24, hour % 24));
        }
        profile
    }

    #[test]
    fn how_peaks_come() {
        let check = |days: i64, bytes: &dyn Fn(i64, i64) -> f64, expect: Kind| {
            assert_eq!(peak(&profile(days, bytes)).map(|peak| peak.kind), Some(expect));
        };
        check(14, &|_, _| 5e8, Kind::Usual);
        check(14, &|_, hour| if (9..17).contains(&hour) { 5e8 + hour as f64 } else { 2e8 }, Kind::Daily(16));
        check(14, &|_, hour| if hour == 23 || hour == 0 { 5e8 + hour as f64 } else { 2e8 }, Kind::Daily(23));
        // 1 January 1970 was a Thursday: day 4 is a Monday.
        check(14, &|day, hour| if day % 7 == 4 && hour == 2 { 2e9 } else { 5e8 }, Kind::Weekly(0, 2));
        check(14, &|day, hour| if day == 4 && hour == 2 { 2e9 } else { 5e8 }, Kind::Once);
        check(
            14,
            &|day, hour| if [2, 3, 9].contains(&day) && hour == 2 { 2e9 } else { 5e8 },
            Kind::NowAndThen(3),
        );
        check(62, &|day, hour| if day % 30 == 1 && hour == 2 { 2e9 } else { 5e8 }, Kind::Monthly);
        assert_eq!(peak(&Profile::new(0, DAY_MS)), None);
    }

    #[test]
    fn a_start_up_is_told_from_what_follows() {
        let mut starting = profile(3, |_, _| 2e8);
        starting.take(30 * HOUR_MS, Some(60_000), 9e8);
        assert_eq!(peak(&starting).unwrap().kind, Kind::StartUp);
        assert_eq!(peak(&starting).unwrap().usual_bytes / 1_000_000, 200);
        starting.take(31 * HOUR_MS, Some(3_600_000), 9e8);
        assert_ne!(peak(&starting).unwrap().kind, Kind::StartUp);
    }

    #[test]
    fn weekdays() {
        let check = |day: i64, expect: u32| assert_eq!(weekday(day * DAY_MS), expect);
        check(0, 3);
        check(4, 0);
        check(-1, 2);
    }
}
