//! A rule as text, in one way: what reads the same is written the same.

use super::{End, Every, OnDay, Rule};
use jiff::Timestamp;
use jiff::civil::Weekday;
use std::fmt::{Display, Formatter, Result};

/// The names that RFC 5545 has for weekdays, from Monday on.
pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

impl Display for OnDay {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let (name, _) = WEEKDAYS[usize::from(self.weekday.to_monday_zero_offset().unsigned_abs())];
        if self.nth != 0 {
            write!(out, "{}", self.nth)?;
        }
        out.write_str(name)
    }
}

impl Display for Rule {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self.every {
            Every::Day => "FREQ=DAILY",
            Every::Week => "FREQ=WEEKLY",
            Every::Month => "FREQ=MONTHLY",
        })?;
        if self.interval != 1 {
            write!(out, ";INTERVAL={}", self.interval)?;
        }
        for (at, day) in self.weekdays.iter().enumerate() {
            write!(out, "{}{day}", if at == 0 { ";BYDAY=" } else { "," })?;
        }
        match self.end {
            End::Never => Ok(()),
            End::Count(count) => write!(out, ";COUNT={count}"),
            End::UntilMs(at_ms) => write!(out, ";UNTIL={}", utc(at_ms)),
            End::UntilDay(day) => write!(out, ";UNTIL={:04}{:02}{:02}", day.year(), day.month(), day.day()),
        }
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> String {
        rule.to_string()
    }
}

/// A moment in RFC 5545's form for UTC, in whole seconds.
pub(in crate::capacity::booking) fn utc(at_ms: i64) -> String {
    let stamp = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    let at = jiff::tz::TimeZone::UTC.to_datetime(stamp);
    format!("{}Z", civil(at))
}

/// A local time in RFC 5545's form.
pub(in crate::capacity::booking) fn civil(at: jiff::civil::DateTime) -> String {
    let (day, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}",
        day.year(),
        day.month(),
        day.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
