//! A plan as a diff for people.

use crate::render::table::table;
use plimsoll_core::inventory::Sizes;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::plan::{Change, ContainerChange, Plan, Way};
use plimsoll_core::size::human;
use std::fmt::Write;

/// The whole of it, with a newline at its end.
pub(super) fn diff(plan: &Plan) -> String {
    let mut text = format!("plan {}", plan.id);
    if let Some(parent) = &plan.parent {
        let _ = write!(text, ", after {parent}");
    }
    text.push_str("\n\n");
    if plan.changes.is_empty() {
        text.push_str("nothing is to be changed\n");
    } else {
        let head = ["workload", "container", "pods", "way", "request", "limit", "why"];
        let rows = plan.changes.iter().flat_map(rows);
        text += &table(&std::iter::once(head.map(String::from).to_vec()).chain(rows).collect::<Vec<_>>());
        text += &totals(plan);
    }
    for change in &plan.changes {
        for warning in &change.warnings {
            let _ = writeln!(text, "note: {}: {warning}", change.workload);
        }
    }
    if !plan.left_alone.is_empty() {
        text.push_str("\nleft alone:\n");
    }
    for left in &plan.left_alone {
        let container = left.container.as_ref().map_or(String::new(), |name| format!(", {name}"));
        let _ = writeln!(text, "- {}{container}: {}", left.workload, left.reason);
    }
    text
}

fn rows(change: &Change) -> Vec<Vec<String>> {
    let way = match change.way {
        Way::InPlace => "in place",
        Way::Rollout => "rollout",
    };
    let row = |container: &ContainerChange| {
        let ContainerChange { name, before, after, evidence, .. } = container;
        let size = |of: fn(&Sizes) -> &Option<Quantity>| moved(of(before), of(after));
        vec![
            change.workload.to_string(),
            name.clone(),
            change.replicas.to_string(),
            way.to_string(),
            size(|sizes| &sizes.request),
            size(|sizes| &sizes.limit),
            evidence.clone(),
        ]
    };
    change.containers.iter().map(row).collect()
}

fn moved(before: &Option<Quantity>, after: &Option<Quantity>) -> String {
    let text = |size: &Option<Quantity>| size.as_ref().map_or("none".to_string(), ToString::to_string);
    if before == after { text(before) } else { format!("{} -> {}", text(before), text(after)) }
}

fn totals(plan: &Plan) -> String {
    let totals = &plan.totals;
    let change = |before: u64, after: u64| match before {
        0 => String::new(),
        _ => format!(" ({:+.0} %)", (after as f64 / before as f64 - 1.0) * 100.0),
    };
    let (before, after) = (totals.request_before_bytes, totals.request_after_bytes);
    format!("\nrequests of what changes: {} -> {}{}\n", human(before), human(after), change(before, after))
}
