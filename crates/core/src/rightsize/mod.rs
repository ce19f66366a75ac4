//! Right-sizing: what the containers of a cluster should request and be limited to, by what they have used.
//!
//! A [profile](profile) condenses the history of a container; what it [shows](course) - a weekly peak, a leak, a start-up that
//! needs more than all that follows - is what people are told. The size itself is the [fleet's](fleet) to say: the same
//! rule as in a backtest, so that what was proven there is what is recommended here. [`answer`] puts both together.

pub mod ages;
pub mod answer;
pub mod course;
pub mod envelope;
pub mod fleet;
pub mod past;
pub mod peak;
pub mod profile;
pub mod reason;
