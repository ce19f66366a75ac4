//! The chart: what it renders, what it refuses, what it grants, and how it is installed, upgraded, rolled back and removed on a
//! real API server.

#[path = "../common/mod.rs"]
mod common;
mod files;
mod harbour;
mod helm;
mod installed;
mod readme;
mod rendered;
mod rules_of_own;
mod runner_values;
mod running;
