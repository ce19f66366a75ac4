//! Texts that were given, and places in them.

/// A file's name as people wrote it, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As it was given.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// Bytes of a file, by its number in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file.
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Where people find it: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Of the file.
    pub line: usize,
    /// Of the line.
    pub column: usize,
}

impl Source {
    /// The place of a byte; past the end it is the end.
    pub fn place(&self, offset: usize) -> Place {
        let before = &self.text[..self.boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Place { line, column: before[line_start..].chars().count() + 1 }
    }

    /// The line that a byte is in, without its end.
    pub fn line_at(&self, offset: usize) -> &str {
        let offset = self.boundary(offset);
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[offset..].find('\n').map_or(self.text.len(), |at| offset + at);
        self.text[start..end].trim_end_matches('\r')
    }

    /// The nearest byte at or before this one where a character begins.
    pub fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let source = Source { name: "a".into(), text: "ä: 1\r\nbö: 2".into() };
        let check =
            |offset, line, column| assert_eq!(source.place(offset), Place { line, column }, "{offset}");
        check(0, 1, 1);
        check(1, 1, 1);
        check(2, 1, 2);
        check(7, 2, 1);
        check(10, 2, 3);
        check(999, 2, 6);
        assert_eq!((source.line_at(0), source.line_at(999)), ("ä: 1", "bö: 2"));
    }
}
