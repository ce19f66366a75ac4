//! GitLab: pipelines as jobs run them, and the runners that run them.

pub mod include;
pub mod job;
pub mod merge;
pub mod runner;

use crate::document::Node;
use std::collections::BTreeSet;

/// A `.gitlab-ci.yml` with all that it includes.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Everything merged, as GitLab does before it looks at jobs.
    pub tree: Node,
    /// Files it was made of.
    pub files: BTreeSet<usize>,
    /// False where something is included that is not here: a rule may not say what is not there.
    pub is_whole: bool,
}

/// Keys at the top that are no jobs.
const NO_JOBS: [&str; 13] = [
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "types",
    "variables",
    "workflow",
    "!reference",
];

impl Pipeline {
    /// What runs: jobs, then templates that nothing here uses, as they are for pipelines that include this one.
    pub fn jobs(&self) -> Vec<job::Job> {
        let mut used = BTreeSet::new();
        for (_, node) in self.tree.entries() {
            let parents = node.get("extends").map(Node::one_or_more).unwrap_or_default();
            used.extend(parents.iter().filter_map(|parent| parent.text()));
            referenced(node, &mut used);
        }
        let named = self.tree.entries().iter().filter_map(|(key, node)| Some((key, key.text()?, node)));
        let all = named.filter(|(_, name, node)| !NO_JOBS.contains(name) && !node.entries().is_empty());
        let (templates, jobs): (Vec<_>, Vec<_>) = all.partition(|(_, name, _)| name.starts_with('.'));
        let unused = templates.into_iter().filter(|(_, name, _)| !used.contains(name));
        let all = jobs.into_iter().chain(unused);
        let defaults = job::defaults(&self.tree);
        all.map(|(key, _, node)| job::Job::new(self, key, node, &defaults)).collect()
    }
}

/// The names that `!reference` begins with, in and below a node.
fn referenced<'a>(node: &'a Node, names: &mut BTreeSet<&'a str>) {
    if node.tag.as_deref() == Some("reference") {
        names.extend(node.elements().first().and_then(Node::text));
    }
    node.elements().iter().for_each(|element| referenced(element, names));
    node.entries().iter().for_each(|(_, value)| referenced(value, names));
}

/// True where a tree looks like a pipeline: something at its top has a script, or only pipelines have such a key.
pub fn is_pipeline(tree: &Node) -> bool {
    let has = |node: &Node| ["script", "extends", "trigger"].iter().any(|key| node.get(key).is_some());
    let includes = tree.get("include").is_some() && tree.get("kind").is_none();
    includes || tree.get("stages").is_some() || tree.entries().iter().any(|(_, node)| has(node))
}
