//! What a namespace allows: ResourceQuotas and LimitRanges.

use crate::document::Node;
use crate::source::Span;

/// A bound of memory.
#[derive(Debug, Clone)]
pub struct Bound {
    /// Kind and name of the object.
    pub shown: String,
    /// What it bounds.
    pub of: Bounded,
    /// How much.
    pub bytes: u64,
    /// As it is written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// Containers that name no limit are given one.
    pub has_default: bool,
}

/// What a bound is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounded {
    /// The limits of all pods of the namespace together.
    Limits,
    /// Their requests.
    Requests,
    /// The limits of one pod.
    Pod,
}

impl Bound {
    /// The bounds that an object sets.
    pub fn all(object: &Node) -> Vec<Bound> {
        let found: Vec<(Bounded, &Node)> = match object.text_at(&["kind"]) {
            Some("ResourceQuota") => {
                let hard = |key| object.at(&["spec", "hard", key]);
                let limits = hard("limits.memory").map(|node| (Bounded::Limits, node));
                let requests = hard("requests.memory").or_else(|| hard("memory"));
                limits.into_iter().chain(requests.map(|node| (Bounded::Requests, node))).collect()
            }
            Some("LimitRange") => {
                let all = object.at(&["spec", "limits"]).map(Node::elements).unwrap_or_default();
                let of_pods = all.iter().filter(|limit| limit.text_at(&["type"]) == Some("Pod"));
                of_pods.filter_map(|limit| Some((Bounded::Pod, limit.at(&["max", "memory"])?))).collect()
            }
            _ => Vec::new(),
        };
        let kind = object.text_at(&["kind"]).unwrap_or_default();
        let name = object.text_at(&["metadata", "name"]).unwrap_or("without name");
        let has_default = gives_limits(object);
        let bound = |(of, node): (Bounded, &Node)| {
            Some(Bound {
                shown: format!("{kind} {name}"),
                of,
                bytes: super::bytes(node)?,
                text: node.text()?.to_string(),
                span: node.span,
                has_default,
            })
        };
        found.into_iter().filter_map(bound).collect()
    }
}

/// Whether an object has containers get limits that name none.
pub fn gives_limits(object: &Node) -> bool {
    let all = object.at(&["spec", "limits"]).map(Node::elements).unwrap_or_default();
    object.text_at(&["kind"]) == Some("LimitRange")
        && all.iter().any(|limit| limit.at(&["default", "memory"]).is_some())
}
