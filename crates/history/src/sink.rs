//! Where what is read goes: a piece at a time, so that nobody has to hold all of it.

use super::labels::Labels;

/// A reading: when, in milliseconds since 1970, and what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// In milliseconds since 1970.
    pub at_ms: i64,
    /// Never NaN: markers of staleness are left out.
    pub value: f64,
}

/// Takes series as they come. A series may come in several pieces, and again when all others have been; the points of a piece
/// are in the order of time, pieces need not be.
pub trait Sink {
    /// What comes next is of this series.
    fn series(&mut self, labels: &Labels);

    /// The next piece of it.
    fn points(&mut self, points: &[Point]);
}
