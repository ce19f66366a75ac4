//! A text that knows where each of its bytes is in the file: behind quotes, escapes and the indentation of blocks.

use crate::source::Span;
use std::ops::Range;

/// A text and the place of each byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    file: usize,
    text: String,
    /// Of each byte, and of the end.
    offsets: Vec<usize>,
}

impl Text {
    /// Bytes of a file as they are.
    pub fn plain(span: Span, text: &str) -> Text {
        let offsets = (0..=text.len()).map(|at| (span.start + at).min(span.end)).collect();
        Text { file: span.file, text: text.to_string(), offsets }
    }

    /// What was decoded from `raw`, the bytes of `span`: each byte where it was written, as far as that is plain to see.
    pub fn aligned(span: Span, text: &str, raw: &str) -> Text {
        let mut offsets = Vec::with_capacity(text.len() + 1);
        let mut at = content_start(raw);
        for decoded in text.chars() {
            let found = Found::of(decoded, raw, at);
            offsets.extend(std::iter::repeat_n(span.start + found.start, decoded.len_utf8()));
            at = found.end;
        }
        offsets.push((span.start + at).min(span.end));
        Text { file: span.file, text: text.to_string(), offsets }
    }

    /// Nothing yet, at a place.
    pub fn empty(file: usize, offset: usize) -> Text {
        Text { file, text: String::new(), offsets: vec![offset] }
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The file it is in.
    pub fn file(&self) -> usize {
        self.file
    }

    /// A part of it.
    pub fn slice(&self, range: Range<usize>) -> Text {
        let offsets = self.offsets[range.start..=range.end].to_vec();
        Text { file: self.file, text: self.text[range].to_string(), offsets }
    }

    /// Puts a character behind it, whose place is that of `from`'s byte.
    pub fn push(&mut self, letter: char, from: &Text, at: usize) {
        self.push_at(letter, from.offsets[at], from.offsets[(at + letter.len_utf8()).min(from.text.len())]);
    }

    /// Puts a character behind it that is at these bytes of the file.
    pub fn push_at(&mut self, letter: char, start: usize, end: usize) {
        self.offsets.pop();
        self.offsets.extend(std::iter::repeat_n(start, letter.len_utf8()));
        self.offsets.push(end.max(start));
        self.text.push(letter);
    }

    /// Where some of it is in the file.
    pub fn span(&self, range: Range<usize>) -> Span {
        let start = self.offsets[range.start.min(self.text.len())];
        let end = match range.end.min(self.text.len()) {
            end if end > range.start => {
                // The end of the last byte, not the start of the next, which may be lines below.
                let last = self.text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
                let width = self.text[last..end].len();
                (self.offsets[last] + width).min(self.offsets[self.text.len()].max(self.offsets[last]))
            }
            _ => start,
        };
        Span { file: self.file, start, end: end.max(start) }
    }

    /// Where all of it is.
    pub fn whole(&self) -> Span {
        self.span(0..self.text.len())
    }

    /// The words between blanks, and where in the text each begins.
    pub fn words(&self) -> Vec<(usize, &str)> {
        let mut words = Vec::new();
        let mut start = None;
        for (at, letter) in self.text.char_indices().chain([(self.text.len(), ' ')]) {
            match (start, letter.is_whitespace()) {
                (None, false) => start = Some(at),
                (Some(from), true) => {
                    words.push((from, &self.text[from..at]));
                    start = None;
                }
                _ => {}
            }
        }
        words
    }

    /// Where a byte of it is in the file.
    pub fn offset(&self, at: usize) -> usize {
        self.offsets[at.min(self.text.len())]
    }
}

/// Past the quotes that open a text.
fn content_start(raw: &str) -> usize {
    let quote = raw.chars().next().filter(|letter| matches!(letter, '"' | '\''));
    let quote = quote.filter(|quote| raw.len() > 1 && raw.ends_with(*quote));
    quote.map_or(0, |quote| raw.bytes().take(3).take_while(|byte| *byte == quote as u8).count())
}

/// Where a decoded character was written.
struct Found {
    start: usize,
    end: usize,
}

impl Found {
    fn of(decoded: char, raw: &str, at: usize) -> Found {
        for (start, letter) in raw[at..].char_indices().map(|(index, letter)| (at + index, letter)) {
            let end = start + letter.len_utf8();
            // A single quote is written twice in single quotes.
            if letter == decoded && !(letter == '\'' && raw.starts_with('\'') && raw[end..].starts_with('\''))
            {
                return Found { start, end };
            }
            if letter == decoded {
                return Found { start, end: end + 1 };
            }
            if letter == '\\' {
                match escape(raw, start) {
                    // A backslash before the end of a line is no character.
                    None => continue,
                    Some(end) => return Found { start, end },
                }
            }
            if letter.is_whitespace() && !decoded.is_whitespace() {
                continue;
            }
            // A folded line's end is a blank.
            if letter.is_whitespace() {
                return Found { start, end };
            }
            break;
        }
        let start = at.min(raw.len());
        Found { start, end: start }
    }
}

/// Where an escape sequence ends; `None` for a line that goes on.
fn escape(raw: &str, start: usize) -> Option<usize> {
    let kind = raw[start + 1..].chars().next()?;
    let digits = match kind {
        '\n' | '\r' => return None,
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    let mut end = (start + 1 + kind.len_utf8() + digits).min(raw.len());
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_where_it_was_written() {
        let check = |raw: &str, decoded: &str, part: &str, expect: &str| {
            let span = Span { file: 0, start: 100, end: 100 + raw.len() };
            let text = Text::aligned(span, decoded, raw);
            let at = decoded.find(part).expect("a part");
            let found = text.span(at..at + part.len());
            assert_eq!(&raw[found.start - 100..found.end - 100], expect, "{raw}");
        };
        check("plain text", "plain text", "text", "text");
        check("\"a b\"", "a b", "b", "b");
        check("\"a \\\"b\\\" c\"", "a \"b\" c", "c", "c");
        check("'it''s b'", "it's b", "b", "b");
        check("one\n    two three", "one\ntwo three\n", "three", "three");
        check("one\n    two three", "one two three\n", "two", "two");
        check("\"\\u00e4 b\"", "ä b", "b", "b");
        check("\"\"\"\nab c\"\"\"", "ab c", "c", "c");
        check("\"\"", "", "", "");
    }
}
