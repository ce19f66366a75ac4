//! HorizontalPodAutoscalers that go by memory, as they are written.

use crate::document::Node;
use crate::source::Span;
use plimsoll_core::inventory::autoscaler::{Amount, MemoryAutoscaler, MemoryTarget, TOLERANCE};

/// One, and what it is about.
#[derive(Debug, Clone)]
pub struct Autoscaler {
    /// Kind and name of what it scales.
    pub target: (String, String),
    /// What core knows it by; it has exactly one target.
    pub of: MemoryAutoscaler,
    /// Where the target's number is.
    pub span: Span,
}

impl Autoscaler {
    /// One for each metric of an object that is memory.
    pub fn all(object: &Node) -> Vec<Autoscaler> {
        if object.text_at(&["kind"]) != Some("HorizontalPodAutoscaler") {
            return Vec::new();
        }
        let metrics = object.at(&["spec", "metrics"]).map(Node::elements).unwrap_or_default();
        metrics.iter().filter_map(|metric| one(object, metric)).collect()
    }
}

fn one(object: &Node, metric: &Node) -> Option<Autoscaler> {
    let spec = object.get("spec")?;
    let of = metric.get("resource").or_else(|| metric.get("containerResource"))?;
    if of.text_at(&["name"])? != "memory" {
        return None;
    }
    let percent = of.at(&["target", "averageUtilization"]);
    let value = of.at(&["target", "averageValue"]);
    let (node, amount) = match (percent, value) {
        (Some(node), _) => (node, Amount::Percent(node.text()?.parse().ok()?)),
        (None, Some(node)) => (node, Amount::Bytes(super::bytes(node)?)),
        (None, None) => return None,
    };
    let number = |key: &str| spec.text_at(&[key]).and_then(|text| text.parse::<u32>().ok());
    let reference = |key: &str| Some(spec.text_at(&["scaleTargetRef", key])?.to_string());
    Some(Autoscaler {
        target: (reference("kind")?, reference("name")?),
        of: MemoryAutoscaler {
            name: object.text_at(&["metadata", "name"]).unwrap_or("without name").to_string(),
            min_replicas: number("minReplicas").unwrap_or(1).max(1),
            max_replicas: number("maxReplicas")?,
            is_held_at_max: false,
            tolerance_up: TOLERANCE,
            tolerance_down: TOLERANCE,
            targets: vec![MemoryTarget { container: of.text_at(&["container"]).map(String::from), amount }],
        },
        span: node.span,
    })
}
