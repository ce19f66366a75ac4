//! What is kept of capacity: reservations, their steps, observations, profiles and events, in SQLite or PostgreSQL.
//!
//! The only crate that knows SQL. It decides nothing: it shows what is there, and writes what was decided, so that no two
//! decide at the same time.

mod answers;
mod audit;
mod change;
mod database;
mod error;
mod events;
mod observations;
mod reservations;
mod schema;
mod steps;

pub use answers::{Answer, KEPT_MS};
pub use audit::Deed;
pub use change::Change;
pub use database::{Database, Kind};
pub use error::StoreError;
pub use events::Event;
pub use observations::OBSERVED_MS;
pub use reservations::{Filter, PAGE_MAX};
pub use steps::{Scaled, StepDone};
