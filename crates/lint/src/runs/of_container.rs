//! Runs of containers of Kubernetes.

use super::limit::limit;
use super::walk::Walk;
use super::{Run, node};
use crate::document::{Node, shell};
use crate::kubernetes::{Container, Workload};
use crate::source::Source;

/// What a container runs, as far as its object says.
pub fn of_container(sources: &[Source], workload: &Workload, container: &Container) -> Run {
    let what = format!("container {} of {}", container.name, workload.shown());
    let mut walk = Walk::new(sources, what, String::new());
    let size = container.size("limits", "memory");
    walk.run.limit = size.and_then(|node| limit(node, container.bytes("limits")?, "limits.memory"));
    walk.run.node_major = container.node.text_at(&["image"]).and_then(node::major_of_image);
    for variable in container.node.get("env").map(Node::elements).unwrap_or_default() {
        let value = variable.get("value").and_then(|value| value.located(sources));
        if let (Some(name), Some(value)) = (variable.text_at(&["name"]), value) {
            walk.set(name, &value, false);
        }
    }
    let words = ["command", "args"].iter().flat_map(|key| container.node.get(key).map(Node::elements));
    let words = words.flatten().filter_map(|word| word.located(sources)).collect();
    walk.commands(shell::of_words(words));
    walk.done()
}
