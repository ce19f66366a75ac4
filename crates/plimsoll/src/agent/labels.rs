//! Labels: cut so that none is endless, escaped so that none breaks a line, and free of numbers where they are to outlive a process.

/// No label is longer, in bytes.
const LABEL_MAX_BYTES: usize = 128;
/// Paths of cgroups are longer than names: those of a kubelet with systemd have some 200 bytes.
const PATH_MAX_BYTES: usize = 256;
/// In place of what was cut out.
const CUT: &str = "...";

/// A name as a label.
pub fn name(text: &str) -> String {
    cut(text, LABEL_MAX_BYTES)
}

/// A path as a label.
pub fn path(text: &str) -> String {
    cut(text, PATH_MAX_BYTES)
}

/// Cut in the middle, as names differ at their ends.
fn cut(text: &str, most_bytes: usize) -> String {
    if text.len() <= most_bytes {
        return text.to_string();
    }
    let each = (most_bytes - CUT.len()) / 2;
    let (mut head, mut tail) = (each, text.len() - each);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    format!("{}{CUT}{}", &text[..head], &text[tail..])
}

/// Appends a value between quotes, escaped as OpenMetrics and the text format want it.
pub fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

/// Appends `key="value",...`.
pub fn pairs<'a>(text: &mut String, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (at, (key, value)) in labels.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(key);
        text.push_str("=\"");
        escape(text, value);
        text.push('"');
    }
}

/// A name without what is another number each time: `session-12.scope` is `session-*.scope`.
pub fn lasting(name: &str) -> String {
    let mut text = String::new();
    for part in name.split_inclusive(['-', '.', '_', ':', '@']) {
        let word = part.trim_end_matches(['-', '.', '_', ':', '@']);
        let is_number = word.bytes().any(|byte| byte.is_ascii_digit());
        text.push_str(if is_number { "*" } else { word });
        text.push_str(&part[word.len()..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escaped() {
        let check = |value: &str, expect: &str| {
            let mut text = String::new();
            escape(&mut text, value);
            assert_eq!(text, expect);
        };
        check("plain", "plain");
        check("a\\b\"c\nd", "a\\\\b\\\"c\\nd");
        check("é {x=\"1\"}", "é {x=\\\"1\\\"}");
    }

    #[test]
    fn numbers_are_left_out() {
        let check = |name: &str, expect: &str| assert_eq!(lasting(name), expect, "{name}");
        check("session-12.scope", "session-*.scope");
        check("plimsoll-77-1234-1", "plimsoll-*-*-*");
        check("9485f8ca3cda0fe83eb5302f069c06c6", "*");
        check("init.scope", "init.scope");
        check("run-u7.scope", "run-*.scope");
        check("", "");
    }

    proptest! {
        /// However long and wild: short enough, and with its ends.
        #[test]
        fn none_is_endless(text in "\\PC{0,200}") {
            let label = name(&text);
            prop_assert!(label.len() <= LABEL_MAX_BYTES);
            prop_assert!(text.len() > LABEL_MAX_BYTES || label == text);
            prop_assert_eq!(label.chars().last(), text.chars().last());
        }
    }
}
