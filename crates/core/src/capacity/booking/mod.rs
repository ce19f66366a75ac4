//! Bookings: what of the memory is promised to whom, when, and at what risk.

pub mod demand;
pub mod recurrence;
pub mod rooms;
pub mod span;
pub mod supply;
