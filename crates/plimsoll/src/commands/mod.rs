//! The commands beside `run`: each writes to `out` and ends with an error that is shown as it is.

mod access;
pub mod backtest;
pub mod budget;
pub mod ci;
pub mod completions;
mod form;
pub mod jobs;
pub mod man;
pub mod rightsize;
pub mod schema;

use std::io;
use thiserror::Error;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CommandError {
    /// Its output cannot be written.
    #[error("output: {0}\ncheck where it is written to")]
    Output(#[from] io::Error),
    /// It cannot be put into the form that was asked for.
    #[error("output: {0}")]
    Form(String),
    /// The store cannot be read or changed.
    #[error("{path}: {error}\ncheck --store and its rights")]
    Store {
        /// The file or folder.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// There is nothing remembered of this job.
    #[error("no job '{0}' is remembered\nsee plimsoll jobs list")]
    NoSuchJob(String),
    /// History cannot be read.
    #[error(transparent)]
    History(#[from] plimsoll_history::HistoryError),
    /// No series is long enough to be judged.
    #[error("no series has {train} of history and {horizon} after it\nchoose a shorter --train or --horizon")]
    TooShort {
        /// `--train`.
        train: String,
        /// `--horizon` or `--resize-every`.
        horizon: String,
    },
    /// More is off than was allowed: `--fail-over`.
    #[error(
        "{count} containers request or are limited to something more than {percent} % off\napply the sizes, or raise --fail-over"
    )]
    Over {
        /// How many.
        count: usize,
        /// `--fail-over`, in percent.
        percent: f64,
    },
    /// A file cannot be written.
    #[error("{path}: {error}\ncheck that its folder is there and may be written to")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// There is something in the folder that we did not write: it is not replaced.
    #[error("{0}: is there, and not all of it is ours\nchoose another folder")]
    NotOurs(String),
}
