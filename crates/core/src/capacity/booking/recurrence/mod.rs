//! Recurrence: the part of RFC 5545 that meetings use, aware of time zones.
//!
//! A [`Rule`] says when a meeting comes again: each so many days, weeks or months, on which weekdays, how often or until
//! when. It goes by the clock on the wall: what begins at 09:00 in Berlin begins at 09:00 in Berlin in winter and in
//! summer. A local time that does not exist (clocks go forward) is read with the offset before the gap, one that exists
//! twice is the first, which is RFC 5545's rule for any time (3.3.5), and by 3.3.10 that of recurring ones too. Days that
//! do not exist (the 31st in April) are left out and not counted (3.3.10). The sentence there that leaves out times that
//! do not exist contradicts the one before it; a meeting that moves by an hour once is better than one that is lost.
//!
//! Occurrences are those days the rule says, from the start on. RFC 5545 leaves open what happens when the start is not
//! one of them: then it is not an occurrence. COUNT counts before EXDATE takes away.
//!
//! What is not supported is refused by its name, never ignored: a meeting at another time than its owner thinks is worse
//! than none.

mod expand;
mod parse;
mod print;
mod zone;

#[cfg(test)]
mod tests;

pub use expand::{Bounds, Expansion, expand};
pub use zone::{instant_ms, local, zone};

pub(super) use parse::{civil as read_civil, day as read_day};
pub(super) use print::{civil, utc};

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// The most that INTERVAL may be.
pub const MOST_INTERVAL: u32 = 1_000;
/// The most that COUNT may be.
pub const MOST_COUNT: u32 = 10_000;

/// When something comes again; see the module. Its text is that of `RRULE:`, with or without the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    /// What INTERVAL counts.
    pub every: Every,
    /// Each so many of them, 1 to [`MOST_INTERVAL`].
    pub interval: u32,
    /// On these weekdays only, ascending and none twice; on the start's when there are none. Of weeks that begin on
    /// Monday.
    pub weekdays: Vec<OnDay>,
    /// When it is over.
    pub end: End,
}

/// FREQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Every {
    /// DAILY.
    Day,
    /// WEEKLY.
    Week,
    /// MONTHLY.
    Month,
}

/// A weekday in BYDAY: all in the period, or that of a month by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OnDay {
    /// In a month only: 1 to 5 from its beginning, -1 to -5 from its end; 0 for each.
    pub nth: i8,
    /// Which.
    pub weekday: Weekday,
}

/// COUNT, UNTIL, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// It goes on.
    Never,
    /// After so many occurrences, 1 to [`MOST_COUNT`], those that EXDATE takes away included.
    Count(u32),
    /// With the last that is not after this moment, in milliseconds since 1970 in whole seconds.
    UntilMs(i64),
    /// With the last on this day or before, in the zone of the start.
    UntilDay(Date),
}

/// What is wrong with a rule or with what it is applied to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A part of RFC 5545 that is not supported.
    #[error(
        "recurrence: {0} is not supported\nsay it with FREQ (DAILY, WEEKLY, MONTHLY), INTERVAL, BYDAY, COUNT or UNTIL"
    )]
    Unsupported(String),
    /// Not a rule.
    #[error("recurrence: {0}\nwrite it like FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10")]
    Malformed(String),
    /// There are more occurrences than may be.
    #[error("recurrence: more than {0} occurrences\nend it sooner, with COUNT or UNTIL")]
    TooMany(usize),
    /// No occurrence was found in so many days, weeks or months.
    #[error("recurrence: no occurrence in {0} periods\ncheck that INTERVAL and BYDAY ever meet")]
    Sparse(u32),
    /// No such zone.
    #[error("time zone {0:?} is not known\nuse a name of the IANA database, like Europe/Berlin or UTC")]
    UnknownZone(String),
    /// A time that no clock of ours can show.
    #[error("a time is out of range\nuse years from 1970 to 9998")]
    OutOfRange,
}
