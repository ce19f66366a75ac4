//! Between local time and the time line.

use super::Error;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A name of the zone database is no longer than this.
const MOST_NAME: usize = 64;

/// A zone by its name in the IANA database, the bundled one: the same on every machine, and no file is read.
///
/// # Errors
/// [`Error::UnknownZone`].
pub fn zone(name: &str) -> Result<TimeZone, Error> {
    let unknown = || Error::UnknownZone(name.chars().take(MOST_NAME).collect());
    if name.len() > MOST_NAME {
        return Err(unknown());
    }
    TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())
}

/// The moment of a local time, in milliseconds since 1970. In a gap it is read with the offset before the gap, of two it
/// is the first (RFC 5545, 3.3.5).
///
/// # Errors
/// [`Error::OutOfRange`] at the ends of time.
pub fn instant_ms(at: DateTime, zone: &TimeZone) -> Result<i64, Error> {
    let stamp = zone.to_ambiguous_timestamp(at).compatible().map_err(|_| Error::OutOfRange)?;
    Ok(stamp.as_millisecond())
}

/// The local time of a moment in milliseconds since 1970.
///
/// # Errors
/// [`Error::OutOfRange`] at the ends of time.
pub fn local(at_ms: i64, zone: &TimeZone) -> Result<DateTime, Error> {
    let stamp = Timestamp::from_millisecond(at_ms).map_err(|_| Error::OutOfRange)?;
    Ok(zone.to_datetime(stamp))
}
