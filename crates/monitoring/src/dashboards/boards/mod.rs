//! The boards.

pub(super) mod builds;
pub(super) mod capacity;
pub(super) mod cost;
pub(super) mod memory;
pub(super) mod sizing;
