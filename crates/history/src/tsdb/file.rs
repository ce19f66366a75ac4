//! A file of a block: read where asked, never more than there is, and checked by its checksums.

use super::KIND;
use crate::HistoryError;
use std::fmt::Display;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Nothing that is read in one piece is larger, in bytes: a chunk has about a thousand, a series' entry a few.
pub const PIECE_BYTES_MAX: u64 = 16 << 20;
/// Lists and tables are read so many bytes at a time.
const LONG_BYTES: u64 = 64 << 10;
/// A chunk, an entry or a few symbols fit in so many bytes, mostly.
const SHORT_BYTES: u64 = 1 << 10;

/// An open file.
pub struct File {
    path: PathBuf,
    file: std::fs::File,
    bytes: u64,
}

impl File {
    /// Opens it.
    pub fn open(path: PathBuf) -> Result<File, HistoryError> {
        let file = std::fs::File::open(&path).map_err(|error| HistoryError::io(&path, error))?;
        let bytes = file.metadata().map_err(|error| HistoryError::io(&path, error))?.len();
        Ok(File { path, file, bytes })
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The error that something is wrong with it.
    pub fn malformed(&self, problem: impl Display) -> HistoryError {
        HistoryError::malformed(&self.path, KIND, problem)
    }

    /// The error that it is written in a way we do not know.
    pub fn unknown(&self, what: impl Display) -> HistoryError {
        HistoryError::UnknownFormat { path: self.path.display().to_string(), what: what.to_string() }
    }

    /// Begins to read a place, if there is one, for what is long.
    pub fn long(&self, place: Range<u64>) -> Result<Cursor<'_>, HistoryError> {
        Cursor::new(self, place, LONG_BYTES)
    }

    /// Begins to read a place, if there is one, for what is short.
    pub fn short(&self, place: Range<u64>) -> Result<Cursor<'_>, HistoryError> {
        Cursor::new(self, place, SHORT_BYTES)
    }

    /// The place of a section: four bytes of length, what it holds, and the checksum of that.
    pub fn section(&self, at: u64) -> Result<Range<u64>, HistoryError> {
        let mut cursor = self.short(at..self.bytes)?;
        let length = u64::from(cursor.u32()?);
        let place = cursor.position()..cursor.position() + length;
        self.check(place.clone())?;
        Ok(place)
    }

    /// An error where the checksum behind a place is not that of it.
    pub fn check(&self, place: Range<u64>) -> Result<(), HistoryError> {
        let mut cursor = self.long(place.start..self.bytes)?;
        let mut sum = 0;
        let mut left = place.end - place.start;
        while left > 0 {
            let length = left.min(LONG_BYTES);
            sum = crc32c::crc32c_append(sum, cursor.take(length)?);
            left -= length;
        }
        self.compare(place.start, sum, cursor.u32()?)
    }

    /// Reads what has its length before it and a checksum behind; `more` bytes of it the length does not count.
    pub fn framed(&self, at: u64, more: u64) -> Result<Vec<u8>, HistoryError> {
        let mut cursor = self.short(at..self.bytes)?;
        let length = cursor.uvarint()?.saturating_add(more);
        let piece = cursor.take(length)?.to_vec();
        self.compare(at, crc32c::crc32c(&piece), cursor.u32()?)?;
        Ok(piece)
    }

    /// A fuzzer would never get past a checksum.
    fn compare(&self, at: u64, sum: u32, written: u32) -> Result<(), HistoryError> {
        if sum == written || cfg!(fuzzing) {
            return Ok(());
        }
        Err(self.malformed(format_args!("the checksum of what is at byte {at} is wrong")))
    }
}

/// Reads on from a place of a file to its end.
pub struct Cursor<'a> {
    file: &'a File,
    /// So much is read ahead.
    ahead_bytes: u64,
    /// Where the window ends in the file.
    window_end: u64,
    end: u64,
    window: Vec<u8>,
    /// What of the window has been taken.
    taken: usize,
}

impl<'a> Cursor<'a> {
    fn new(file: &'a File, place: Range<u64>, ahead_bytes: u64) -> Result<Cursor<'a>, HistoryError> {
        if place.start > place.end || place.end > file.bytes {
            return Err(file.malformed(format_args!("byte {} is past the end", place.start.max(place.end))));
        }
        Ok(Cursor {
            file,
            ahead_bytes,
            window_end: place.start,
            end: place.end,
            window: Vec::new(),
            taken: 0,
        })
    }

    /// Where it is in the file.
    pub fn position(&self) -> u64 {
        self.window_end - self.unread()
    }

    /// Whether all has been read.
    pub fn is_at_end(&self) -> bool {
        self.position() == self.end
    }

    fn unread(&self) -> u64 {
        (self.window.len() - self.taken) as u64
    }

    /// The next bytes.
    #[inline]
    pub fn take(&mut self, length: u64) -> Result<&[u8], HistoryError> {
        if length > self.unread() {
            self.fill(length)?;
        }
        let from = self.taken;
        self.taken += length as usize;
        Ok(&self.window[from..self.taken])
    }

    /// A window that has so many bytes.
    fn fill(&mut self, length: u64) -> Result<(), HistoryError> {
        let position = self.position();
        let left = self.end - position;
        if length > left.min(PIECE_BYTES_MAX) {
            let why = if length > left { "end early" } else { "are too long" };
            return Err(self.file.malformed(format_args!("the {length} bytes at byte {position} {why}")));
        }
        let length = length.max(left.min(self.ahead_bytes));
        self.window.resize(length as usize, 0);
        self.file
            .file
            .read_exact_at(&mut self.window, position)
            .map_err(|error| HistoryError::io(&self.file.path, error))?;
        (self.taken, self.window_end) = (0, position + length);
        Ok(())
    }

    /// Leaves out the next bytes.
    pub fn skip(&mut self, length: u64) -> Result<(), HistoryError> {
        if length <= self.unread() {
            self.taken += length as usize;
            return Ok(());
        }
        let position = self.position();
        if length > self.end - position {
            let problem = format_args!("the {length} bytes at byte {position} end early");
            return Err(self.file.malformed(problem));
        }
        self.window.clear();
        (self.taken, self.window_end) = (0, position + length);
        Ok(())
    }

    /// The next byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, HistoryError> {
        Ok(self.take(1)?[0])
    }

    /// A number in four bytes, the highest first.
    pub fn u32(&mut self) -> Result<u32, HistoryError> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// A number in eight bytes, the highest first.
    pub fn u64(&mut self) -> Result<u64, HistoryError> {
        Ok(self.take(8)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// An unsigned number, seven bits a byte, the lowest first.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u64, HistoryError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.file.malformed(format_args!("the number before byte {} never ends", self.position())))
    }

    /// A signed number: an unsigned one with its sign in the lowest bit.
    pub fn varint(&mut self) -> Result<i64, HistoryError> {
        let number = self.uvarint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}
