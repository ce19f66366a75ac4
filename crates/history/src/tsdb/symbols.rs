//! Symbols: all strings of an index, each written once and referred to by its number.

use super::file::{File, PIECE_BYTES_MAX};
use crate::{HistoryError, Labels};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// The place of every so many-th symbol is remembered, as Prometheus does: from there it is a few steps to any.
const STEP: u64 = 32;
/// So much of symbols that were looked up is kept at most, in bytes.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Where to find a symbol.
pub enum Table {
    /// By its own place in the file: version 1.
    Places(Range<u64>),
    /// By its number, from the place of every 32nd on.
    Numbers {
        /// Of the numbers 0, 32, 64 and so on.
        places: Vec<u64>,
        /// Where the last one ends.
        end: u64,
        /// How many there are.
        count: u64,
    },
}

impl Table {
    /// The table at a place of an index; an empty one where that is 0.
    pub fn read(file: &File, at: u64, version: u8) -> Result<Table, HistoryError> {
        if at == 0 {
            return Ok(Table::Numbers { places: Vec::new(), end: 0, count: 0 });
        }
        let section = file.section(at)?;
        if version == 1 {
            return Ok(Table::Places(section));
        }
        let end = section.end;
        let mut cursor = file.long(section)?;
        let count = u64::from(cursor.u32()?);
        let mut places = Vec::new();
        for number in 0..count {
            if number % STEP == 0 {
                places.push(cursor.position());
            }
            let length = cursor.uvarint()?;
            cursor.skip(length)?;
        }
        Ok(Table::Numbers { places, end, count })
    }

    fn find(&self, file: &File, reference: u64) -> Result<String, HistoryError> {
        let unknown = || file.malformed(format_args!("there is no symbol {reference}"));
        let (place, steps) = match self {
            Table::Places(section) if section.contains(&reference) => (reference..section.end, 0),
            Table::Numbers { places, end, count } if reference < *count => {
                let before = places.get((reference / STEP) as usize).ok_or_else(unknown)?;
                (*before..*end, reference % STEP)
            }
            _ => return Err(unknown()),
        };
        let mut cursor = file.short(place)?;
        for _ in 0..steps {
            let length = cursor.uvarint()?;
            cursor.skip(length)?;
        }
        let length = cursor.uvarint()?;
        Ok(String::from_utf8_lossy(cursor.take(length)?).into_owned())
    }
}

/// Looks up symbols of an index, and keeps those it has seen: series have most of theirs in common.
pub struct Symbols<'a> {
    file: &'a File,
    table: &'a Table,
    kept: HashMap<u64, Rc<str>>,
    kept_bytes: usize,
}

impl<'a> Symbols<'a> {
    /// Of an index.
    pub fn new(file: &'a File, table: &'a Table) -> Symbols<'a> {
        Symbols { file, table, kept: HashMap::new(), kept_bytes: 0 }
    }

    /// The symbol of a reference.
    pub fn get(&mut self, reference: u64) -> Result<Rc<str>, HistoryError> {
        if let Some(symbol) = self.kept.get(&reference) {
            return Ok(symbol.clone());
        }
        let symbol: Rc<str> = self.table.find(self.file, reference)?.into();
        if self.kept_bytes > KEPT_BYTES_MAX {
            self.kept.clear();
            self.kept_bytes = 0;
        }
        // What the map itself takes for an entry is about as much as a short string.
        self.kept_bytes += symbol.len() + size_of::<(u64, Rc<str>)>();
        self.kept.insert(reference, symbol.clone());
        Ok(symbol)
    }

    /// Labels from the references of their names and values.
    pub fn labels(&mut self, pairs: &[(u64, u64)]) -> Result<Labels, HistoryError> {
        let (mut owned, mut bytes) = (Vec::new(), 0);
        for (name, value) in pairs {
            let (name, value) = (self.get(*name)?.to_string(), self.get(*value)?.to_string());
            bytes += (name.len() + value.len() + size_of::<(String, String)>()) as u64;
            // Each is in the file once, but a series may refer to it as often as it likes.
            if bytes > PIECE_BYTES_MAX {
                return Err(self
                    .file
                    .malformed(format_args!("a series' {} labels are too long", pairs.len())));
            }
            owned.push((name, value));
        }
        Ok(Labels::new(owned))
    }
}
