//! The index of a block: which series there are, by their labels, and where their chunks lie.
//!
//! Versions 1 to 3. The third is the second without the label indices, which nobody reads.

use super::file::{Cursor, File};
use super::symbols::{Symbols, Table};
use crate::chunk::bits::{Bits, End};
use crate::{HistoryError, Range, Selector};
use std::ops;

const MAGIC: u32 = 0xbaaa_d700;
/// The table of contents at the end: six places and a checksum.
const CONTENTS_BYTES: u64 = 6 * 8 + 4;
/// Since version 2 a reference to a series is its place by so many bytes.
const SERIES_ALIGN_BYTES: u64 = 16;
/// An entry of the table of postings names so many strings: a label and its value.
const KEYS: u64 = 2;

/// What is remembered of an index: it never changes.
pub struct Contents {
    version: u8,
    symbols: Table,
    /// In the order of the table of postings. Since version 2 it is sorted, so there is one run for each label; in version 1
    /// a label may come again.
    runs: Vec<Run>,
}

/// Entries of the table of postings that follow one another and are of one label.
struct Run {
    label: Vec<u8>,
    place: ops::Range<u64>,
}

/// An index that is open.
pub struct Index<'a> {
    file: File,
    contents: &'a Contents,
}

/// An entry of an index.
pub struct Series {
    /// The symbols of the labels' names and values.
    pub labels: Vec<(u64, u64)>,
    /// The references of those of its chunks that touch the range that was asked for.
    pub chunks: Vec<u64>,
}

impl<'a> Index<'a> {
    /// From what has been found in it.
    pub fn new(file: File, contents: &'a Contents) -> Index<'a> {
        Index { file, contents }
    }

    /// Its strings.
    pub fn symbols(&self) -> Symbols<'_> {
        Symbols::new(&self.file, &self.contents.symbols)
    }

    /// The references of all series that have a metric's name and the labels that are to be equal, in order. Labels that
    /// must be there or must not are not looked at.
    pub fn matching(&self, selector: &Selector) -> Result<Matching<'_>, HistoryError> {
        let mut lists = vec![self.postings("__name__", &selector.metric)?];
        // No label has an empty value, so there is no list of those without one.
        for (label, value) in selector.equal.iter().filter(|(_, value)| !value.is_empty()) {
            lists.push(self.postings(label, value)?);
        }
        Ok(Matching { lists, least: 0 })
    }

    /// The references of all series with a label.
    fn postings(&self, label: &str, value: &str) -> Result<Postings<'_>, HistoryError> {
        for run in self.contents.runs.iter().filter(|run| run.label == label.as_bytes()) {
            let mut cursor = self.file.long(run.place.clone())?;
            while !cursor.is_at_end() {
                label_of_entry(&self.file, &mut cursor)?;
                let length = cursor.uvarint()?;
                let found = cursor.take(length)? == value.as_bytes();
                let at = cursor.uvarint()?;
                if found {
                    return Postings::open(&self.file, at);
                }
            }
        }
        Postings::none(&self.file)
    }

    /// The entry of a series, with its chunks that touch a range.
    pub fn series(&self, reference: u64, range: Range) -> Result<Series, HistoryError> {
        let at = if self.contents.version == 1 { reference } else { reference * SERIES_ALIGN_BYTES };
        let entry = self.file.framed(at, 0)?;
        Series::unpack(&entry, range)
            .map_err(|End| self.file.malformed(format_args!("the series at byte {at} ends early")))
    }
}

impl Contents {
    /// Looks through an index.
    pub fn read(file: &File) -> Result<Contents, HistoryError> {
        let mut header = file.short(0..file.bytes())?;
        if header.u32()? != MAGIC {
            return Err(file.malformed("it does not begin as an index does"));
        }
        let version = header.byte()?;
        if !(1..=3).contains(&version) {
            return Err(file.unknown(format_args!("version {version} of the index")));
        }
        let place = file.bytes().saturating_sub(CONTENTS_BYTES)..file.bytes().saturating_sub(4);
        file.check(place.clone())?;
        let mut cursor = file.short(place)?;
        let symbols_at = cursor.u64()?;
        // Between them: the series, the label indices, the table of these, and the postings, all found otherwise.
        cursor.skip(4 * 8)?;
        let postings_at = cursor.u64()?;
        let symbols = Table::read(file, symbols_at, version)?;
        let runs = if postings_at == 0 { Vec::new() } else { runs(file, postings_at)? };
        Ok(Contents { version, symbols, runs })
    }
}

/// Goes through the table of postings, once.
fn runs(file: &File, at: u64) -> Result<Vec<Run>, HistoryError> {
    let mut cursor = file.long(file.section(at)?)?;
    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..cursor.u32()? {
        let start = cursor.position();
        let label = label_of_entry(file, &mut cursor)?;
        if runs.last().is_none_or(|run| run.label != label) {
            runs.push(Run { label: label.to_vec(), place: start..start });
        }
        let length = cursor.uvarint()?;
        cursor.skip(length)?;
        cursor.uvarint()?;
        if let Some(run) = runs.last_mut() {
            run.place.end = cursor.position();
        }
    }
    Ok(runs)
}

/// The label with which an entry of the table of postings begins; its value and the place of its list follow.
fn label_of_entry<'a>(file: &File, cursor: &'a mut Cursor) -> Result<&'a [u8], HistoryError> {
    let keys = cursor.uvarint()?;
    if keys != KEYS {
        return Err(file.malformed(format_args!("postings by {keys} keys before byte {}", cursor.position())));
    }
    let length = cursor.uvarint()?;
    cursor.take(length)
}

impl Series {
    fn unpack(entry: &[u8], range: Range) -> Result<Series, End> {
        let mut bits = Bits::new(entry);
        let mut labels = Vec::new();
        for _ in 0..bits.uvarint()? {
            labels.push((bits.uvarint()?, bits.uvarint()?));
        }
        let mut chunks = Vec::new();
        let (mut last_ms, mut reference) = (0i64, 0u64);
        for number in 0..bits.uvarint()? {
            // The first is written as it is, others by what has changed.
            let first_ms = match number {
                0 => bits.varint()?,
                _ => last_ms.wrapping_add(bits.uvarint()? as i64),
            };
            last_ms = first_ms.wrapping_add(bits.uvarint()? as i64);
            reference = match number {
                0 => bits.uvarint()?,
                _ => reference.wrapping_add(bits.varint()? as u64),
            };
            if first_ms <= range.to_ms && range.from_ms <= last_ms {
                chunks.push(reference);
            }
        }
        Ok(Series { labels, chunks })
    }
}

/// The references of the series with one label, which ascend.
struct Postings<'a> {
    file: &'a File,
    cursor: Cursor<'a>,
    last: Option<u64>,
}

impl<'a> Postings<'a> {
    fn none(file: &'a File) -> Result<Postings<'a>, HistoryError> {
        Ok(Postings { file, cursor: file.long(0..0)?, last: None })
    }

    fn open(file: &'a File, at: u64) -> Result<Postings<'a>, HistoryError> {
        let place = file.section(at)?;
        let bytes = place.end - place.start;
        let mut cursor = file.long(place)?;
        let count = u64::from(cursor.u32()?);
        if bytes != 4 + 4 * count {
            return Err(file.malformed(format_args!("the {count} postings at byte {at} have {bytes} bytes")));
        }
        Ok(Postings { file, cursor, last: None })
    }

    /// The first that is not below another, from where the list has been read to.
    fn reach(&mut self, least: u64) -> Result<Option<u64>, HistoryError> {
        while self.last.is_none_or(|last| last < least) {
            if self.cursor.is_at_end() {
                return Ok(None);
            }
            let next = u64::from(self.cursor.u32()?);
            if self.last.is_some_and(|last| last >= next) {
                let before = self.cursor.position();
                return Err(self
                    .file
                    .malformed(format_args!("the postings before byte {before} do not ascend")));
            }
            self.last = Some(next);
        }
        Ok(self.last)
    }
}

/// The references that are in all of some lists, in order.
pub struct Matching<'a> {
    lists: Vec<Postings<'a>>,
    /// The next one is not below this.
    least: u64,
}

impl Matching<'_> {
    fn common(&mut self) -> Result<Option<u64>, HistoryError> {
        loop {
            let asked = self.least;
            for list in &mut self.lists {
                match list.reach(self.least)? {
                    Some(found) => self.least = found,
                    None => return Ok(None),
                }
            }
            if self.least == asked {
                self.least += 1;
                return Ok(Some(asked));
            }
        }
    }
}

impl Iterator for Matching<'_> {
    type Item = Result<u64, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.common().transpose()
    }
}
