//! A job as it runs: with what it extends, refers to, inherits and is given by variables.

use super::Pipeline;
use super::merge::{referenced, with_parents};
use crate::document::{Node, Value};
use crate::source::Span;

/// Most sets of variables of a job (GitLab allows 200 jobs of a matrix).
const VARIANTS_MAX: usize = 50;

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is called.
    pub name: String,
    /// Where its name is.
    pub span: Span,
    /// All of its keywords.
    pub node: Node,
    /// False where something it is made of is not here.
    pub is_whole: bool,
    /// The variables it may be run with: as they are, and for each rule and each cell of a matrix that changes them.
    pub variants: Vec<Vec<Variable>>,
}

/// A variable of a job.
#[derive(Debug, Clone)]
pub struct Variable {
    /// What it is called.
    pub name: String,
    /// Its value.
    pub value: Node,
    /// It is of the whole pipeline.
    pub is_inherited: bool,
}

/// Keywords a job has from `default`, or from the top of the file, where it has none of its own.
const DEFAULTS: [&str; 8] =
    ["after_script", "artifacts", "before_script", "cache", "image", "retry", "services", "tags"];

impl Job {
    /// A job of a pipeline, as it is written under its name.
    pub fn new(pipeline: &Pipeline, name: &Node, own: &Node, defaults: &[(Node, Node)]) -> Job {
        let tree = &pipeline.tree;
        let mut is_whole = pipeline.is_whole;
        let mut node = with_parents(tree, own, &mut is_whole);
        with_defaults(defaults, &mut node);
        let node = referenced(tree, node, &mut is_whole);
        let variants = variants(tree, &node);
        Job { name: name.text().unwrap_or_default().to_string(), span: name.span, node, is_whole, variants }
    }
}

/// What jobs have that say nothing else.
pub fn defaults(tree: &Node) -> Vec<(Node, Node)> {
    let default = tree.get("default");
    let of = |key: &&str| default.and_then(|default| default.entry(key)).or_else(|| tree.entry(key)).cloned();
    DEFAULTS.iter().filter_map(of).collect()
}

fn with_defaults(defaults: &[(Node, Node)], job: &mut Node) {
    for (key, value) in defaults {
        let name = key.text().unwrap_or_default();
        let inherits = match job.at(&["inherit", "default"]) {
            Some(node) if !node.elements().is_empty() => {
                node.elements().iter().any(|element| element.text() == Some(name))
            }
            Some(node) => node.text() != Some("false"),
            None => true,
        };
        if job.get(name).is_none()
            && inherits
            && let Value::Map(entries) = &mut job.value
        {
            entries.push((key.clone(), value.clone()));
        }
    }
}

fn variants(tree: &Node, job: &Node) -> Vec<Vec<Variable>> {
    let inherit = job.at(&["inherit", "variables"]);
    let inherits = |name: &str| match inherit {
        Some(node) if !node.elements().is_empty() => {
            node.elements().iter().any(|element| element.text() == Some(name))
        }
        Some(node) => node.text() != Some("false"),
        None => true,
    };
    let mut base = Vec::new();
    add(&mut base, tree.get("variables"), true);
    base.retain(|variable| inherits(&variable.name));
    add(&mut base, job.get("variables"), false);
    let with = |more: &Node| {
        let mut all = base.clone();
        add(&mut all, Some(more), false);
        all
    };
    let mut variants = vec![base.clone()];
    for rule in job.get("rules").map(Node::elements).unwrap_or_default() {
        variants.extend(rule.get("variables").map(with));
    }
    if let Some(matrix) = job.at(&["parallel", "matrix"]) {
        // Each cell has its own; without one the job does not run.
        let cells: Vec<_> = matrix.elements().iter().flat_map(|entry| cells(&base, entry)).collect();
        if !cells.is_empty() {
            variants = cells;
        }
    }
    variants.truncate(VARIANTS_MAX);
    variants
}

/// Each combination of the values of an entry of a matrix.
fn cells(base: &[Variable], entry: &Node) -> Vec<Vec<Variable>> {
    let mut cells = vec![base.to_vec()];
    for (key, values) in entry.entries() {
        let Some(name) = key.text() else { continue };
        let values = values.one_or_more();
        let each = |cell: &Vec<Variable>| {
            let with = |value: &&Node| {
                let mut cell = cell.clone();
                set(&mut cell, name, (*value).clone(), false);
                cell
            };
            values.iter().map(with).collect::<Vec<_>>()
        };
        cells = cells.iter().flat_map(each).take(VARIANTS_MAX).collect();
    }
    cells
}

fn add(all: &mut Vec<Variable>, variables: Option<&Node>, is_inherited: bool) {
    for (key, value) in variables.map(Node::entries).unwrap_or_default() {
        let value = value.get("value").unwrap_or(value);
        if let Some(name) = key.text() {
            set(all, name, value.clone(), is_inherited);
        }
    }
}

fn set(all: &mut Vec<Variable>, name: &str, value: Node, is_inherited: bool) {
    all.retain(|variable| variable.name != name);
    all.push(Variable { name: name.to_string(), value, is_inherited });
}
