//! How GitLab puts configuration together: maps are merged key by key, of anything else the later counts.

use crate::document::{Node, Value};

/// How many `extends` stand behind one another at most, and how deep `!reference` goes
/// (<https://docs.gitlab.com/ci/yaml/#extends>, <https://docs.gitlab.com/ci/yaml/yaml_optimization/#reference-tags>).
const LEVELS_MAX: usize = 11;
/// Most parents of a job in all: each may have several.
const PARENTS_MAX: usize = 500;
/// Most values that references of a job may come to.
const VALUES_MAX: usize = 20_000;

/// `over` put over `base`.
pub fn merge(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (Value::Map(mut entries), Value::Map(more)) => {
            for (key, value) in more {
                let same = key
                    .text()
                    .and_then(|name| entries.iter().rposition(|(other, _)| other.text() == Some(name)));
                match same {
                    Some(at) => {
                        let (_, old) = entries.remove(at);
                        entries.insert(at, (key, merge(old, value)));
                    }
                    None => entries.push((key, value)),
                }
            }
            Node { value: Value::Map(entries), span: over.span, tag: over.tag }
        }
        (_, value) => Node { value, span: over.span, tag: over.tag },
    }
}

/// A job with what it extends; it is not whole where a parent is not here.
pub fn with_parents(tree: &Node, job: &Node, is_whole: &mut bool) -> Node {
    let mut left = PARENTS_MAX;
    extended(tree, job, LEVELS_MAX, &mut left, is_whole)
}

fn extended(tree: &Node, job: &Node, levels: usize, left: &mut usize, is_whole: &mut bool) -> Node {
    let Some(parents) = job.get("extends").map(Node::one_or_more) else { return job.clone() };
    let mut all: Option<Node> = None;
    for parent in parents {
        let found = parent.text().and_then(|name| tree.get(name));
        *left = left.saturating_sub(1);
        let Some(found) = found.filter(|_| levels > 0 && *left > 0) else {
            *is_whole = false;
            continue;
        };
        let found = extended(tree, found, levels - 1, left, is_whole);
        all = Some(match all {
            Some(before) => merge(before, found),
            None => found,
        });
    }
    match all {
        Some(base) => merge(base, job.clone()),
        None => job.clone(),
    }
}

/// `!reference [job, key]` put in; in a list its elements take its place.
pub fn referenced(tree: &Node, node: Node, is_whole: &mut bool) -> Node {
    let mut left = VALUES_MAX;
    put_in(tree, node, LEVELS_MAX, &mut left, is_whole)
}

fn put_in(tree: &Node, node: Node, levels: usize, left: &mut usize, is_whole: &mut bool) -> Node {
    *left = left.saturating_sub(1);
    if node.tag.as_deref() == Some("reference") {
        let names: Vec<&str> = node.elements().iter().filter_map(Node::text).collect();
        return match tree.at(&names).filter(|_| levels > 0 && *left > 0) {
            Some(found) => put_in(tree, found.clone(), levels - 1, left, is_whole),
            None => {
                *is_whole = false;
                Node { tag: None, value: Value::List(Vec::new()), ..node }
            }
        };
    }
    let value = match node.value {
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key, put_in(tree, value, levels, left, is_whole)))
                .collect(),
        ),
        Value::List(elements) => Value::List(
            elements
                .into_iter()
                .flat_map(|element| {
                    let is_reference = element.tag.as_deref() == Some("reference");
                    let element = put_in(tree, element, levels, left, is_whole);
                    match element.value {
                        Value::List(inner) if is_reference => inner,
                        value => vec![Node { value, span: element.span, tag: element.tag }],
                    }
                })
                .collect(),
        ),
        scalar => scalar,
    };
    Node { value, ..node }
}
