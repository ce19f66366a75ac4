//! Runs of jobs from a table: `role, job, peak_bytes [, seconds, any attributes]`, in order.
//!
//! The order is that of the jobs' numbers, which grow with time in every CI system, or of the rows where they have none.

use super::table::{self, Batch, Cells, number, text};
use super::{HistoryError, Source};
use plimsoll_core::sizing::builds::JobRun;
use std::path::Path;

const NEEDED: &str = "role, job and peak_bytes; seconds and any attributes are optional";
/// Without `seconds` a run counts as an hour, so that waste is in GiB.
const SECONDS_UNKNOWN: f64 = 3600.0;
/// No build takes a century.
const SECONDS_MAX: f64 = 3.2e9;
/// Endings of columns that hold what is known only when a run is over: sizes and times of it.
const KNOWN_AFTERWARDS: [&str; 4] = ["_bytes", "seconds", "_ms", "_mib"];

/// All runs of a source, in order.
pub fn read(source: &Source) -> Result<Vec<JobRun>, HistoryError> {
    let Source::File(format, path) = source else {
        return Err(HistoryError::OtherThing(
            source.to_string(),
            "runs of jobs",
            "read them from csv:FILE or parquet:FILE",
        ));
    };
    let mut runs = Vec::new();
    table::read(*format, path, &|_| true, &mut |batch| take(batch, path, &mut runs))?;
    if runs.is_empty() {
        return Err(HistoryError::Empty { path: path.display().to_string() });
    }
    if runs.iter().all(|(number, _)| number.is_some()) {
        runs.sort_by_key(|(number, _)| *number);
    }
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// Adds the runs of a batch, each with its job's number where it has one.
fn take(batch: &Batch, path: &Path, runs: &mut Vec<(Option<u64>, JobRun)>) -> Result<(), HistoryError> {
    let roles = table::needed(batch, path, "role", NEEDED)?;
    let jobs = table::needed(batch, path, "job", NEEDED)?;
    table::needed(batch, path, "peak_bytes", NEEDED)?;
    let attributes: Vec<&Cells> =
        batch.columns.iter().filter(|(name, _)| is_attribute(name)).map(|(_, cells)| cells).collect();
    for row in 0..batch.rows {
        let seconds = number(batch, path, "seconds", row, SECONDS_MAX)?.unwrap_or(SECONDS_UNKNOWN);
        // A run whose peak was not read says nothing.
        if let Some(peak) = number(batch, path, "peak_bytes", row, table::BYTES_MAX)? {
            let attributes = attributes.iter().map(|cells| text(cells, row)).collect();
            let run = JobRun { role: text(roles, row), attributes, peak_bytes: peak as u64, seconds };
            runs.push((text(jobs, row).trim().parse().ok(), run));
        }
    }
    Ok(())
}

fn is_attribute(name: &str) -> bool {
    !["role", "job"].contains(&name) && !KNOWN_AFTERWARDS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Format;

    #[test]
    fn attributes_are_what_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let text = "role,job,arch,seconds,peak_bytes,mean_bytes,ccv\nllvm,10,x86,60,100,50,11\nzlib,9,arm,,7,3,\nzlib,11,arm,1,,3,\n";
        std::fs::write(&path, text).unwrap();
        let run = |role: &str, attributes: [&str; 2], peak_bytes, seconds| JobRun {
            role: role.into(),
            attributes: attributes.map(String::from).to_vec(),
            peak_bytes,
            seconds,
        };
        let runs = read(&Source::File(Format::Csv, path)).unwrap();
        assert_eq!(runs, [run("zlib", ["arm", ""], 7, 3600.0), run("llvm", ["x86", "11"], 100, 60.0)]);
    }
}
