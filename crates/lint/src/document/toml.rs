//! TOML as the same tree; also where it is written inside of a YAML text, as GitLab's chart has it.

use super::text::Text;
use super::{Node, Scalar, SyntaxError, Value};
use std::ops::Range;
use toml_edit::{Document, Item, Table, TableLike};

/// The tree of a text that is wherever `text` says.
pub fn parse(text: &Text) -> Result<Node, SyntaxError> {
    let plain = without_templates(text.as_str());
    let document = Document::parse(plain.as_str()).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        SyntaxError { span: text.span(span), message: error.message().to_string() }
    })?;
    Ok(Reader { text }.table(document.as_table(), 0..plain.len()))
}

struct Reader<'a> {
    text: &'a Text,
}

impl Reader<'_> {
    fn node(&self, span: Option<Range<usize>>, around: Range<usize>, value: Value) -> Node {
        let span = span.unwrap_or(around);
        Node { span: self.text.span(span), tag: None, value }
    }

    fn table(&self, table: &Table, around: Range<usize>) -> Node {
        let value = self.entries(table, around.clone());
        self.node(table.span(), around, value)
    }

    fn entries(&self, table: &dyn TableLike, around: Range<usize>) -> Value {
        let entry = |(name, item): (&str, &Item)| {
            let key = table.key(name).and_then(|key| key.span());
            let value = self.item(item, key.clone().unwrap_or(around.clone()));
            let scalar = Scalar { text: name.to_string(), is_quoted: false };
            (self.node(key, around.clone(), Value::Scalar(scalar)), value)
        };
        Value::Map(table.iter().map(entry).collect())
    }

    fn item(&self, item: &Item, around: Range<usize>) -> Node {
        match item {
            Item::Table(table) => self.table(table, around),
            Item::ArrayOfTables(tables) => {
                let all = tables.iter().map(|table| self.table(table, around.clone())).collect();
                self.node(tables.span(), around, Value::List(all))
            }
            Item::Value(value) => self.value(value, around),
            Item::None => {
                self.node(None, around, Value::Scalar(Scalar { text: String::new(), is_quoted: false }))
            }
        }
    }

    fn value(&self, value: &toml_edit::Value, around: Range<usize>) -> Node {
        let span = value.span();
        let inner = span.clone().unwrap_or(around.clone());
        let of = match value {
            toml_edit::Value::Array(array) => {
                Value::List(array.iter().map(|value| self.value(value, inner.clone())).collect())
            }
            toml_edit::Value::InlineTable(table) => self.entries(table, inner),
            toml_edit::Value::String(text) => {
                Value::Scalar(Scalar { text: text.value().clone(), is_quoted: true })
            }
            _ => {
                let text = self.text.as_str().get(inner).unwrap_or_default().trim().to_string();
                Value::Scalar(Scalar { text, is_quoted: false })
            }
        };
        self.node(span, around, of)
    }
}

/// The same bytes with `{{ ... }}` made into something that TOML reads: letters inside of quotes, a text of its own as a
/// value, a comment on a line of its own.
fn without_templates(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let alone = line.trim();
        if alone.starts_with("{{") && alone.ends_with("}}") {
            plain.push_str(&line.replacen('{', "#", 1));
            continue;
        }
        let (mut rest, mut quotes) = (line, 0);
        while let Some((before, inside, after)) = template(rest) {
            plain.push_str(before);
            quotes += before.matches(['"', '\'']).count();
            let letters = "x".repeat(inside.len());
            match quotes % 2 {
                0 => plain.push_str(&format!("\"{}\"", &letters[2..])),
                _ => plain.push_str(&letters),
            }
            rest = after;
        }
        plain.push_str(rest);
    }
    plain
}

/// What is before, in and after the first template of a line.
fn template(line: &str) -> Option<(&str, &str, &str)> {
    let start = line.find("{{")?;
    let end = start + line[start..].find("}}")? + 2;
    Some((&line[..start], &line[start..end], &line[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn read(text: &str) -> Node {
        let whole = Span { file: 0, start: 0, end: text.len() };
        parse(&Text::plain(whole, text)).unwrap_or_else(|error| panic!("{error:?}: {text}"))
    }

    #[test]
    fn values_have_their_places() {
        let text = "concurrent = 4\n[[runners]]\n  name = \"x\"\n  [runners.kubernetes]\n    memory_limit = \"2Gi\"\n";
        let node = read(text);
        let runner = &node.get("runners").unwrap().elements()[0];
        let limit = runner.at(&["kubernetes", "memory_limit"]).unwrap();
        assert_eq!((limit.text(), &text[limit.span.start..limit.span.end]), (Some("2Gi"), "\"2Gi\""));
        assert_eq!(node.text_at(&["concurrent"]), Some("4"));
    }

    #[test]
    fn templates_are_no_mistakes() {
        let node =
            read("{{- if .Values.x }}\na = {{ .Values.a | quote }}\nb = \"{{ .b }}-1\"\n{{- end }}\nc = 2\n");
        assert_eq!(node.text_at(&["c"]), Some("2"));
        let text = "a = {{ x }}\n";
        assert_eq!(without_templates(text).len(), text.len());
    }

    #[test]
    fn a_mistake_has_its_place() {
        let text = "a = 1\nb = = 2\n";
        let whole = Span { file: 0, start: 0, end: text.len() };
        assert!(parse(&Text::plain(whole, text)).unwrap_err().span.start >= 6);
    }
}
