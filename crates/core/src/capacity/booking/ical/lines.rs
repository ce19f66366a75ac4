//! Lines of a calendar: folded and unfolded, taken apart and escaped.

use super::{Error, MOST_BYTES};

/// A line, put together, is no longer than this, in bytes.
const MOST_LINE: usize = 16 << 10;
/// A line is folded so that none is longer than this, in bytes without its end (RFC 5545, 3.1).
const FOLD: usize = 75;

/// `NAME;PARAM=value:value`, put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins, from 1.
    pub number: usize,
    /// In capitals.
    pub name: String,
    /// Names in capitals.
    pub params: Vec<(String, String)>,
    /// As it is, escapes and all.
    pub value: String,
}

impl Line {
    /// What a parameter says.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// What is wrong with it.
    pub fn error(&self, what: impl Into<String>, hint: &'static str) -> Error {
        Error { line: self.number, what: what.into(), hint }
    }
}

/// All lines of a calendar.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<Line>, Error> {
    let error = |line, what: &str, hint| Err(Error { line, what: what.to_string(), hint });
    if bytes.len() > MOST_BYTES {
        return error(1, "it is larger than 1 MiB", "import it in parts");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return error(1, "it is not UTF-8", "save it as UTF-8");
    };
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (at, raw) in text.trim_start_matches('\u{feff}').split('\n').enumerate() {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        match (raw.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(rest), Some((_, line))) => line.push_str(rest),
            _ if raw.is_empty() => continue,
            _ => whole.push((at + 1, raw.to_string())),
        }
        if whole.last().is_some_and(|(_, line)| line.len() > MOST_LINE) {
            return error(at + 1, "it is longer than 16 KiB", "shorten it");
        }
    }
    whole.into_iter().map(|(number, line)| apart(number, &line)).collect()
}

fn apart(number: usize, line: &str) -> Result<Line, Error> {
    let wrong =
        |what: &str| Error { line: number, what: what.into(), hint: "write it like NAME;PARAM=x:value" };
    let end = line.find([';', ':']).ok_or_else(|| wrong("it has no value"))?;
    let name = line[..end].to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-') {
        return Err(wrong("it does not begin with a name"));
    }
    let (mut params, mut rest) = (Vec::new(), &line[end..]);
    while let Some(param) = rest.strip_prefix(';') {
        let (key, after) = param.split_once('=').ok_or_else(|| wrong("a parameter has no value"))?;
        let end = match after.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map(|at| at + 2),
            None => after.find([';', ':']),
        };
        let (value, after) =
            end.and_then(|at| after.split_at_checked(at)).ok_or_else(|| wrong("it has no value"))?;
        params.push((key.to_ascii_uppercase(), value.trim_matches('"').to_string()));
        rest = after;
    }
    let value = rest.strip_prefix(':').ok_or_else(|| wrong("it has no value"))?;
    Ok(Line { number, name, params, value: value.to_string() })
}

/// Text without its escapes; what no text may have, control characters, is left out.
pub(super) fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(it) = chars.next() {
        match it {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            it if it.is_control() && it != '\t' => {}
            it => text.push(it),
        }
    }
    text
}

/// Text with its escapes.
pub(super) fn escape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '\\' | ';' | ',' => value.extend(['\\', it]),
            '\n' => value.push_str("\\n"),
            it if it.is_control() && it != '\t' => {}
            it => value.push(it),
        }
    }
    value
}

/// Adds a line, folded between characters.
pub(super) fn push(out: &mut String, line: &str) {
    let mut length = 0;
    for it in line.chars() {
        if length + it.len_utf8() > FOLD {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(it);
        length += it.len_utf8();
    }
    out.push_str("\r\n");
}
