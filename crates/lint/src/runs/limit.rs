//! The limit that a job runs within: what it asks for, where the runner lets it, else what the runner gives.

use super::Limit;
use crate::document::Node;
use crate::gitlab::runner::{Agreed, Part, Runner, agreed, bytes};

/// The limit of a job's build container; `None` where that is not known.
pub fn of_job(asked: Option<&Node>, runners: &[Runner]) -> Option<Limit> {
    let variable = Part::Build.variable(true);
    let asked = asked.and_then(|node| limit(node, bytes(node)?, &variable));
    match (asked, agreed(runners, &Part::Build.max_key(true))) {
        (Some(asked), Agreed::NoRunner | Agreed::Unsure) => Some(asked),
        // The job does not run with more than the most; a rule of its own says so.
        (Some(asked), Agreed::Same(most)) => {
            bytes(most).is_none_or(|most| asked.bytes <= most).then_some(asked)
        }
        // Without a most the runner ignores what jobs ask for.
        (_, _) => of_runners(runners),
    }
}

/// What all runners give.
pub fn of_runners(runners: &[Runner]) -> Option<Limit> {
    let key = Part::Build.key(true);
    match agreed(runners, &key) {
        Agreed::Same(node) => limit(node, bytes(node)?, &format!("{key} of the runner")),
        _ => None,
    }
}

/// A limit that a node says, and whose it is.
pub fn limit(node: &Node, bytes: u64, whose: &str) -> Option<Limit> {
    let shown = format!("{} ({whose})", node.text()?);
    Some(Limit { bytes, shown, span: node.span })
}
