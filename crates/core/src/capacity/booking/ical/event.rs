//! An event of a calendar.

use crate::capacity::booking::recurrence::{Error, Rule, instant_ms, zone};
use crate::capacity::roles::Counts;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// When something is: a local time in a zone, or in UTC where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// By the clock there, in whole seconds.
    pub local: DateTime,
    /// The name of the zone.
    pub zone: Option<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its own, for ever.
    pub uid: String,
    /// What people call it.
    pub summary: String,
    /// When it starts.
    pub start: Moment,
    /// When it ends, the first time.
    pub end: Moment,
    /// When it comes again.
    pub rule: Option<Rule>,
    /// When it does not, though the rule says so.
    pub except: Vec<Moment>,
    /// It is cancelled.
    pub is_cancelled: bool,
    /// One more with each change.
    pub sequence: u32,
    /// How many people of each role; nobody where nothing is said.
    pub counts: Counts,
    /// In how many rooms; 0 when that is not known.
    pub rooms: u32,
    /// Where it has to be.
    pub region: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
}

impl Moment {
    /// In milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::UnknownZone`], [`Error::OutOfRange`].
    pub fn at_ms(&self) -> Result<i64, Error> {
        instant_ms(self.local, &self.time_zone()?)
    }

    /// Its zone.
    ///
    /// # Errors
    /// [`Error::UnknownZone`].
    pub fn time_zone(&self) -> Result<TimeZone, Error> {
        self.zone.as_ref().map_or(Ok(TimeZone::UTC), |name| zone(name))
    }
}
