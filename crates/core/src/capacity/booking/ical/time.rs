//! Times and lengths as calendars write them.

use super::lines::Line;
use super::{Error, Moment};
use crate::capacity::booking::recurrence::{read_civil as civil, read_day as day, zone};
use jiff::SignedDuration;

const UTC_OR_ZONE: &str = "write it in UTC, like 20261129T090000Z, or with a TZID like Europe/Berlin";

/// The moments that a line has, one at least.
pub(super) fn moments(line: &Line) -> Result<Vec<Moment>, Error> {
    line.value.split(',').map(|text| moment(line, text)).collect()
}

/// The only moment that a line has.
pub(super) fn one(line: &Line) -> Result<Moment, Error> {
    moment(line, &line.value)
}

fn moment(line: &Line, text: &str) -> Result<Moment, Error> {
    let name = &line.name;
    if line.param("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("DATE")) || day(text).is_some() {
        return Err(line.error(format!("{name} is a day without a time"), "give it a time"));
    }
    let shown: String = text.chars().take(40).collect();
    let wrong = || line.error(format!("{name} {shown:?} is not a time"), UTC_OR_ZONE);
    if let Some(utc) = text.strip_suffix('Z') {
        return Ok(Moment { local: civil(utc).ok_or_else(wrong)?, zone: None });
    }
    let local = civil(text).ok_or_else(wrong)?;
    let Some(named) = line.param("TZID") else {
        return Err(line.error(format!("{name} has no time zone"), UTC_OR_ZONE));
    };
    match zone(named) {
        Ok(_) if named.eq_ignore_ascii_case("UTC") => Ok(Moment { local, zone: None }),
        Ok(_) => Ok(Moment { local, zone: Some(named.to_string()) }),
        Err(error) => {
            let text = error.to_string();
            let (what, _) = text.split_once('\n').unwrap_or((&text, ""));
            Err(line.error(what, "use a name of the IANA database, like Europe/Berlin"))
        }
    }
}

/// A length like `PT1H30M` or `P1D`, above zero and at most 366 days.
pub(super) fn duration(line: &Line) -> Result<SignedDuration, Error> {
    let wrong = || line.error("DURATION is not a length of time", "write it like PT1H30M");
    let text = line.value.strip_prefix('+').unwrap_or(&line.value);
    let (mut rest, mut seconds) = (text.strip_prefix('P').ok_or_else(wrong)?, 0i64);
    let mut is_time = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T').filter(|_| !is_time) {
            (rest, is_time) = (after, true);
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let number: i64 = number.parse().ok().filter(|number| *number < 1_000_000).ok_or_else(wrong)?;
        let mut after = after.chars();
        let unit = match (after.next(), is_time) {
            (Some('W'), false) => 7 * 86_400,
            (Some('D'), false) => 86_400,
            (Some('H'), true) => 3_600,
            (Some('M'), true) => 60,
            (Some('S'), true) => 1,
            _ => return Err(wrong()),
        };
        seconds = seconds.saturating_add(number * unit);
        rest = after.as_str();
    }
    if !(1..=366 * 86_400).contains(&seconds) {
        return Err(line.error("DURATION is not between a second and a year", "write it like PT1H30M"));
    }
    Ok(SignedDuration::from_secs(seconds))
}
