//! Bookings: what of the memory is promised to whom, when, and at what risk.

pub mod admit;
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
mod fixtures;
