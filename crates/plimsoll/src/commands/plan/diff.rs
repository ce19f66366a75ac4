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
        for line in left.scaling.iter().flat_map(|scaling| scaling.lines()) {
            let _ = writeln!(text, "    {line}");
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::inventory::autoscaler::{Amount, MemoryAutoscaler, MemoryTarget, TOLERANCE};
    use plimsoll_core::inventory::{Container, Hand, Inventory, Kind, Pod, Running, Workload, WorkloadId};
    use plimsoll_core::plan::planner::{Settings, plan};
    use plimsoll_core::plan::{Budget, Recommended};

    fn quantity(text: &str) -> Quantity {
        Quantity::try_from(text.to_string()).expect("an amount")
    }

    /// A deployment of three pods that each use so many MiB, and what scales it.
    fn scaled(name: &str, request: &str, used_mib: Option<u64>, amount: Amount, all: &mut Inventory) {
        let id = WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: name.into() };
        let sizes = Sizes { request: Some(quantity(request)), limit: Some(quantity("512Mi")) };
        let autoscaler = MemoryAutoscaler {
            name: name.into(),
            min_replicas: 2,
            max_replicas: 10,
            is_held_at_max: name == "pinned",
            tolerance_up: TOLERANCE,
            tolerance_down: TOLERANCE,
            targets: vec![MemoryTarget { container: None, amount }],
        };
        let container = Container {
            name: "app".into(),
            sizes: sizes.clone(),
            cpu: (None, None),
            restarts_on_resize: false,
            fixed_bounds: Vec::new(),
        };
        let workload = Workload {
            id: id.clone(),
            uid: name.into(),
            generation: 1,
            template_hash: 0,
            replicas: 3,
            containers: vec![container],
            hands: vec![Hand::MemoryAutoscaler(autoscaler)],
            max_unavailable: 1,
            is_settled: true,
        };
        let running = Running {
            name: "app".into(),
            desired: sizes,
            actual: None,
            restarts: 0,
            is_running: true,
            oom_kills: Vec::new(),
            used_bytes: used_mib.map(|mib| mib << 20),
            pressure: None,
        };
        let pod = Pod {
            workload: Some(id.clone()),
            uid: name.into(),
            node: None,
            is_ready: true,
            is_leaving: false,
            containers: vec![running],
            resize: None,
        };
        all.workloads.insert(id, workload);
        all.pods.insert(("shop".into(), name.into()), pod);
    }

    #[test]
    fn what_autoscalers_come_to_is_said() {
        let mut all = Inventory::default();
        scaled("fine", "512Mi", Some(200), Amount::Percent(80), &mut all);
        scaled("never", "256Mi", Some(210), Amount::Percent(80), &mut all);
        scaled("pinned", "256Mi", Some(300), Amount::Percent(80), &mut all);
        scaled("rests", "256Mi", Some(240), Amount::Bytes(300 << 20), &mut all);
        scaled("unknown", "256Mi", None, Amount::Percent(80), &mut all);
        let right = |name: &str, mib: u64| Recommended {
            workload: WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: name.into() },
            container: "app".into(),
            request: Quantity::of_bytes(mib << 20),
            limit: None,
            floor_bytes: 0,
            evidence: "read".into(),
        };
        let settings = Settings {
            id: "p".into(),
            parent: None,
            made_ms: 0,
            evidence_ms: 0,
            way: None,
            budget: Budget::default(),
        };
        let plan = plan(&all, &[right("fine", 220), right("rests", 280)], &settings);
        insta::assert_snapshot!(diff(&plan));
    }
}
