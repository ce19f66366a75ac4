//! YAML, and JSON with it: documents as trees, with anchors and merge keys put in where they are used.

use super::{Node, Scalar, SyntaxError, Value};
use crate::source::Span;
use granit_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;

/// Most nodes of a file, aliases counted as often as they are used: a few lines can name billions.
const NODES_MAX: usize = 200_000;
/// Most documents of a file.
const DOCUMENTS_MAX: usize = 2_000;
/// How deep nodes are nested at most.
const DEPTH_MAX: usize = 128;

/// The documents of a text, as far as it goes; what is wrong ends it.
pub fn parse(file: usize, text: &str) -> (Vec<Node>, Option<SyntaxError>) {
    let mut tree = Tree { file, len: text.len(), ..Tree::default() };
    for event in Parser::new_from_str(text) {
        let taken = match event {
            Ok((event, span)) => {
                let start = span.start.byte_offset().unwrap_or(0).min(text.len());
                let end = span.end.byte_offset().unwrap_or(start).clamp(start, text.len());
                tree.take(event, Span { file, start, end }, text)
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                Err(SyntaxError {
                    span: Span { file, start: at, end: at },
                    message: error.info().to_string(),
                })
            }
        };
        if let Err(error) = taken {
            return (tree.documents, Some(error));
        }
    }
    (tree.documents, None)
}

/// What is being built.
#[derive(Default)]
struct Tree {
    file: usize,
    len: usize,
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

/// A list or map that is not closed yet.
struct Open {
    start: usize,
    anchor: usize,
    tag: Option<String>,
    is_map: bool,
    children: Vec<Node>,
    depth: usize,
}

impl Tree {
    fn take(&mut self, event: Event, span: Span, text: &str) -> Result<(), SyntaxError> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(value, style, anchor, tag) => {
                let is_quoted = style != ScalarStyle::Plain;
                let value = Value::Scalar(Scalar { text: value.into_owned(), is_quoted });
                let span = Span { end: content_end(text, span), ..span };
                self.add(Node { span, tag: own(tag), value }, anchor, 1)?;
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (node, depth) = known.ok_or_else(|| at(span, "an alias of what is not there"))?;
                self.nodes = self.nodes.saturating_add(count(&node, NODES_MAX));
                self.add(node, 0, depth)?;
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(span, anchor, own(tag), false)?,
            Event::MappingStart(_, anchor, tag) => self.begin(span, anchor, own(tag), true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        span: Span,
        anchor: usize,
        tag: Option<String>,
        is_map: bool,
    ) -> Result<(), SyntaxError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(at(span, "nested too deep"));
        }
        self.open.push(Open { start: span.start, anchor, tag, is_map, children: Vec::new(), depth: 0 });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), SyntaxError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let last = open.children.last().map_or(open.start, |node| node.span.end.max(open.start));
        let end = if span.end > span.start { span.end } else { last };
        let whole = Span { file: self.file, start: open.start, end: end.max(open.start).min(self.len) };
        let value = match open.is_map {
            true => Value::Map(merged(pairs(open.children))),
            false => Value::List(open.children),
        };
        self.add(Node { span: whole, tag: open.tag, value }, open.anchor, open.depth + 1)
    }

    fn add(&mut self, node: Node, anchor: usize, depth: usize) -> Result<(), SyntaxError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(at(node.span, "more than 200000 values, aliases put in"));
        }
        if depth + self.open.len() > DEPTH_MAX {
            return Err(at(node.span, "nested too deep"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), depth));
        }
        match self.open.last_mut() {
            Some(open) => {
                open.depth = open.depth.max(depth);
                open.children.push(node);
            }
            None if self.documents.len() >= DOCUMENTS_MAX => {
                return Err(at(node.span, "more than 2000 documents"));
            }
            None => self.documents.push(node),
        }
        Ok(())
    }
}

fn at(span: Span, message: &str) -> SyntaxError {
    SyntaxError { span, message: message.to_string() }
}

/// Only tags of people's own: `!!str` says nothing here.
fn own(tag: Option<Cow<Tag>>) -> Option<String> {
    tag.filter(|tag| tag.is_custom()).map(|tag| tag.suffix().to_string())
}

/// A block reaches to where the next thing begins; what is written ends before.
fn content_end(text: &str, span: Span) -> usize {
    let raw = text.get(span.start..span.end).unwrap_or_default();
    span.start + raw.trim_end().len()
}

fn pairs(children: Vec<Node>) -> Vec<(Node, Node)> {
    let mut pairs = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}

/// `<<` put in: what a map says itself comes before what it takes over, and of several the first.
fn merged(pairs: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let is_merge = |(key, _): &(Node, Node)| matches!(&key.value, Value::Scalar(scalar) if scalar.text == "<<" && !scalar.is_quoted);
    let (merges, mut own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_merge);
    let mut all = Vec::new();
    for (_, from) in merges {
        for map in from.one_or_more() {
            for (key, value) in map.entries() {
                let is_there =
                    |(other, _): &(Node, Node)| other.text().is_some() && other.text() == key.text();
                if !own.iter().any(is_there) && !all.iter().any(is_there) {
                    all.push((key.clone(), value.clone()));
                }
            }
        }
    }
    all.append(&mut own);
    all
}

fn count(node: &Node, most: usize) -> usize {
    let children: &mut dyn Iterator<Item = &Node> = match &node.value {
        Value::Scalar(_) => return 1,
        Value::List(elements) => &mut elements.iter(),
        Value::Map(entries) => &mut entries.iter().flat_map(|(key, value)| [key, value]),
    };
    children.fold(1, |sum: usize, child| if sum > most { sum } else { sum + count(child, most) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        let (mut documents, error) = parse(0, text);
        assert_eq!(error, None, "{text}");
        documents.remove(0)
    }

    #[test]
    fn places_and_kinds() {
        let text = "a: 1\nb: 'two'\nc:\n  - x\n  - |\n    one\n    two\nd: !reference [e, f]\n";
        let node = one(text);
        let raw = |node: &Node| &text[node.span.start..node.span.end];
        assert_eq!(raw(node.get("a").unwrap()), "1");
        assert_eq!(raw(node.get("b").unwrap()), "'two'");
        assert_eq!(node.get("c").unwrap().elements()[1].text(), Some("one\ntwo\n"));
        assert_eq!(raw(&node.get("c").unwrap().elements()[1]), "one\n    two");
        assert_eq!(node.get("d").unwrap().tag.as_deref(), Some("reference"));
        assert_eq!(node.get("d").unwrap().elements().len(), 2);
    }

    #[test]
    fn anchors_and_merges() {
        let node = one("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz:\n  <<: [{a: 9}, *x]\n");
        assert_eq!(node.text_at(&["y", "a"]), Some("1"));
        assert_eq!(node.text_at(&["y", "b"]), Some("3"));
        assert_eq!(node.text_at(&["z", "a"]), Some("9"));
        assert_eq!(node.text_at(&["z", "b"]), Some("2"));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let (documents, error) = parse(0, "a: 1\n---\nb: [1\n");
        assert_eq!(documents.len(), 1);
        assert!(error.unwrap().span.start >= 9);
    }

    #[test]
    fn aliases_of_aliases_come_to_an_end() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let before = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
        }
        assert!(parse(0, &text).1.unwrap().message.contains("200000"));
    }
}
