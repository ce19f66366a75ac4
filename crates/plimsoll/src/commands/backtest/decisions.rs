//! `--decisions`: every decision as CSV, so that anyone can score it.

use super::CommandError;
use super::series::{Outcome, seconds};
use crate::commands::whole_file::{WholeFile, of};
use plimsoll_core::backtest::packed::Packed;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// The file.
pub(super) struct DecisionsFile {
    path: PathBuf,
    writer: csv::Writer<BufWriter<WholeFile>>,
}

impl DecisionsFile {
    pub fn create(path: &Path) -> Result<DecisionsFile, CommandError> {
        let mut writer = csv::Writer::from_writer(BufWriter::new(WholeFile::create(path)?));
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
        file.finish()
    }
}
