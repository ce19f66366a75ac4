//! Edits of YAML that keep its layout: one more element, one more key.

use crate::document::{Node, Value};
use crate::finding::Edit;
use crate::source::{Source, Span};

/// One more element in a list; a single value becomes a list. `None` where the layout is not plain to see.
pub fn add_element(sources: &[Source], node: &Node, element: &str) -> Option<Edit> {
    let source = sources.get(node.span.file)?;
    match &node.value {
        Value::Scalar(_) => {
            // In brackets some letters mean something else than outside of them.
            let is_word =
                |raw: &&str| raw.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            let raw = source.text.get(node.span.start..node.span.end).filter(is_word)?;
            Some(Edit { span: node.span, text: format!("[{raw}, {element}]") })
        }
        Value::List(elements) => {
            let last = elements.last()?;
            if last.span.file != node.span.file || !last.entries().is_empty() {
                return None;
            }
            let at = Span { start: last.span.end, end: last.span.end, ..last.span };
            if source.text.get(node.span.start..)?.starts_with('[') {
                return Some(Edit { span: at, text: format!(", {element}") });
            }
            let indent = indent_before(source, last.span.start, "- ")?;
            Some(Edit { span: at, text: format!("\n{indent}- {element}") })
        }
        Value::Map(_) => None,
    }
}

/// One more key in a map, before its first.
pub fn add_key(sources: &[Source], map: &Node, key: &str, value: &str) -> Option<Edit> {
    let (first, _) = map.entries().iter().find(|(key, _)| key.span.file == map.span.file)?;
    let source = sources.get(first.span.file)?;
    let at = Span { end: first.span.start, ..first.span };
    let before = source.text.get(..first.span.start)?;
    // In braces keys stand behind one another.
    if before.trim_end().ends_with(['{', ',']) {
        return Some(Edit { span: at, text: format!("{key}: {value}, ") });
    }
    let indent = indent_before(source, first.span.start, "")?;
    Some(Edit { span: at, text: format!("{key}: {value}\n{indent}") })
}

/// What is before a node on its line, where that is blanks and then `mark`.
fn indent_before<'a>(source: &'a Source, offset: usize, mark: &str) -> Option<&'a str> {
    let before = source.text.get(..offset)?;
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let indent = line.strip_suffix(mark)?;
    indent.chars().all(|letter| letter == ' ').then_some(indent)
}
