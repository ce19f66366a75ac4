//! Prometheus' blocks: series from the folder of a server, or of a snapshot of it, with no server running.
//!
//! What is found by the index of a block is read from its chunks, piece by piece; neither is ever held as a whole. Blocks
//! do not hold a server's last hours: these are in its WAL until a snapshot writes them down.
//!
//! Source: `tsdb/docs/format` of Prometheus, and what Debian's 2.42 writes.

mod block;
mod file;
mod index;
mod segments;
mod symbols;
mod tombstones;

#[cfg(any(test, fuzzing))]
pub mod write;

use crate::{HistoryError, Range, Selector, Sink};
use block::Block;
use std::collections::BTreeSet;
use std::path::Path;

/// What an error calls the files of a block.
const KIND: &str = "TSDB block";

/// A folder of blocks. Where to find things in a block is remembered, so ask one folder rather than open it anew.
pub struct Folder {
    blocks: Vec<Block>,
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Folder of {} blocks", self.blocks.len())
    }
}

impl Folder {
    /// The blocks of a folder, or of the one block it is. It is an error if there is none.
    pub fn open(folder: &Path) -> Result<Folder, HistoryError> {
        Ok(Folder { blocks: block::find(folder)? })
    }

    /// When its last block ends, in milliseconds since 1970.
    pub fn end_ms(&self) -> i64 {
        self.blocks.iter().map(Block::end_ms).max().unwrap_or(0)
    }

    /// Hands on the readings of a range, block by block in the order of time. A series comes once for each block that has
    /// readings of it, and where blocks overlap, so may its readings. Histograms are left out, as memory is no histogram.
    pub fn read(&self, selector: &Selector, range: Range, sink: &mut dyn Sink) -> Result<(), HistoryError> {
        self.overlapping(range).try_for_each(|block| block.read(selector, range, sink))
    }

    /// The values a label takes among the series of a metric that have chunks in a range; none for those without it.
    pub fn values(&self, label: &str, metric: &str, range: Range) -> Result<BTreeSet<String>, HistoryError> {
        let mut values = BTreeSet::new();
        self.overlapping(range).try_for_each(|block| block.values(label, metric, range, &mut values))?;
        Ok(values)
    }

    fn overlapping(&self, range: Range) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.overlaps(range))
    }
}

#[cfg(test)]
mod tests;
