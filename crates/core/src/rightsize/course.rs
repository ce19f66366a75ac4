//! The course of use: level, a step, growth, or a leak, and when it reaches the limit.

use super::ages::Rise;
use super::profile::Profile;
use crate::sizing::{DAY_MS, Sample};
use crate::trend::trend;

/// A change by less than this share over all of the history is none.
const CHANGE_SHARE: f64 = 0.1;
/// Days looked at, at least.
const DAYS_MIN: usize = 4;
/// Hours of a day that must have been read for it to count.
const HOURS_MIN: usize = 12;

/// How use has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Course {
    /// It has not.
    Level,
    /// From one level to another, at a time in milliseconds since 1970.
    Step {
        /// Before it, in bytes.
        from_bytes: u64,
        /// Since then, in bytes.
        to_bytes: u64,
        /// When, to the day.
        at_ms: i64,
    },
    /// It grows with the calendar, whether it is restarted or not.
    Growth(Rise),
    /// It grows since its start; a restart would tell whether this is a leak.
    GrowthOrLeak(Rise),
    /// It grows with the time since each start.
    Leak(Rise),
}

impl Course {
    /// What it rises by, where it does.
    pub fn rise(&self) -> Option<Rise> {
        match self {
            Course::Growth(rise) | Course::GrowthOrLeak(rise) | Course::Leak(rise) => Some(*rise),
            Course::Level | Course::Step { .. } => None,
        }
    }
}

/// Days until a limit is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DaysToLimit {
    /// At the likeliest pace.
    pub days: f64,
    /// At the fastest.
    pub earliest: f64,
    /// At the slowest; `None` when that never reaches it.
    pub latest: Option<f64>,
}

/// When a rise reaches a limit, from the use of the last day; 0 where it is there.
pub fn days_to_limit(rise: Rise, used_bytes: u64, limit_bytes: u64) -> Option<DaysToLimit> {
    let left = limit_bytes.saturating_sub(used_bytes) as f64;
    let days = |bytes_per_day: f64| (bytes_per_day > 0.0).then(|| left / bytes_per_day);
    Some(DaysToLimit {
        days: days(rise.bytes_per_day)?,
        earliest: days(rise.band.1.max(rise.bytes_per_day))?,
        latest: days(rise.band.0.min(rise.bytes_per_day)),
    })
}

/// The course of a profile.
pub fn course(profile: &Profile) -> Course {
    if let Some(rise) = profile.ages.rise() {
        return Course::Leak(rise);
    }
    let floors = daily_floors(profile);
    let Some(found) = trend(&floors).filter(|found| floors.len() >= DAYS_MIN && found.is_certain) else {
        return stepped(&floors).unwrap_or(Course::Level);
    };
    let (first, last) = (floors[0], floors[floors.len() - 1]);
    if (found.slope * (last.0 - first.0)).abs() < CHANGE_SHARE * middle(&floors) {
        return Course::Level;
    }
    if let Some(step) = stepped(&floors) {
        return step;
    }
    let rise = Rise { bytes_per_day: found.slope, band: found.band };
    match found.slope > 0.0 {
        // Where lives have been seen to start and use does not grow with age, it is the load that grows.
        true if profile.start_up_bytes > 0 => Course::Growth(rise),
        true => Course::GrowthOrLeak(rise),
        false => Course::Level,
    }
}

/// The lowest hour of each day that was read for the most part: garbage that is collected does not hide what stays.
fn daily_floors(profile: &Profile) -> Vec<(f64, f64)> {
    let floor = |(day, hours): (i64, Vec<Sample>)| {
        let lowest = hours.iter().map(|hour| hour.bytes).min()?;
        (hours.len() >= HOURS_MIN).then_some((day as f64, lowest as f64))
    };
    profile.days().into_iter().filter_map(floor).collect()
}

fn middle(points: &[(f64, f64)]) -> f64 {
    let mut values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Two levels, where these are nearer to the days than a straight line is.
fn stepped(floors: &[(f64, f64)]) -> Option<Course> {
    const DAYS_EACH_MIN: usize = 2;
    let split = |at: usize| (mean(&floors[..at]), mean(&floors[at..]));
    let off = |at: usize| {
        let (before, after) = split(at);
        squares(&floors[..at], |_| before) + squares(&floors[at..], |_| after)
    };
    let splits = DAYS_EACH_MIN..(floors.len() + 1).saturating_sub(DAYS_EACH_MIN);
    let at = splits.min_by(|one, other| off(*one).total_cmp(&off(*other)))?;
    let (before, after) = split(at);
    let is_nearer = off(at) < off_line(floors) * STEP_NEARER;
    (is_nearer && (after / before - 1.0).abs() >= CHANGE_SHARE).then(|| Course::Step {
        from_bytes: before as u64,
        to_bytes: after as u64,
        at_ms: floors[at].0 as i64 * DAY_MS,
    })
}

/// A step has two levels and a time, a line only two numbers: it has to be so much nearer.
const STEP_NEARER: f64 = 0.5;

/// How far the days are from the straight line that is nearest to them, in squares.
fn off_line(floors: &[(f64, f64)]) -> f64 {
    let middle = floors.iter().map(|(day, _)| day).sum::<f64>() / floors.len() as f64;
    let level = mean(floors);
    let (along, across) = floors.iter().fold((0.0, 0.0), |(along, across), (day, value)| {
        (along + (day - middle) * (day - middle), across + (day - middle) * (value - level))
    });
    let slope = if along > 0.0 { across / along } else { 0.0 };
    squares(floors, |day| level + slope * (day - middle))
}

fn mean(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(_, value)| value).sum::<f64>() / points.len().max(1) as f64
}

fn squares(points: &[(f64, f64)], expected: impl Fn(f64) -> f64) -> f64 {
    points.iter().map(|(day, value)| (value - expected(*day)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::HOUR_MS;

    /// A day's use with some noise, and lives of so many hours.
    fn course_of(days: i64, life_hours: i64, bytes: impl Fn(f64, f64) -> f64) -> Course {
        let mut profile = Profile::new(0, days * DAY_MS - 1);
        for hour in 0..days * 24 {
            let age = (hour >= life_hours).then_some(hour % life_hours);
            let noise = 1.0 + 0.01 * ((hour * 7919) % 10) as f64 / 10.0;
            let bytes = bytes(hour as f64 / 24.0, (hour % life_hours) as f64) * noise;
            profile.take(hour * HOUR_MS, age.map(|age| age * HOUR_MS), bytes);
            if let Some(age) = age {
                profile.ages.take(age as u64, bytes);
            }
        }
        course(&profile)
    }

    #[test]
    fn courses() {
        let near = |rise: Rise, expect: f64| (rise.bytes_per_day / expect - 1.0).abs() < 0.15;
        assert_eq!(course_of(14, 999, |_, _| 5e8), Course::Level);
        // A daily cycle is level.
        assert_eq!(
            course_of(14, 999, |day, _| 5e8 + 2e8 * (day.fract() * std::f64::consts::TAU).sin()),
            Course::Level
        );
        let leak = course_of(14, 72, |_, age| 3e8 + 2e6 * age);
        assert!(matches!(leak, Course::Leak(rise) if near(rise, 48e6)), "{leak:?}");
        let growth = course_of(14, 72, |day, _| 3e8 + 2e7 * day);
        assert!(matches!(growth, Course::Growth(rise) if near(rise, 2e7)), "{growth:?}");
        let untold = course_of(14, 999, |day, _| 3e8 + 2e7 * day);
        assert!(matches!(untold, Course::GrowthOrLeak(rise) if near(rise, 2e7)), "{untold:?}");
        let step = course_of(14, 999, |day, _| if day < 9.0 { 3e8 } else { 5e8 });
        assert!(matches!(step, Course::Step { at_ms, .. } if at_ms == 9 * DAY_MS), "{step:?}");
        // One wild day moves nothing.
        assert_eq!(course_of(14, 999, |day, _| if day as i64 == 12 { 9e8 } else { 3e8 }), Course::Level);
        // A warm-up of some hours is no leak.
        assert_eq!(course_of(14, 48, |_, age| 3e8 * (1.0 - (-(age + 1.0) / 2.0).exp())), Course::Level);
    }

    #[test]
    fn the_time_to_a_limit_has_a_band() {
        let rise = Rise { bytes_per_day: 10.0, band: (5.0, 20.0) };
        let days = days_to_limit(rise, 900, 1000).unwrap();
        assert_eq!((days.days, days.earliest, days.latest), (10.0, 5.0, Some(20.0)));
        assert_eq!(days_to_limit(Rise { band: (-1.0, 20.0), ..rise }, 900, 1000).unwrap().latest, None);
        assert_eq!(days_to_limit(rise, 1100, 1000).unwrap().days, 0.0);
    }
}
