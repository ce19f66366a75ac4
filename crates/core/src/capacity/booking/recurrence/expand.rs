//! From a rule to moments, within bounds.

use super::{End, Error, Every, OnDay, Rule, instant_ms};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// So many days, weeks or months are gone through at most: 27 years of days.
const MOST_PERIODS: u32 = 10_000;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// More occurrences than these before the horizon are refused.
    pub most: usize,
    /// Nothing at or after this moment is looked at, in milliseconds since 1970.
    pub horizon_ms: i64,
}

/// The occurrences of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// When they start, in milliseconds since 1970, ascending, none twice.
    pub starts_ms: Vec<i64>,
    /// There are more at or after the horizon.
    pub is_cut: bool,
}

/// When a rule that begins at a local time has its occurrences before the horizon, without those that start at one of
/// `except_ms` (EXDATE, in milliseconds since 1970).
///
/// # Errors
/// [`Error::TooMany`], [`Error::Sparse`] or [`Error::OutOfRange`]; whatever the rule, it ends after 10,000 periods.
pub fn expand(
    rule: &Rule,
    start: DateTime,
    zone: &TimeZone,
    except_ms: &[i64],
    bounds: Bounds,
) -> Result<Expansion, Error> {
    let except: BTreeSet<i64> = except_ms.iter().copied().collect();
    let mut found = Expansion { starts_ms: Vec::new(), is_cut: false };
    let (mut counted, mut last_ms) = (0, i64::MIN);
    for period in 0..MOST_PERIODS {
        for day in days(rule, start.date(), period)? {
            let at_ms = instant_ms(DateTime::from_parts(day, start.time()), zone)?;
            if is_over(rule.end, counted, at_ms, day) {
                return Ok(found);
            }
            if at_ms >= bounds.horizon_ms {
                found.is_cut = true;
                return Ok(found);
            }
            counted += 1;
            // Two days may be one moment where a zone left out a day (Samoa, 2011).
            if at_ms <= last_ms || except.contains(&at_ms) {
                continue;
            }
            last_ms = at_ms;
            if found.starts_ms.len() == bounds.most {
                return Err(Error::TooMany(bounds.most));
            }
            found.starts_ms.push(at_ms);
        }
        // A rule that never meets a day goes past its end, too.
        let begins = begin(rule, start.date(), period)?;
        let begins_ms = instant_ms(begins.to_datetime(start.time()), zone)?;
        if begins_ms >= bounds.horizon_ms {
            found.is_cut = !is_over(rule.end, counted, begins_ms, begins);
            return Ok(found);
        }
    }
    Err(Error::Sparse(MOST_PERIODS))
}

fn is_over(end: End, counted: u32, at_ms: i64, day: Date) -> bool {
    match end {
        End::Never => false,
        End::Count(count) => counted >= count,
        End::UntilMs(until_ms) => at_ms > until_ms,
        End::UntilDay(until) => day > until,
    }
}

/// The first day of a period: of the week from Monday on, of the month from the 1st on.
fn begin(rule: &Rule, start: Date, period: u32) -> Result<Date, Error> {
    let steps = i64::from(period) * i64::from(rule.interval);
    let (first, by) = match rule.every {
        Every::Day => (start, steps.days()),
        Every::Week => {
            let since_monday = i64::from(start.weekday().to_monday_zero_offset());
            (start.checked_sub(since_monday.days()).map_err(|_| Error::OutOfRange)?, steps.weeks())
        }
        Every::Month => (start.first_of_month(), steps.months()),
    };
    first.checked_add(by).map_err(|_| Error::OutOfRange)
}

/// The days of a period that the rule means, from the start on, ascending.
fn days(rule: &Rule, start: Date, period: u32) -> Result<Vec<Date>, Error> {
    let first = begin(rule, start, period)?;
    let (length, is_same): (i8, &dyn Fn(Date) -> bool) = match rule.every {
        Every::Day => (1, &|_| true),
        Every::Week => (7, &|day| day.weekday() == start.weekday()),
        Every::Month => (first.days_in_month(), &|day| day.day() == start.day()),
    };
    let mut days = Vec::new();
    for at in 0..length {
        let day = first.checked_add(i64::from(at).days()).map_err(|_| Error::OutOfRange)?;
        let is_meant = match rule.weekdays.as_slice() {
            [] => is_same(day),
            some => some.iter().any(|on| is_on(on, day)),
        };
        if day >= start && is_meant {
            days.push(day);
        }
    }
    Ok(days)
}

fn is_on(on: &OnDay, day: Date) -> bool {
    let nth = (day.day() - 1) / 7 + 1;
    let from_end = (day.days_in_month() - day.day()) / 7 + 1;
    on.weekday == day.weekday() && (on.nth == 0 || on.nth == nth || on.nth == -from_end)
}
