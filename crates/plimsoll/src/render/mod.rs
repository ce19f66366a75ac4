//! What is shown of a run: all of it made from one [`report::RunReport`].

pub mod html;
pub mod live;
pub mod openmetrics;
pub mod progress;
pub mod report;
pub mod runner;
pub mod summary;
pub mod table;
pub(crate) mod words;

pub use words::outcome;

#[cfg(test)]
mod sample;
