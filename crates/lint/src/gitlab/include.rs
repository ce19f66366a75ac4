//! `include`: files of the same repository put under the one that names them. What is elsewhere is not fetched.

use super::Pipeline;
use super::merge::merge;
use crate::document::{Node, SyntaxError, Value, yaml};
use crate::project::Files;
use crate::source::Source;
use std::collections::BTreeSet;

/// Most files of a pipeline (<https://docs.gitlab.com/administration/settings/continuous_integration/#maximum-includes>).
const FILES_MAX: usize = 150;

/// Reads a pipeline from its root.
pub struct Loader<'a> {
    /// Files that are known; what is read besides is added.
    pub sources: &'a mut Vec<Source>,
    /// Where others are asked for.
    pub files: &'a dyn Files,
    /// What does not parse.
    pub syntax: Vec<SyntaxError>,
    loaded: BTreeSet<usize>,
    is_whole: bool,
    folder: String,
}

impl<'a> Loader<'a> {
    /// Nothing loaded yet.
    pub fn new(sources: &'a mut Vec<Source>, files: &'a dyn Files) -> Loader<'a> {
        let (syntax, loaded) = (Vec::new(), BTreeSet::new());
        Loader { sources, files, syntax, loaded, is_whole: true, folder: String::new() }
    }

    /// The pipeline whose root this file is; `None` where there is nothing in it.
    pub fn pipeline(mut self, root: usize) -> (Option<Pipeline>, Vec<SyntaxError>) {
        let name = &self.sources[root].name;
        self.folder = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let tree = self.load(root);
        let (files, is_whole) = (self.loaded, self.is_whole);
        (tree.map(|tree| Pipeline { tree, files, is_whole }), self.syntax)
    }

    fn load(&mut self, file: usize) -> Option<Node> {
        if self.loaded.len() >= FILES_MAX || !self.loaded.insert(file) {
            return None;
        }
        let (documents, error) = yaml::parse(file, &self.sources[file].text);
        self.is_whole &= error.is_none();
        self.syntax.extend(error);
        let own =
            documents.into_iter().filter(|node| node.get("spec").is_none_or(|_| node.entries().len() > 1));
        let own = own.filter(|node| matches!(node.value, Value::Map(_))).reduce(merge)?;
        let mut all: Option<Node> = None;
        for entry in own.get("include").map(Node::one_or_more).unwrap_or_default() {
            for file in self.named(entry) {
                if let Some(included) = self.load(file) {
                    all = Some(match all {
                        Some(before) => merge(before, included),
                        None => included,
                    });
                }
            }
        }
        Some(match all {
            Some(base) => merge(base, own),
            None => own,
        })
    }

    /// The files that an entry of `include` means, as far as they are here.
    fn named(&mut self, entry: &Node) -> Vec<usize> {
        let local = match &entry.value {
            Value::Scalar(scalar) if !scalar.text.contains("://") => Some(scalar.text.as_str()),
            _ => entry.text_at(&["local"]),
        };
        let Some(local) = local.filter(|path| !path.contains('$')) else {
            self.is_whole = false;
            return Vec::new();
        };
        let path = format!("{}{}", self.folder, local.trim_start_matches('/'));
        let names = match path.contains('*') {
            true => self.files.names(&path),
            false => vec![path],
        };
        names.iter().filter_map(|name| self.source(name)).collect()
    }

    fn source(&mut self, name: &str) -> Option<usize> {
        let is_it = |source: &Source| source.name.trim_start_matches("./") == name.trim_start_matches("./");
        if let Some(known) = self.sources.iter().position(is_it) {
            return Some(known);
        }
        match self.files.read(name) {
            Some(text) => {
                self.sources.push(Source { name: name.to_string(), text });
                Some(self.sources.len() - 1)
            }
            None => {
                self.is_whole = false;
                None
            }
        }
    }
}
