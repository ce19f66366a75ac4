//! A block: the readings of some hours, in a folder of its own that is never written to again, but for tombstones.

use super::file::File;
use super::index::{Contents, Index};
use super::segments::Segments;
use super::tombstones::Tombstones;
use crate::{HistoryError, Range, Selector, Sink};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const VERSION: u64 = 1;

/// A block, not yet open.
pub struct Block {
    path: PathBuf,
    meta: Meta,
    contents: OnceLock<Contents>,
}

/// What `meta.json` says, as far as it is needed.
#[derive(Deserialize, Debug)]
struct Meta {
    version: u64,
    #[serde(rename = "minTime")]
    from_ms: i64,
    /// Does not belong to it any more.
    #[serde(rename = "maxTime")]
    to_ms: i64,
}

/// The blocks in a folder, in the order of time. What else lies there is none: the WAL, the head's chunks, locks, and blocks
/// that are being written or deleted, which have other names.
pub fn find(folder: &Path) -> Result<Vec<Block>, HistoryError> {
    if folder.join("meta.json").exists() {
        return Ok(vec![Block::open(folder.to_path_buf())?]);
    }
    let failed = |error| HistoryError::io(folder, error);
    let mut blocks = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let path = folder.join(&name);
        if is_ulid(name.as_encoded_bytes()) && path.join("meta.json").exists() {
            blocks.push(Block::open(path)?);
        }
    }
    if blocks.is_empty() {
        return Err(HistoryError::NoBlocks { path: folder.display().to_string() });
    }
    blocks.sort_unstable_by(|a, b| (a.meta.from_ms, &a.path).cmp(&(b.meta.from_ms, &b.path)));
    Ok(blocks)
}

/// Whether a block may have this name: 26 digits in Crockford's base 32, <https://github.com/ulid/spec>.
fn is_ulid(name: &[u8]) -> bool {
    name.len() == 26 && name.iter().all(|byte| byte.is_ascii_alphanumeric() && !b"ilouILOU".contains(byte))
}

impl Block {
    fn open(path: PathBuf) -> Result<Block, HistoryError> {
        let file = File::open(path.join("meta.json"))?;
        let text = file.short(0..file.bytes())?.take(file.bytes())?.to_vec();
        let meta: Meta = serde_json::from_slice(&text).map_err(|error| file.malformed(error))?;
        if meta.version != VERSION {
            return Err(file.unknown(format_args!("version {} of a block", meta.version)));
        }
        Ok(Block { path, meta, contents: OnceLock::new() })
    }

    /// Whether it has readings of a range.
    pub fn overlaps(&self, range: Range) -> bool {
        self.meta.from_ms <= range.to_ms && range.from_ms < self.meta.to_ms
    }

    /// When it ends, in milliseconds since 1970; its last reading is before that.
    pub fn end_ms(&self) -> i64 {
        self.meta.to_ms
    }

    /// Hands on the readings of a range.
    pub fn read(&self, selector: &Selector, range: Range, sink: &mut dyn Sink) -> Result<(), HistoryError> {
        let index = self.index()?;
        let deleted = Tombstones::read(&self.path, range)?;
        let mut segments = Segments::of(&self.path)?;
        let mut symbols = index.symbols();
        let mut points = Vec::new();
        for reference in index.matching(selector)? {
            let reference = reference?;
            let series = index.series(reference, range)?;
            let labels = symbols.labels(&series.labels)?;
            if !selector.takes(&labels) {
                continue;
            }
            let mut is_named = false;
            for chunk in series.chunks {
                points.clear();
                segments.points(chunk, &mut points)?;
                points.retain(|point| range.has(point.at_ms) && !deleted.have(reference, point.at_ms));
                if points.is_empty() {
                    continue;
                }
                if !is_named {
                    sink.series(&labels);
                    is_named = true;
                }
                sink.points(&points);
            }
        }
        Ok(())
    }

    /// Adds the values of a label among the series of a metric.
    pub fn values(
        &self,
        label: &str,
        metric: &str,
        range: Range,
        values: &mut BTreeSet<String>,
    ) -> Result<(), HistoryError> {
        let index = self.index()?;
        let mut symbols = index.symbols();
        let mut found = BTreeSet::new();
        for reference in index.matching(&Selector::metric(metric))? {
            let series = index.series(reference?, range)?;
            for (name, value) in series.labels {
                if !series.chunks.is_empty() && &*symbols.get(name)? == label {
                    found.insert(value);
                }
            }
        }
        for value in found {
            values.insert(symbols.get(value)?.to_string());
        }
        Ok(())
    }

    /// Opens the index. It stays open only while it is read, as there may be more blocks than files can be open.
    fn index(&self) -> Result<Index<'_>, HistoryError> {
        let file = File::open(self.path.join("index"))?;
        let contents = match self.contents.get() {
            Some(contents) => contents,
            None => {
                let contents = Contents::read(&file)?;
                self.contents.get_or_init(|| contents)
            }
        };
        Ok(Index::new(file, contents))
    }
}
