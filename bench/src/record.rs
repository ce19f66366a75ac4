//! What was measured, one JSON line each, so that a long benchmark can be resumed and its table rendered again.

use crate::Failure;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// How a build was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Without a limit: the peak the limits are shares of.
    Unlimited,
    /// As its people run it.
    Plain,
    /// The usual script: heap 6144, 4096, 2048, jobs halved, from scratch each time.
    Script,
    /// One setting of the sweep.
    Trial,
    /// The best fixed setting of the sweep.
    Oracle,
    /// Plimsoll that knows nothing of the build.
    Cold,
    /// Plimsoll that remembers the cold run.
    Warm,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Way::Unlimited => "unlimited",
            Way::Plain => "plain",
            Way::Script => "script",
            Way::Trial => "trial",
            Way::Oracle => "oracle",
            Way::Cold => "cold",
            Way::Warm => "warm",
        })
    }
}

/// One case at one limit in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub case: String,
    pub way: Way,
    /// Per cent of the plain unlimited peak; none without a limit.
    pub share: Option<u64>,
    pub limit_bytes: Option<u64>,
    /// It ended with 0 and made what it should.
    pub passed: bool,
    pub exit_code: i32,
    pub timed_out: bool,
    pub kernel_kills: u64,
    pub attempts: u64,
    pub wall_ms: u64,
    pub cpu_ms: u64,
    /// CPU time of attempts that died; none where it cannot be told apart.
    pub dead_cpu_ms: Option<u64>,
    pub peak_bytes: Option<u64>,
    /// What Plimsoll says the build needs.
    pub need_bytes: Option<u64>,
    pub setting: Option<String>,
}

impl Record {
    pub fn is_of(&self, case: &str, share: Option<u64>, way: Way) -> bool {
        self.case == case && self.share == share && self.way == way
    }
}

/// All records of a file, oldest first; none where there is no file yet.
pub fn read(path: &Path) -> Result<Vec<Record>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| format!("{}:{}: {error}", path.display(), index + 1).into())
    };
    text.lines().enumerate().map(parse).collect()
}

/// Adds one record to the file and to what was read of it.
pub fn append(path: &Path, records: &mut Vec<Record>, record: Record) -> Result<(), Failure> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{}", serde_json::to_string(&record)?)?;
    records.push(record);
    Ok(())
}
