//! Objects of Kubernetes, as far as they are about memory.

pub mod autoscaler;
pub mod quota;

use crate::document::Node;
use plimsoll_core::inventory::quantity::Quantity;

/// Something that makes pods, or a pod.
#[derive(Debug, Clone)]
pub struct Workload {
    /// `Deployment`, `Pod`, ...
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// Its containers; those that run before them come first.
    pub containers: Vec<Container>,
}

/// A container.
#[derive(Debug, Clone)]
pub struct Container {
    /// What it is called.
    pub name: String,
    /// All of it.
    pub node: Node,
    /// It ends before the others begin.
    pub is_init: bool,
}

impl Workload {
    /// The workload that an object is, if it is one.
    pub fn of(object: &Node) -> Option<Workload> {
        let pod = match object.text_at(&["kind"])? {
            "Pod" => object.get("spec")?,
            "CronJob" => object.at(&["spec", "jobTemplate", "spec", "template", "spec"])?,
            _ => object.at(&["spec", "template", "spec"])?,
        };
        let containers = |key: &str, is_init: bool| {
            let all = pod.get(key).map(Node::elements).unwrap_or_default();
            all.iter().map(move |node| Container {
                name: node.text_at(&["name"]).unwrap_or("without name").to_string(),
                node: node.clone(),
                // One that starts over is a sidecar.
                is_init: is_init && node.text_at(&["restartPolicy"]) != Some("Always"),
            })
        };
        let all: Vec<Container> =
            containers("initContainers", true).chain(containers("containers", false)).collect();
        (!all.is_empty()).then(|| Workload {
            kind: object.text_at(&["kind"]).unwrap_or_default().to_string(),
            name: object.text_at(&["metadata", "name"]).unwrap_or("without name").to_string(),
            containers: all,
        })
    }

    /// As people say it.
    pub fn shown(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

impl Container {
    /// What it is given of `memory` or `cpu`: `limits` or `requests`.
    pub fn size(&self, which: &str, of: &str) -> Option<&Node> {
        self.node.at(&["resources", which, of]).filter(|node| !node.is_null())
    }

    /// Memory in bytes, as Kubernetes reads it.
    pub fn bytes(&self, which: &str) -> Option<u64> {
        bytes(self.size(which, "memory")?)
    }
}

/// An amount in bytes.
pub fn bytes(node: &Node) -> Option<u64> {
    Some(Quantity::try_from(node.text()?.to_string()).ok()?.bytes())
}

/// The objects of documents, lists taken apart.
pub fn objects(documents: Vec<Node>) -> Vec<Node> {
    let apart = |node: Node| match node.get("items") {
        Some(items) if node.text_at(&["kind"]).is_some_and(|kind| kind.ends_with("List")) => {
            items.elements().to_vec()
        }
        _ => vec![node],
    };
    documents.into_iter().flat_map(apart).collect()
}
