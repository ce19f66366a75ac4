//! Keys of TOML set with everything else left as it is: layout, comments, templates of a chart.

use crate::document::text::Text;
use crate::document::{Node, Value, toml};
use crate::source::Span;

/// What a line begins with that says why the next has its value; one that is there already is replaced.
const MARK: &str = "# plimsoll: ";

/// A key, its value as TOML has it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The key.
    pub key: String,
    /// The value, quotes and all.
    pub value: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// A table in a text: the keys to it, and which of them where one is a list of tables.
pub type Place<'a> = &'a [(&'a str, usize)];

/// The tree of a text, or what is wrong with it.
pub fn parse(text: &str) -> Result<Node, String> {
    let whole = Span { file: 0, start: 0, end: text.len() };
    toml::parse(&Text::plain(whole, text)).map_err(|error| {
        let line = text[..error.span.start.min(text.len())].matches('\n').count() + 1;
        format!("line {line}: {}", error.message)
    })
}

/// What is at a place.
pub fn at<'a>(tree: &'a Node, place: Place) -> Option<&'a Node> {
    entry_at(tree, place).map(|(_, node)| node)
}

fn entry_at<'a>(tree: &'a Node, place: Place) -> Option<(&'a Node, &'a Node)> {
    let mut found: Option<(&Node, &Node)> = None;
    for (key, index) in place {
        let (name, value) = found.map_or(tree, |(_, node)| node).entry(key)?;
        found = match &value.value {
            Value::List(tables) => Some((name, tables.get(*index)?)),
            _ => Some((name, value)),
        };
    }
    found
}

/// The text with these keys set in the table at a place. They are read back, so that what is returned says what was asked for.
///
/// # Errors
///
/// Where the text does not parse, or has no such table under a header of its own.
pub fn set(text: &str, place: Place, keys: &[Set]) -> Result<String, String> {
    let mut text = text.to_string();
    for key in keys {
        text = set_one(&text, place, key)?;
    }
    let tree = parse(&text)?;
    let table = at(&tree, place);
    let wrong = keys.iter().find(|set| {
        let read = table.and_then(|table| table.text_at(&[set.key.as_str()]));
        read != Some(set.value.trim_matches('"'))
    });
    match wrong {
        Some(set) => Err(format!("{} cannot be set in {}\nset it by hand", set.key, header(place))),
        None => Ok(text),
    }
}

fn set_one(text: &str, place: Place, set: &Set) -> Result<String, String> {
    let tree = parse(text)?;
    let none = || format!("there is no {} with a line of its own\nwrite one", header(place));
    let (name, table) = entry_at(&tree, place).ok_or_else(none)?;
    let says_why = |indent: &str| format!("{indent}{MARK}{}\n", set.reason);
    if let Some((key, value)) = table.entry(&set.key) {
        let line = line_start(text, key.span.start);
        let indent = &text[line..line + blanks(&text[line..])];
        let above = marked_above(text, line);
        let (start, end) = (value.span.start, value.span.end);
        return Ok([&text[..above], &says_why(indent), &text[line..start], &set.value, &text[end..]].concat());
    }
    let last = table
        .entries()
        .iter()
        .filter(|(_, value)| is_plain(value))
        .map(|(key, value)| (key.span, value.span));
    let (line, end) = match last.max_by_key(|(_, value)| value.end) {
        Some((key, value)) => (line_start(text, key.start), value.end),
        None => {
            let line = line_start(text, name.span.start);
            let written: String =
                text[line..].lines().next().unwrap_or_default().split_whitespace().collect();
            if !written.starts_with(&header(place)) {
                return Err(none());
            }
            (line, name.span.end)
        }
    };
    let indent = &text[line..line + blanks(&text[line..])];
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let before = if text[..end].ends_with('\n') || end == 0 { "" } else { "\n" };
    let line = format!("{indent}{} = {}\n", set.key, set.value);
    Ok([&text[..end], before, &says_why(indent), &line, &text[end..]].concat())
}

/// A key's own value on its own lines, not a table, nor what is in one.
fn is_plain(value: &Node) -> bool {
    match &value.value {
        Value::Scalar(_) => true,
        Value::List(elements) => elements.iter().all(|element| !matches!(element.value, Value::Map(_))),
        Value::Map(_) => false,
    }
}

/// `[runners.kubernetes]`
fn header(place: Place) -> String {
    let names: Vec<&str> = place.iter().map(|(name, _)| *name).collect();
    format!("[{}]", names.join("."))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// Where the line above begins where it is a reason of ours, else where this one does.
fn marked_above(text: &str, line: usize) -> usize {
    let Some(before) = line.checked_sub(1) else { return line };
    let start = line_start(text, before);
    if text[start..before].trim_start().starts_with(MARK) { start } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = &[("runners", 0), ("kubernetes", 0)];

    fn limit(value: &str) -> Set {
        Set { key: "memory_limit".into(), value: format!("\"{value}\""), reason: "because".into() }
    }

    #[test]
    fn keys_are_set_and_all_else_is_left() {
        let check = |text: &str, expect: &str| {
            let once = set(text, PLACE, &[limit("4Gi")]).unwrap();
            assert_eq!(once, expect);
            assert_eq!(set(&once, PLACE, &[limit("4Gi")]).unwrap(), once, "twice is once");
        };
        check(
            "[[runners]]\n  [runners.kubernetes]\n    memory_limit = \"2Gi\" # ours\n    image = 'x'\n",
            "[[runners]]\n  [runners.kubernetes]\n    # plimsoll: because\n    memory_limit = \"4Gi\" # ours\n    image = 'x'\n",
        );
        // After the last of its own keys, before tables below it.
        check(
            "[[runners]]\n  [runners.kubernetes]\n    namespace = \"{{ .Release.Namespace }}\"\n    hosts = [\n      \"a\",\n    ]\n\n    [runners.kubernetes.node_selector]\n      a = \"b\"\n",
            "[[runners]]\n  [runners.kubernetes]\n    namespace = \"{{ .Release.Namespace }}\"\n    hosts = [\n      \"a\",\n    ]\n    # plimsoll: because\n    memory_limit = \"4Gi\"\n\n    [runners.kubernetes.node_selector]\n      a = \"b\"\n",
        );
        check(
            "[[runners]]\n[runners.kubernetes]",
            "[[runners]]\n[runners.kubernetes]\n# plimsoll: because\nmemory_limit = \"4Gi\"\n",
        );
        check(
            "[[runners]]\n[runners.kubernetes] # x\n[runners.cache]\nType = \"s3\"\n",
            "[[runners]]\n[runners.kubernetes] # x\n# plimsoll: because\nmemory_limit = \"4Gi\"\n[runners.cache]\nType = \"s3\"\n",
        );
    }

    #[test]
    fn what_has_no_line_of_its_own_is_said() {
        let check = |text: &str, expect: &str| {
            let error = set(text, PLACE, &[limit("4Gi")]).unwrap_err();
            assert!(error.contains(expect), "{text}: {error}");
        };
        check("[[runners]]\nname = \"x\"\n", "there is no [runners.kubernetes]");
        check(
            "[[runners]]\n[runners.kubernetes.node_selector]\na = \"b\"\n",
            "there is no [runners.kubernetes]",
        );
        check("[[runners]]\nkubernetes = {image = \"x\"}\n", "[runners.kubernetes]");
        check("[[runners]\n", "line 1: ");
    }

    #[test]
    fn the_second_of_two() {
        let text = "[[runners]]\n[runners.kubernetes]\nimage = \"a\"\n[[runners]]\n[runners.kubernetes]\nimage = \"b\"\n";
        let second = set(text, &[("runners", 1), ("kubernetes", 0)], &[limit("1Gi")]).unwrap();
        assert!(second.ends_with("image = \"b\"\n# plimsoll: because\nmemory_limit = \"1Gi\"\n"), "{second}");
    }
}
