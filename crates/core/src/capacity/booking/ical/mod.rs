//! iCalendar (RFC 5545) in and out, as much of it as reservations need.
//!
//! Own, and small, because what it reads comes from strangers: each size is bounded, nothing panics, and what would
//! change when a meeting is and is not supported is refused by name. The crates for it bring a second library for time
//! or a second parser each, read without bounds, and know nothing of the rule of [`recurrence`](super::recurrence).
//!
//! Read are the events (VEVENT) of a calendar: UID, SUMMARY, DTSTART and DTEND or DURATION with a TZID of the IANA
//! database or in UTC, RRULE, EXDATE, STATUS, SEQUENCE, and what is ours: `X-PLIMSOLL-COUNTS` (`participant_video=20,
//! experimenter=3`), `X-PLIMSOLL-ROOMS`, `X-PLIMSOLL-REGION`, `X-PLIMSOLL-OWNER`. Days without a time, times without a
//! zone, RDATE, EXRULE and RECURRENCE-ID are refused. Other properties and components are passed over; so are VTIMEZONEs:
//! a zone is what its name says.

mod event;
mod lines;
mod read;
mod time;
mod write;

#[cfg(test)]
mod tests;

pub use event::{Event, Moment};
pub use read::read;
pub use write::write;

/// A calendar is no longer than this, in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// Events in one calendar.
pub const MOST_EVENTS: usize = 1_000;
/// EXDATEs of one event.
pub const MOST_EXCEPTIONS: usize = 500;

/// Why a calendar is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calendar, line {line}: {what}\n{hint}")]
pub struct Error {
    /// The line, from 1, as it is before folded lines are put together.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: &'static str,
}
