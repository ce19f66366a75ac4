//! Writing a calendar.
//!
//! Each zone that an event names has to be in the calendar as a VTIMEZONE (RFC 5545, 3.6.5): it has the changes of the
//! clock from a year before its first event to two years after the last start that is named, as the zone database has
//! them. Readers that know the zone's name go by that anyway.

use super::lines::{escape, push};
use super::{Event, Moment};
use crate::capacity::booking::recurrence::{civil, utc, zone};
use crate::capacity::booking::span::DAY_MS;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneTransition};
use std::collections::BTreeMap;

/// Changes of the clock that are written of one zone.
const MOST_CHANGES: usize = 200;

/// A calendar of these events, as of a moment in milliseconds since 1970 (DTSTAMP).
pub fn write(events: &[Event], now_ms: i64) -> String {
    let mut out = String::new();
    let mut put = |line: &str| push(&mut out, line);
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Plimsoll//capacity//EN"].into_iter().for_each(&mut put);
    for (name, (from_ms, to_ms)) in zones(events) {
        if let Ok(zone) = zone(name) {
            time_zone(name, &zone, from_ms - 366 * DAY_MS, to_ms + 731 * DAY_MS, &mut put);
        }
    }
    events.iter().for_each(|it| event(it, now_ms, &mut put));
    put("END:VCALENDAR");
    out
}

fn event(it: &Event, now_ms: i64, put: &mut impl FnMut(&str)) {
    put("BEGIN:VEVENT");
    put(&format!("UID:{}", escape(&it.uid)));
    put(&format!("DTSTAMP:{}", utc(now_ms)));
    put(&format!("DTSTART{}", moment(&it.start)));
    put(&format!("DTEND{}", moment(&it.end)));
    put(&format!("SUMMARY:{}", escape(&it.summary)));
    put(&format!("SEQUENCE:{}", it.sequence));
    put(if it.is_cancelled { "STATUS:CANCELLED" } else { "STATUS:CONFIRMED" });
    if let Some(rule) = &it.rule {
        put(&format!("RRULE:{rule}"));
    }
    it.except.iter().for_each(|at| put(&format!("EXDATE{}", moment(at))));
    let counts: Vec<String> = it.counts.iter().map(|(role, count)| format!("{role}={count}")).collect();
    if !counts.is_empty() {
        put(&format!("X-PLIMSOLL-COUNTS:{}", counts.join(",")));
    }
    if it.rooms > 0 {
        put(&format!("X-PLIMSOLL-ROOMS:{}", it.rooms));
    }
    for (name, value) in [("X-PLIMSOLL-REGION", &it.region), ("X-PLIMSOLL-OWNER", &it.owner)] {
        if let Some(value) = value {
            put(&format!("{name}:{}", escape(value)));
        }
    }
    put("END:VEVENT");
}

/// The parameter and the value.
fn moment(at: &Moment) -> String {
    match &at.zone {
        None => format!(":{}Z", civil_text(at)),
        Some(zone) => format!(";TZID={zone}:{}", civil_text(at)),
    }
}

fn civil_text(at: &Moment) -> String {
    civil(at.local)
}

/// Zones that are named, and the first and the last moment in each.
fn zones(events: &[Event]) -> BTreeMap<&str, (i64, i64)> {
    let mut zones: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for at in events.iter().flat_map(|it| [&it.start, &it.end].into_iter().chain(&it.except)) {
        if let (Some(name), Ok(at_ms)) = (&at.zone, at.at_ms()) {
            let (from, to) = zones.entry(name).or_insert((at_ms, at_ms));
            (*from, *to) = ((*from).min(at_ms), (*to).max(at_ms));
        }
    }
    zones
}

fn time_zone(name: &str, zone: &TimeZone, from_ms: i64, to_ms: i64, put: &mut impl FnMut(&str)) {
    let Ok(from) = Timestamp::from_millisecond(from_ms) else { return };
    put("BEGIN:VTIMEZONE");
    put(&format!("TZID:{name}"));
    let mut before = zone.to_offset(from);
    let first = zone.to_offset_info(from);
    let (is_dst, abbreviation) = (first.dst().is_dst(), first.abbreviation().to_string());
    part(is_dst, &civil(before.to_datetime(from)), before, before, &abbreviation, put);
    let is_within = |change: &TimeZoneTransition| change.timestamp().as_millisecond() <= to_ms;
    for change in zone.following(from).take_while(is_within).take(MOST_CHANGES) {
        // As the clock showed it before the change.
        let at = civil(before.to_datetime(change.timestamp()));
        part(change.dst().is_dst(), &at, before, change.offset(), change.abbreviation(), put);
        before = change.offset();
    }
    put("END:VTIMEZONE");
}

fn part(is_dst: bool, at: &str, before: Offset, after: Offset, name: &str, put: &mut impl FnMut(&str)) {
    let kind = if is_dst { "DAYLIGHT" } else { "STANDARD" };
    put(&format!("BEGIN:{kind}"));
    put(&format!("DTSTART:{at}"));
    put(&format!("TZOFFSETFROM:{}", offset(before)));
    put(&format!("TZOFFSETTO:{}", offset(after)));
    put(&format!("TZNAME:{}", escape(name)));
    put(&format!("END:{kind}"));
}

/// Like `+0100`.
fn offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}
