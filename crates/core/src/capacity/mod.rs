//! Capacity: how much memory so many people of each role take, and what of it may be promised to whom.
//!
//! [`formula`] finds the memory of an app from what it was seen to use, and says how far to trust it. What it says of one
//! unit of a role is a [`Load`](load::Load), which bookings sum. [`observing`] makes observations of the metrics of pods;
//! [`foretell`] says what is written down beforehand, to be held against them.

pub mod booking;
pub mod foretell;
pub mod formula;
pub mod load;
pub mod observing;
pub mod roles;
