//! The formula: memory as a base and so much for each of a role.
pub mod band;
pub mod compare;
pub mod drift;
pub mod fit;
pub mod growth;
pub mod learn;
pub mod ledger;
pub mod observation;
pub mod plain;
pub mod profile;
pub mod project;
pub mod retained;
pub mod rows;
pub mod squares;
pub mod terms;
pub mod truth;

#[cfg(test)]
mod tests;
