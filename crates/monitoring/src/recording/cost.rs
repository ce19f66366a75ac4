//! What memory costs: of a node, a container, a workload, a role, a day.
//!
//! Prices are OpenCost's where it tells them (`node_total_hourly_cost`, `node_ram_hourly_cost` per GiB), else those that are set. Nodes
//! are those that OpenCost, kube-state-metrics or an agent knows. A container pays for what it requests or uses, whichever is more, as in OpenCost.

use super::group as named;
use super::promql::{Keys, braces, least, with};
use crate::names;
use crate::rule::{Group, Rule};
use crate::settings::Settings;

/// Hours of a month, as cloud providers count.
const MONTH_HOURS: f64 = 730.0;
const GIB: &str = "1073741824";

pub(super) fn group(settings: &Settings) -> Group {
    let cluster = &settings.cluster_label;
    let keys = Keys::of(settings);
    let s = &settings.selectors;
    let node_hour = settings.cost.node_month / MONTH_HOURS;
    let nodes_of = |metric: &str| format!("max by ({cluster}, node) ({metric} * 0 + {node_hour})");
    // Where nobody else tells of nodes, those are known that an agent runs on.
    let node = format!(
        "max by ({cluster}, node) ({})\nor\n{}\nor\n{}",
        with("node_total_hourly_cost", &s.prices),
        nodes_of(&with("kube_node_info", &s.kube_state_metrics)),
        nodes_of(&braces("plimsoll_container_info", &[&s.agent, r#"node!="""#])),
    );
    let gib = format!(
        "avg by ({cluster}) ({})\nor\ngroup by ({cluster}) ({}) * {}",
        with("node_ram_hourly_cost", &s.prices),
        names::NONRECLAIMABLE,
        settings.cost.memory_gib_hour,
    );
    // The more of the two is less the less: neither is negative.
    let (used, requested) = (names::NONRECLAIMABLE, names::REQUEST);
    let paid = format!(
        "(({used} > on ({all}) {requested}) or on ({all}) {requested} or on ({all}) {used})",
        all = keys.all
    );
    let price = format!("on ({cluster}) group_left () {}", names::GIB_COST);
    let waste = least(&[names::CLUSTER_USED.to_string(), names::CLUSTER_REQUESTED.to_string()]);
    named(
        settings,
        "cost",
        vec![
            Rule::record(names::NODE_COST, node),
            Rule::record(names::GIB_COST, gib),
            Rule::record(names::CONTAINER_COST, format!("{paid} / {GIB} * {price}")),
            Rule::record(
                names::WORKLOAD_COST,
                format!(
                    "sum by ({cluster}, namespace, workload_kind, workload, ci_project, ci_job) (\n  {} * on ({}) group_left (workload_kind, workload, ci_project, ci_job) {}\n)",
                    names::CONTAINER_COST,
                    keys.all,
                    names::OWNER,
                ),
            ),
            Rule::record(names::ROLE_COST, format!("{} / {GIB} * {price}", names::ROLE_MEMORY)),
            Rule::record(
                names::CLUSTER_WASTE,
                format!("({} - on ({cluster}) {waste}) / {GIB} * {price}", names::CLUSTER_REQUESTED),
            ),
            Rule::record(names::CLUSTER_COST, format!("sum by ({cluster}) ({})", names::CONTAINER_COST)),
            Rule::record(names::CLUSTER_DAY_COST, format!("24 * avg_over_time({}[1d])", names::CLUSTER_COST)),
        ],
    )
}
