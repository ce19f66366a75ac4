//! Reading a rule.

use super::print::WEEKDAYS;
use super::{End, Error, Every, MOST_COUNT, MOST_INTERVAL, OnDay, Rule};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use std::str::FromStr;

/// A rule's text is no longer than this, in bytes.
const MOST_TEXT: usize = 512;
/// What RFC 5545 and 7529 know beyond what is supported.
const UNSUPPORTED: [&str; 10] = [
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "RSCALE",
    "SKIP",
];

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Rule, Error> {
        if text.len() > MOST_TEXT {
            return Err(Error::Malformed(format!("longer than {MOST_TEXT} bytes")));
        }
        let text = text.trim().to_ascii_uppercase();
        let mut parts = Parts::default();
        for part in text.strip_prefix("RRULE:").unwrap_or(&text).split(';') {
            let (name, value) =
                part.split_once('=').ok_or_else(|| Error::Malformed(format!("{part:?} has no value")))?;
            parts.take(name, value)?;
        }
        parts.rule()
    }
}

impl TryFrom<String> for Rule {
    type Error = Error;

    fn try_from(text: String) -> Result<Rule, Error> {
        text.parse()
    }
}

#[derive(Default)]
struct Parts {
    every: Option<Every>,
    interval: Option<u32>,
    weekdays: Option<Vec<OnDay>>,
    count: Option<u32>,
    until: Option<End>,
    weeks: Option<()>,
}

impl Parts {
    fn take(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "FREQ" => once(&mut self.every, name, every(value)?),
            "INTERVAL" => once(&mut self.interval, name, number(name, value, MOST_INTERVAL)?),
            "COUNT" => once(&mut self.count, name, number(name, value, MOST_COUNT)?),
            "UNTIL" => once(&mut self.until, name, until(value)?),
            "BYDAY" => once(&mut self.weekdays, name, weekdays(value)?),
            "WKST" if value == "MO" => once(&mut self.weeks, name, ()),
            "WKST" => Err(Error::Unsupported(format!("WKST={value}"))),
            _ if UNSUPPORTED.contains(&name) => Err(Error::Unsupported(name.to_string())),
            _ => Err(Error::Malformed(format!("{name:?} is no part of a rule"))),
        }
    }

    fn rule(self) -> Result<Rule, Error> {
        let every = self.every.ok_or_else(|| Error::Malformed("FREQ is missing".to_string()))?;
        let weekdays = self.weekdays.unwrap_or_default();
        if every != Every::Month
            && let Some(day) = weekdays.iter().find(|day| day.nth != 0)
        {
            return Err(Error::Malformed(format!("BYDAY={day} has a number, which only months have")));
        }
        let end = match (self.count, self.until) {
            (Some(_), Some(_)) => {
                return Err(Error::Malformed("COUNT and UNTIL exclude each other".to_string()));
            }
            (Some(count), None) => End::Count(count),
            (None, until) => until.unwrap_or(End::Never),
        };
        Ok(Rule { every, interval: self.interval.unwrap_or(1), weekdays, end })
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::Malformed(format!("{name} is there twice"))),
    }
}

fn every(value: &str) -> Result<Every, Error> {
    match value {
        "DAILY" => Ok(Every::Day),
        "WEEKLY" => Ok(Every::Week),
        "MONTHLY" => Ok(Every::Month),
        "SECONDLY" | "MINUTELY" | "HOURLY" | "YEARLY" => Err(Error::Unsupported(format!("FREQ={value}"))),
        _ => Err(Error::Malformed(format!("FREQ={value:?} is none"))),
    }
}

fn number(name: &str, value: &str, most: u32) -> Result<u32, Error> {
    let number = value.parse().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Error::Malformed(format!("{name}={value:?} is not a number from 1 to {most}")))
}

fn weekdays(value: &str) -> Result<Vec<OnDay>, Error> {
    let mut days = value.split(',').map(on_day).collect::<Result<Vec<OnDay>, Error>>()?;
    days.sort_by_key(|day| (day.nth, day.weekday.to_monday_zero_offset()));
    days.dedup();
    Ok(days)
}

fn on_day(text: &str) -> Result<OnDay, Error> {
    let wrong = || Error::Malformed(format!("BYDAY={text:?} is no weekday"));
    let (nth, name) = text.split_at_checked(text.len().saturating_sub(2)).ok_or_else(wrong)?;
    let &(_, weekday) = WEEKDAYS.iter().find(|(it, _)| *it == name).ok_or_else(wrong)?;
    let digits = nth.trim_start_matches(['+', '-']);
    let nth = match nth {
        "" => 0,
        _ if digits.len() + 1 < nth.len() => return Err(wrong()),
        _ => nth.parse().ok().filter(|nth: &i8| (1..=5).contains(&nth.abs())).ok_or_else(wrong)?,
    };
    Ok(OnDay { nth, weekday })
}

fn until(value: &str) -> Result<End, Error> {
    let wrong = || Error::Malformed(format!("UNTIL={value:?} is neither a day nor a time in UTC"));
    if let Some(at) = value.strip_suffix('Z') {
        let at = civil(at).ok_or_else(wrong)?;
        let at = TimeZone::UTC.to_timestamp(at).map_err(|_| wrong())?;
        return Ok(End::UntilMs(at.as_millisecond()));
    }
    day(value).map(End::UntilDay).ok_or_else(wrong)
}

/// A local time in RFC 5545's form, `20261129T090000`.
pub(in crate::capacity::booking) fn civil(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once('T')?;
    let [hour, minute, second] = digits(time, [2, 2, 2])?;
    // A leap second is the second before it: no clock of ours has one.
    let second = if second == 60 { 59 } else { second };
    let time = Time::new(hour as i8, minute as i8, second as i8, 0).ok()?;
    Some(DateTime::from_parts(day(date)?, time))
}

/// A day in RFC 5545's form, `20261129`.
pub(in crate::capacity::booking) fn day(text: &str) -> Option<Date> {
    let [year, month, day] = digits(text, [4, 2, 2])?;
    Date::new(year, month as i8, day as i8).ok()
}

/// Numbers of so many digits each, and nothing else.
fn digits(text: &str, widths: [usize; 3]) -> Option<[i16; 3]> {
    if text.len() != widths.iter().sum::<usize>() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (first, rest) = text.split_at(widths[0]);
    let (second, third) = rest.split_at(widths[1]);
    Some([first.parse().ok()?, second.parse().ok()?, third.parse().ok()?])
}
