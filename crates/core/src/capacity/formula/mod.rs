//! The formula: memory as a base and so much for each of a role.
pub mod band;
pub mod drift;
pub mod fit;
pub mod growth;
pub mod learn;
pub mod observation;
pub mod plain;
pub mod profile;
pub mod project;
pub mod retained;
pub mod rows;
pub mod squares;
pub mod terms;
