//! The limit that a job runs within: what it asks for, where the runner lets it, else what the runner gives.

use super::Limit;
use crate::document::Node;
use crate::gitlab::runner::{Agreed, Part, Runner, agreed, bytes};
use plimsoll_core::inventory::quantity::Quantity;

/// The limit of a job's build container, by the variable that asks for it and what that comes to; `None` where it is not known.
pub fn of_job(asked: Option<(&Node, &str)>, runners: &[Runner]) -> Option<Limit> {
    let asked = asked.filter(|(_, text)| !text.is_empty());
    match (asked, agreed(runners, &Part::Build.max_key(true))) {
        // Without a most the runner ignores what jobs ask for.
        (None, _) | (Some(_), Agreed::Absent) => of_runners(runners),
        (Some((node, text)), most) => {
            let asked = amount(text)?;
            let is_allowed = match most {
                Agreed::Same(most) => bytes(most).is_none_or(|most| asked <= most),
                _ => true,
            };
            let shown = format!("{text} ({})", Part::Build.variable(true));
            // The job does not run with more than the most; a rule of its own says so.
            is_allowed.then_some(Limit { bytes: asked, shown, span: node.span })
        }
    }
}

fn amount(text: &str) -> Option<u64> {
    Some(Quantity::try_from(text.to_string()).ok()?.bytes()).filter(|bytes| *bytes > 0)
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
