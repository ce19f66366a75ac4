//! Segments: the files that hold a block's chunks.

use super::file::File;
use crate::chunk::xor;
use crate::{HistoryError, Point};
use std::path::{Path, PathBuf};

const MAGIC: u32 = 0x85bd_40dd;
const VERSION: u8 = 1;
/// Histograms of whole numbers, and of others.
const HISTOGRAMS: [u8; 2] = [2, 3];

/// The segments of a block. One is open at a time: a series' chunks follow one another.
pub struct Segments {
    folder: PathBuf,
    /// In the order of their numbers.
    paths: Vec<PathBuf>,
    open: Option<(usize, File)>,
}

impl Segments {
    /// Those of a block.
    pub fn of(block: &Path) -> Result<Segments, HistoryError> {
        let folder = block.join("chunks");
        let failed = |error| HistoryError::io(&folder, error);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if name.to_str().is_some_and(|name| name.parse::<u64>().is_ok()) {
                paths.push(folder.join(name));
            }
        }
        paths.sort_unstable();
        Ok(Segments { folder, paths, open: None })
    }

    /// Appends the readings of a chunk, in the order of time. Its reference is the place of its segment among them all in
    /// the upper half, and its own place in there in the lower. A histogram has no readings.
    pub fn points(&mut self, reference: u64, points: &mut Vec<Point>) -> Result<(), HistoryError> {
        let file = self.segment((reference >> 32) as usize)?;
        let at = reference & u64::from(u32::MAX);
        let chunk = file.framed(at, 1)?;
        let before = points.len();
        match chunk.split_first() {
            Some((&xor::ENCODING, packed)) => xor::decode(packed, points)
                .map_err(|_| file.malformed(format_args!("the chunk at byte {at} ends early")))?,
            Some((encoding, _)) if !HISTOGRAMS.contains(encoding) => {
                return Err(file.unknown(format_args!("chunk encoding {encoding}")));
            }
            _ => {}
        }
        if !points[before..].is_sorted_by_key(|point| point.at_ms) {
            return Err(file.malformed(format_args!("the chunk at byte {at} goes back in time")));
        }
        Ok(())
    }

    fn segment(&mut self, number: usize) -> Result<&File, HistoryError> {
        let file = match self.open.take() {
            Some((open, file)) if open == number => file,
            _ => self.open(number)?,
        };
        Ok(&self.open.insert((number, file)).1)
    }

    fn open(&self, number: usize) -> Result<File, HistoryError> {
        let Some(path) = self.paths.get(number) else {
            let problem = format_args!("segment {} is missing", number + 1);
            return Err(HistoryError::malformed(&self.folder, super::KIND, problem));
        };
        let file = File::open(path.clone())?;
        let mut header = file.short(0..file.bytes())?;
        if header.u32()? != MAGIC {
            return Err(file.malformed("it does not begin as a segment does"));
        }
        match header.byte()? {
            VERSION => Ok(file),
            version => Err(file.unknown(format_args!("version {version} of segments"))),
        }
    }
}
