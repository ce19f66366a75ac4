//! Pieces of YAML: texts that stay texts, blocks that stay the same to the byte, nodes of people's own files.

use plimsoll_lint::document::{Node, Value};

/// A text; in quotes where it could be read as something else.
pub fn text(text: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
    let first =
        text.chars().next().is_some_and(|letter| letter.is_ascii_alphabetic() || "._".contains(letter));
    let is_other = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if first && text.chars().all(is_word) && !is_other { text.to_string() } else { quoted(text) }
}

/// An amount as it was written: `2Gi`, `2048Mi`, `$LIMIT`.
pub fn amount(text: &str) -> String {
    let is_plain = text.ends_with(|letter: char| letter.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.')
        && !text.contains(['e', 'E', 'x', 'o']);
    if is_plain { text.to_string() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    // What JSON has as a text YAML has too.
    serde_json::to_string(text).unwrap_or_default()
}

/// A node on one line; what was a number or a word without quotes is one again.
pub fn flow(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) if node.is_null() => {
            debug_assert!(!scalar.is_quoted);
            "null".to_string()
        }
        Value::Scalar(scalar) => {
            let is_plain = scalar
                .text
                .starts_with(|letter: char| letter.is_ascii_alphanumeric() || "$._/".contains(letter))
                && scalar
                    .text
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "$._/-".contains(letter));
            if is_plain && !scalar.is_quoted { scalar.text.clone() } else { quoted(&scalar.text) }
        }
        Value::List(elements) => format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}: {}", flow(key), flow(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// What follows `key:`, so that a text of several lines is the same when it is read; `indent` is that of its lines, two more than the
/// key's.
pub fn block(text: &str, indent: usize) -> String {
    let is_odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if text.trim_matches('\n').is_empty()
        || text.contains(is_odd)
        || text.contains(['\u{feff}', '\u{2028}', '\u{2029}', '\u{85}'])
    {
        return format!(" {}\n", quoted(text));
    }
    let begins_odd = text.starts_with([' ', '\t', '\n']);
    let digit = if begins_odd { "2" } else { "" };
    let body = text.trim_end_matches('\n');
    let end = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let mut all = format!(" |{digit}{end}\n");
    for line in body.split('\n') {
        if !line.is_empty() {
            all.extend(std::iter::repeat_n(' ', indent));
        }
        all.push_str(line);
        all.push('\n');
    }
    all.extend(std::iter::repeat_n('\n', (text.len() - body.len()).saturating_sub(1)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_lint::document::yaml;
    use proptest::prelude::*;

    fn read(text: &str) -> Node {
        let (mut documents, error) = yaml::parse(0, text);
        assert_eq!(error, None, "{text}");
        documents.remove(0)
    }

    #[test]
    fn texts_are_quoted_where_they_mean_something_else() {
        let check = |given: &str, expect: &str| assert_eq!(text(given), expect);
        check("build", "build");
        check("build/web", "build/web");
        check("build:web", "\"build:web\"");
        check("on", "\"on\"");
        check("12", "\"12\"");
        check("", "\"\"");
        assert_eq!(amount("2Gi"), "2Gi");
        assert_eq!(amount("2147483648"), "\"2147483648\"");
        assert_eq!(amount("$LIMIT"), "\"$LIMIT\"");
    }

    #[test]
    fn nodes_on_one_line() {
        let given = "- key:\n    files: [a.json, \"*.lock\"]\n  paths:\n    - .npm\n  untracked: true\n  prefix: ~\n  policy: 'pull'\n";
        assert_eq!(
            flow(&read(given)),
            "[{key: {files: [a.json, \"*.lock\"]}, paths: [.npm], untracked: true, prefix: null, policy: \"pull\"}]"
        );
    }

    #[test]
    fn blocks_of_odd_texts() {
        for given in [
            "",
            "\n",
            "a",
            "a\n",
            "a\n\n\n",
            " a\nb\n",
            "\n\na\n",
            "a\r\nb\n",
            "\ta\n",
            "a\n  \n",
            "a\n b: [\n#c\n\nd",
        ] {
            let read = read(&format!("x:\n  y:{}z: 1\n", block(given, 4)));
            assert_eq!(read.text_at(&["x", "y"]), Some(given), "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn blocks_are_read_as_they_were(given in "[a-z #:\\[\n\t\"'{}-]{0,60}") {
            let written = format!("x:\n  y:{}z: 1\n", block(&given, 4));
            let ours = read(&written);
            prop_assert_eq!(ours.text_at(&["x", "y"]), Some(given.as_str()), "{}", written);
            let other: serde_json::Value = serde_saphyr::from_str(&written).unwrap();
            prop_assert_eq!(other["x"]["y"].as_str(), Some(given.as_str()), "{}", written);
        }
    }
}
