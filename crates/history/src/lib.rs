//! History: what containers and builds have used, read from where it is kept.
//!
//! Every source yields the same: [series](plimsoll_core::backtest::Series) of samples in the order of time, and
//! [runs of jobs](plimsoll_core::sizing::builds::JobRun). What cannot be read is an error that names the place; what is
//! missing is left out, never taken for zero.

pub mod chunk;
mod each;
pub mod error;
pub mod jobs;
pub mod labels;
pub mod reader;
pub mod selector;
pub mod series;
pub mod server;
pub mod sink;
pub mod source;
pub mod table;
pub mod tsdb;
pub mod workloads;

pub use error::HistoryError;
pub use labels::Labels;
pub use reader::Reader;
pub use selector::{Range, Selector};
pub use sink::{Point, Sink};
pub use source::Source;
