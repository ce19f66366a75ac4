//! Documents with places: YAML, JSON and TOML as one tree, Dockerfiles, and the shell text in all of them.

pub mod dockerfile;
pub mod glob;
pub mod shell;
pub mod text;
pub mod toml;
pub mod yaml;

use crate::source::{Source, Span};
use text::Text;

/// A node of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it is.
    pub span: Span,
    /// A tag of one's own, such as `!reference`.
    pub tag: Option<String>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number, a word, a text.
    Scalar(Scalar),
    /// In order.
    List(Vec<Node>),
    /// Keys in order; of two that are the same the later counts.
    Map(Vec<(Node, Node)>),
}

/// A single value, without type: what it means is for whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Without quotes and indentation.
    pub text: String,
    /// It was in quotes, or a block.
    pub is_quoted: bool,
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The place.
    pub span: Span,
    /// In words.
    pub message: String,
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// True for `~`, `null` and nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if !scalar.is_quoted
            && matches!(scalar.text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// True for what YAML and TOML mean by it.
    pub fn is_true(&self) -> bool {
        self.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// The text with the place of each byte.
    pub fn located(&self, sources: &[Source]) -> Option<Text> {
        let text = self.text()?;
        let raw = sources.get(self.span.file)?.text.get(self.span.start..self.span.end)?;
        Some(Text::aligned(self.span, text, raw))
    }

    /// The entries of a map, none of anything else.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list, none of anything else.
    pub fn elements(&self) -> &[Node] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The elements of a list, or the node itself where people may leave the brackets out.
    pub fn one_or_more(&self) -> Vec<&Node> {
        match &self.value {
            Value::List(elements) => elements.iter().collect(),
            _ if self.is_null() => Vec::new(),
            _ => vec![self],
        }
    }

    /// What is under a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key and what is under it.
    pub fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        self.entries().iter().rev().find(|(name, _)| name.text() == Some(key))
    }

    /// What is under a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text under a path of keys.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }
}
