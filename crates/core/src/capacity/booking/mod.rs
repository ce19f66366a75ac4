//! Bookings: what of the memory is promised to whom, when, and at what risk.
//!
//! - [`reservation`]: what is stored of one, its states, and what may follow what; [`span`]: when it holds memory;
//! - [`recurrence`], [`ical`]: what comes again, and calendars in and out;
//! - [`demand`]: what people take as a distribution, and the quantile of a sum; [`timetable`]: sums over time;
//! - [`supply`], [`rooms`]: pods, and rooms in them, whole and for their life;
//! - [`admit`]: who is promised memory and who is not, why, and what would do; turns, and who gives way;
//! - [`timeline`]: what is done before and after, and how many pods all want together; [`price`]: what it costs.
//!
//! Time and zones are arguments, and the zone database is the bundled one: the same input has the same answer on every
//! machine and after every restart. Who stores what is decided here does it in the transaction in which it was read.

pub mod admit;
mod days;
pub mod demand;
pub mod ical;
pub mod price;
pub mod recurrence;
pub mod reservation;
pub mod rooms;
pub mod span;
pub mod supply;
pub mod timeline;
pub mod timetable;

#[cfg(test)]
pub(super) mod fixtures;
