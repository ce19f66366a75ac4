//! `--decisions`: every decision as CSV, so that anyone can score it.

use super::CommandError;
use super::series::{Outcome, seconds};
use plimsoll_core::backtest::packed::Packed;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The file; it is whole or not there, for it is renamed into its place.
pub(super) struct DecisionsFile {
    path: PathBuf,
    writer: csv::Writer<BufWriter<NamedTempFile>>,
}

impl DecisionsFile {
    pub fn create(path: &Path) -> Result<DecisionsFile, CommandError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file =
            NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(|error| of(path, error))?;
        let mut writer = csv::Writer::from_writer(BufWriter::new(file));
        let head = ["policy", "series_id", "from", "to", "limit_bytes"];
        writer.write_record(head).map_err(|error| of(path, error.into()))?;
        Ok(DecisionsFile { path: path.into(), writer })
    }

    /// Adds what one policy decided; times in seconds, as in the source.
    pub fn add(&mut self, series: &[Packed], outcome: &Outcome) -> Result<(), CommandError> {
        for (series, decisions) in series.iter().zip(&outcome.decisions) {
            for decision in decisions {
                let [from, to] = [decision.from_ms, decision.to_ms].map(|ms| seconds(ms).to_string());
                let limit = decision.limit_bytes.to_string();
                let row = [outcome.policy.name(), &series.id, &from, &to, &limit];
                self.writer.write_record(row).map_err(|error| of(&self.path, error.into()))?;
            }
        }
        Ok(())
    }

    pub fn finish(self) -> Result<(), CommandError> {
        let path = self.path;
        let buffer = self.writer.into_inner().map_err(|error| of(&path, error.into_error()))?;
        let file = buffer.into_inner().map_err(|error| of(&path, error.into_error()))?;
        file.persist(&path).map_err(|error| of(&path, error.error))?;
        Ok(())
    }
}

fn of(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::File { path: path.display().to_string(), error }
}
