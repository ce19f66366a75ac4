//! Progress: one line on a terminal, nothing elsewhere.

use std::io::{IsTerminal, Write};

/// A line that is written over; it goes when this is dropped.
pub struct Progress {
    what: &'static str,
    is_shown: bool,
}

const BAR: usize = 24;

impl Progress {
    /// Shows that something has begun.
    pub fn start(what: &'static str) -> Progress {
        let progress = Progress { what, is_shown: std::io::stderr().is_terminal() };
        progress.write(&format!("reading {what} ..."));
        progress
    }

    /// Shows how far it is.
    pub fn show(&self, done: usize, all: usize) {
        let filled = BAR * done / all.max(1);
        self.write(&format!(
            "[{}{}] {done} of {all} {}",
            "=".repeat(filled),
            " ".repeat(BAR - filled),
            self.what
        ));
    }

    /// A line that cannot be written is missed by nobody.
    fn write(&self, line: &str) {
        if self.is_shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.write("");
    }
}
