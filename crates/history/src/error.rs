//! Why history could not be read.

use std::path::Path;
use thiserror::Error;

/// See the variants; each says what to do next on a line of its own.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The source is not one we know.
    #[error(
        "source '{0}' is not known\nwrite it as http://HOST:PORT, prometheus:URL, victoriametrics:URL, tsdb:DIR, csv:FILE or parquet:FILE"
    )]
    UnknownSource(String),
    /// The file cannot be opened or read.
    #[error("{path}: {error}\ncheck that it is there and may be read")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is not what its source says it is, or broken.
    #[error("{path}: {problem}\ncheck that it is a whole {kind} file")]
    Malformed {
        /// The file.
        path: String,
        /// CSV or Parquet.
        kind: &'static str,
        /// What is wrong, and where.
        problem: String,
    },
    /// The file is written in a way that is newer than we are, or not meant for this.
    #[error(
        "{path}: {what} is not known here\nthis reads what Prometheus writes by default; ask the server itself instead"
    )]
    UnknownFormat {
        /// The file.
        path: String,
        /// What is not known.
        what: String,
    },
    /// A folder that holds no blocks.
    #[error(
        "{path}: there is no block of a Prometheus in this folder\nwhat a server has read in its last hours is not in \
        blocks yet: give the folder of a snapshot (POST /api/v1/admin/tsdb/snapshot), or ask the server itself"
    )]
    NoBlocks {
        /// The folder.
        path: String,
    },
    /// A column that is needed is not there.
    #[error("{path}: there is no column '{column}'\nthis needs {needed}")]
    NoColumn {
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// All that are needed.
        needed: &'static str,
    },
    /// A cell holds something else than is needed there.
    #[error("{path}: column '{column}', row {row}: {problem}\ncorrect the row or leave it out")]
    Cell {
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// The row, counted from 1 without a header.
        row: u64,
        /// What is wrong.
        problem: String,
    },
    /// A server does not answer as it should.
    #[error("{url}: {problem}\n{advice}")]
    Server {
        /// The server, without a password.
        url: String,
        /// The status of its answer, where that is what is wrong.
        status: Option<u16>,
        /// What it did or said.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// A folder of blocks lacks what is asked for.
    #[error("{path}: {problem}\n{advice}")]
    Lacking {
        /// The folder.
        path: String,
        /// What is lacking.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// The source holds something else than is asked for.
    #[error("source '{0}' has no {1}\n{2}")]
    OtherThing(String, &'static str, &'static str),
    /// There is nothing in it.
    #[error("{path}: there is no row with a reading\ncheck that it is the right file")]
    Empty {
        /// The file.
        path: String,
    },
}

impl HistoryError {
    /// What the system said of a file.
    pub fn io(path: &Path, error: std::io::Error) -> HistoryError {
        HistoryError::Io { path: path.display().to_string(), error }
    }

    /// What is wrong with a server.
    pub(crate) fn server(url: &str, problem: &str, advice: &'static str) -> HistoryError {
        HistoryError::Server { url: url.to_string(), status: None, problem: problem.to_string(), advice }
    }

    /// The status with which a server refused.
    pub fn status(&self) -> Option<u16> {
        match self {
            HistoryError::Server { status, .. } => *status,
            _ => None,
        }
    }

    /// What a reader said of a file.
    pub fn malformed(path: &Path, kind: &'static str, problem: impl std::fmt::Display) -> HistoryError {
        // Readers' messages may have lines of their own; ours is one, and the advice another.
        let problem = problem.to_string().replace('\n', " ");
        HistoryError::Malformed { path: path.display().to_string(), kind, problem }
    }
}
