//! Plimsoll's decisions, and nothing but decisions.
//!
//! Everything here is a pure function or a small state machine that is told the time: no IO, no clock, no
//! randomness, no async. The same input gives the same answer, which is what makes the ladder, the solver,
//! the jobserver's admission and the freezer testable as tables and as properties.

pub mod admission;
pub mod attempt;
pub mod backtest;
pub mod budget;
pub mod capacity;
pub mod census;
pub mod controller;
pub mod diagnosis;
pub mod freezer;
pub mod input;
pub mod inventory;
pub mod kills;
pub mod knobs;
pub mod ladder;
pub mod mode;
pub mod outcome;
pub mod plan;
pub mod profile;
pub mod program;
pub mod promise;
pub mod recommend;
pub mod report;
pub mod rightsize;
pub mod rollout;
pub mod runner;
pub mod signature;
pub mod size;
pub mod sizing;
pub mod solver;
pub mod stall;
pub mod trend;
