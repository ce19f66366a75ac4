//! Reading a calendar.

use super::lines::{Line, lines, unescape};
use super::{Error, Event, MOST_EVENTS, MOST_EXCEPTIONS, Moment, time};
use crate::capacity::booking::recurrence::{Rule, local};
use crate::capacity::roles::{Counts, Role};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Components in components.
const MOST_DEEP: usize = 8;
/// A UID, an owner or a region is no longer than this, in bytes.
const MOST_NAME: usize = 255;
/// A SUMMARY is no longer than this, in bytes.
const MOST_SUMMARY: usize = 2_000;

/// The events of a calendar, in their order. Whatever the bytes, it answers.
///
/// # Errors
/// [`Error`]: with the line, what is wrong with it, and what to do. Nothing is read by halves.
pub fn read(bytes: &[u8]) -> Result<Vec<Event>, Error> {
    let (mut open, mut events): (Vec<String>, Vec<Event>) = (Vec::new(), Vec::new());
    let mut draft = Draft::default();
    let (mut last, mut is_calendar) = (1, false);
    for line in lines(bytes)? {
        last = line.number;
        match line.name.as_str() {
            "BEGIN" => {
                let name = line.value.to_ascii_uppercase();
                if open.is_empty() != (name == "VCALENDAR") || open.len() == MOST_DEEP {
                    return Err(line.error("it begins where it cannot", "begin with BEGIN:VCALENDAR"));
                }
                if open.len() == 1 && name == "VEVENT" {
                    draft = Draft { line: line.number, ..Draft::default() };
                }
                is_calendar = true;
                open.push(name);
            }
            "END" => {
                let name = line.value.to_ascii_uppercase();
                if open.pop().as_ref() != Some(&name) {
                    return Err(line.error("it ends what did not begin", "close what was opened last"));
                }
                if open.len() == 1 && name == "VEVENT" {
                    if events.len() == MOST_EVENTS {
                        return Err(line.error("more than 1,000 events", "import them in parts"));
                    }
                    events.push(std::mem::take(&mut draft).event()?);
                }
            }
            // Of an alarm within an event nothing is of interest.
            _ if open.len() == 2 && open[1] == "VEVENT" => draft.take(line)?,
            _ if open.is_empty() => {
                return Err(line.error("it is not within a calendar", "begin with BEGIN:VCALENDAR"));
            }
            _ => {}
        }
    }
    match is_calendar && open.is_empty() {
        true => Ok(events),
        false => Err(Error {
            line: last,
            what: "there is no whole calendar".into(),
            hint: "begin with BEGIN:VCALENDAR and end with END:VCALENDAR",
        }),
    }
}

/// An event that is being read.
#[derive(Default)]
struct Draft {
    line: usize,
    uid: Option<String>,
    summary: Option<String>,
    start: Option<Moment>,
    end: Option<Moment>,
    length: Option<SignedDuration>,
    rule: Option<Rule>,
    except: Vec<Moment>,
    is_cancelled: Option<bool>,
    sequence: Option<u32>,
    counts: Option<Counts>,
    rooms: Option<u32>,
    region: Option<String>,
    owner: Option<String>,
}

impl Draft {
    fn take(&mut self, line: Line) -> Result<(), Error> {
        match line.name.as_str() {
            "UID" => once(&mut self.uid, &line, name(&line)?),
            "SUMMARY" => once(&mut self.summary, &line, text(&line, MOST_SUMMARY)?),
            "DTSTART" => once(&mut self.start, &line, time::one(&line)?),
            "DTEND" => once(&mut self.end, &line, time::one(&line)?),
            "DURATION" => once(&mut self.length, &line, time::duration(&line)?),
            "RRULE" => once(&mut self.rule, &line, rule(&line)?),
            "EXDATE" => {
                self.except.extend(time::moments(&line)?);
                match self.except.len() > MOST_EXCEPTIONS {
                    true => Err(line.error("more than 500 EXDATEs", "end the recurrence and begin another")),
                    false => Ok(()),
                }
            }
            "STATUS" => once(&mut self.is_cancelled, &line, line.value.eq_ignore_ascii_case("CANCELLED")),
            "SEQUENCE" => once(&mut self.sequence, &line, number(&line)?),
            "RDATE" | "EXRULE" | "RECURRENCE-ID" => {
                let what = format!("{} is not supported", line.name);
                Err(line.error(what, "say it with RRULE and EXDATE, or as events of their own"))
            }
            "X-PLIMSOLL-COUNTS" => once(&mut self.counts, &line, counts(&line)?),
            "X-PLIMSOLL-ROOMS" => once(&mut self.rooms, &line, number(&line)?),
            "X-PLIMSOLL-REGION" => once(&mut self.region, &line, name(&line)?),
            "X-PLIMSOLL-OWNER" => once(&mut self.owner, &line, name(&line)?),
            _ => Ok(()),
        }
    }

    fn event(self) -> Result<Event, Error> {
        let wrong = |what: &str, hint| Error { line: self.line, what: what.to_string(), hint };
        let uid = self.uid.ok_or_else(|| wrong("the event has no UID", "give it one that stays"))?;
        let start = self.start.ok_or_else(|| wrong("the event has no DTSTART", "say when it starts"))?;
        let end = match (self.end, self.length) {
            (Some(end), None) => end,
            (None, Some(length)) => after(&start, length)
                .ok_or_else(|| wrong("the event ends out of range", "use years from 1970 to 9998"))?,
            _ => return Err(wrong("the event has not one of DTEND and DURATION", "say when it ends, once")),
        };
        let (from, to) = (start.at_ms(), end.at_ms());
        let (Ok(from), Ok(to)) = (from, to) else {
            return Err(wrong("the event is out of range", "use years from 1970 to 9998"));
        };
        if to <= from {
            return Err(wrong("the event does not end after it starts", "swap DTSTART and DTEND"));
        }
        Ok(Event {
            uid,
            summary: self.summary.unwrap_or_default(),
            start,
            end,
            rule: self.rule,
            except: self.except,
            is_cancelled: self.is_cancelled.unwrap_or(false),
            sequence: self.sequence.unwrap_or(0),
            counts: self.counts.unwrap_or_default(),
            rooms: self.rooms.unwrap_or(0),
            region: self.region,
            owner: self.owner,
        })
    }
}

/// So much later on the time line, in the same zone; in UTC where a local time that exists twice would mean the first.
fn after(start: &Moment, length: SignedDuration) -> Option<Moment> {
    let end_ms = start.at_ms().ok()?.checked_add(i64::try_from(length.as_millis()).ok()?)?;
    let in_zone = Moment { local: local(end_ms, &start.time_zone().ok()?).ok()?, zone: start.zone.clone() };
    match in_zone.at_ms().ok()? == end_ms {
        true => Some(in_zone),
        false => Some(Moment { local: local(end_ms, &TimeZone::UTC).ok()?, zone: None }),
    }
}

fn once<T>(place: &mut Option<T>, line: &Line, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(line.error(format!("{} is there twice", line.name), "leave one of them")),
    }
}

fn text(line: &Line, most: usize) -> Result<String, Error> {
    let text = unescape(&line.value);
    match text.len() <= most {
        true => Ok(text),
        false => Err(line.error(format!("{} is longer than {most} bytes", line.name), "shorten it")),
    }
}

fn name(line: &Line) -> Result<String, Error> {
    let name = text(line, MOST_NAME)?;
    match name.is_empty() {
        false => Ok(name),
        true => Err(line.error(format!("{} is empty", line.name), "fill it or leave it out")),
    }
}

fn number(line: &Line) -> Result<u32, Error> {
    let number = line.value.trim().parse().ok().filter(|number| *number <= 1_000_000);
    number.ok_or_else(|| {
        line.error(format!("{} is not a number up to a million", line.name), "write it in digits")
    })
}

fn rule(line: &Line) -> Result<Rule, Error> {
    line.value.parse().map_err(|error: crate::capacity::booking::recurrence::Error| {
        let text = error.to_string();
        let (what, _) = text.split_once('\n').unwrap_or((&text, ""));
        line.error(what, "use FREQ (DAILY, WEEKLY, MONTHLY), INTERVAL, BYDAY, COUNT or UNTIL")
    })
}

fn counts(line: &Line) -> Result<Counts, Error> {
    let hint = "write it like participant_video=20,experimenter=3";
    let mut counts: BTreeMap<Role, u64> = BTreeMap::new();
    for part in line.value.split(',') {
        let role_and_count = part.split_once('=').and_then(|(role, count)| {
            Some((Role::new(role.trim()).ok()?, count.trim().parse::<u64>().ok()?))
        });
        let (role, count) =
            role_and_count.ok_or_else(|| line.error("X-PLIMSOLL-COUNTS is not roles and numbers", hint))?;
        if counts.insert(role, count).is_some() {
            return Err(line.error("X-PLIMSOLL-COUNTS has a role twice", hint));
        }
    }
    Counts::new(counts).map_err(|_| line.error("X-PLIMSOLL-COUNTS has too many roles or people", hint))
}
