//! Tombstones: which readings of a block have been deleted, until its next compaction leaves them out.

use super::file::File;
use crate::{HistoryError, Range};
use std::collections::HashMap;
use std::path::Path;

const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;
/// Magic and version.
const HEADER_BYTES: u64 = 5;

/// What has been deleted, by the reference of a series.
#[derive(Default)]
pub struct Tombstones(HashMap<u64, Vec<Range>>);

impl Tombstones {
    /// Those of a block that touch a range; none where it has no such file.
    pub fn read(block: &Path, range: Range) -> Result<Tombstones, HistoryError> {
        let file = match File::open(block.join("tombstones")) {
            Err(HistoryError::Io { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Tombstones::default());
            }
            file => file?,
        };
        let mut header = file.short(0..file.bytes())?;
        if header.u32()? != MAGIC {
            return Err(file.malformed("it does not begin as tombstones do"));
        }
        let version = header.byte()?;
        if version != VERSION {
            return Err(file.unknown(format_args!("version {version} of tombstones")));
        }
        let stones = HEADER_BYTES..file.bytes().saturating_sub(4).max(HEADER_BYTES);
        file.check(stones.clone())?;
        let mut cursor = file.long(stones)?;
        let mut deleted: HashMap<u64, Vec<Range>> = HashMap::new();
        while !cursor.is_at_end() {
            let reference = cursor.uvarint()?;
            let stone = Range { from_ms: cursor.varint()?, to_ms: cursor.varint()? };
            if stone.from_ms <= range.to_ms && range.from_ms <= stone.to_ms {
                deleted.entry(reference).or_default().push(stone);
            }
        }
        Ok(Tombstones(deleted))
    }

    /// Whether a reading of a series has been deleted.
    pub fn have(&self, reference: u64, at_ms: i64) -> bool {
        self.0.get(&reference).is_some_and(|stones| stones.iter().any(|stone| stone.has(at_ms)))
    }
}
