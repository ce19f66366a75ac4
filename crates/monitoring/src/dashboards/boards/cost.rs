//! Cost Analysis: what memory costs, for whom, and what of that buys nothing.

use crate::dashboards::model::{Colour, Dashboard, Look, Panel, Row, Unit};
use crate::dashboards::scope::{GIB, MONTH_HOURS, Scope};
use crate::names;

const NOBODY_WATCHES: &str = "no container is watched";
const NO_REQUESTS: &str = "no pod requests memory";

/// The board.
pub fn board(scope: &Scope) -> Dashboard {
    let mut variables = scope.variables(names::NONRECLAIMABLE);
    variables.push(scope.namespaces(names::NONRECLAIMABLE));
    Dashboard {
        uid: "plimsoll-cost",
        title: "Cost Analysis",
        description: "What memory costs, for whom, and what of that buys nothing. A container pays for what it requests or uses, whichever is more; a month has 730 hours. Prices are OpenCost's where it tells them, else those that are set.",
        range: "7d",
        variables,
        marks: Vec::new(),
        rows: vec![
            Row::new("At a glance", glance(scope)),
            Row::new("What is paid", paid(scope)),
            Row::new("By whom", by_whom(scope)),
            Row::new("Savings and efficiency", savings(scope)),
        ],
    }
}

fn money(scope: &Scope) -> Unit {
    Unit::Money(scope.settings.cost.currency)
}

/// What is requested and not used in the chosen namespaces, in money per month.
fn unused(scope: &Scope) -> String {
    let cluster = &scope.settings.cluster_label;
    let bytes = format!(
        "clamp_min({} - on ({cluster}, namespace) {}, 0)",
        scope.named(names::NAMESPACE_REQUESTED),
        scope.named(names::NAMESPACE_USED)
    );
    scope.priced(&bytes)
}

fn glance(scope: &Scope) -> Vec<Panel> {
    let cluster = &scope.settings.cluster_label;
    let money = money(scope);
    let requested = scope.named(names::NAMESPACE_REQUESTED);
    let less = format!("({requested} offset $__range - on ({cluster}, namespace) {requested})");
    vec![
        Panel::number("A month", money)
            .says("What the memory of the chosen containers costs in a month, at what they hold and request now.", NOBODY_WATCHES)
            .digits(2)
            .asks("a month", format!("sum({}) * {MONTH_HOURS}", scope.named(names::CONTAINER_COST))),
        Panel::number("The last day", money)
            .says("What was spent on memory within the last 24 hours, in whole clusters; the price of now holds for all of it.", NOBODY_WATCHES)
            .digits(2)
            .asks("a day", format!("sum({})", scope.whole(names::CLUSTER_DAY_COST))),
        Panel::number("Nodes, a month", money)
            .says("What all nodes cost in a month.", "no node is known (an agent, kube-state-metrics or OpenCost tell)")
            .digits(2)
            .asks("a month", format!("sum({}) * {MONTH_HOURS}", scope.whole(names::NODE_COST))),
        Panel::number("Saving possible, a month", money)
            .says("What is requested and not used. All of it cannot be saved: use moves, and wants room.", NO_REQUESTS)
            .digits(2)
            .begins(Colour::Look, &[])
            .asks("a month", format!("sum({})", unused(scope)))
            .leads_to("Right-sizing", "plimsoll-sizing"),
        Panel::number("Saved in this time, a month", money)
            .says("What was requested when this time began less what is now, at the price of now: negative where more is.", "no requests are known from when this time began")
            .digits(2)
            .begins(Colour::Bad, &[(0.0, Colour::Good)])
            .asks("a month", format!("sum({})", scope.priced(&less))),
        Panel::dial("Efficiency")
            .says("Used of what is requested.", NO_REQUESTS)
            .begins(Colour::Look, &[(0.5, Colour::Good), (0.95, Colour::Act)])
            .asks(
                "of requests",
                format!("sum({}) / sum({requested})", scope.named(names::NAMESPACE_USED)),
            ),
    ]
}

fn paid(scope: &Scope) -> Vec<Panel> {
    let cost = scope.named(names::CONTAINER_COST);
    vec![
        Panel::lines("Paid and used, a month", money(scope), Look::Lines)
            .says("What all chosen containers cost in a month, and what of that pays for memory in use.", NOBODY_WATCHES)
            .asks("paid", format!("sum({cost}) * {MONTH_HOURS}"))
            .asks("used", format!("sum({})", scope.priced(&scope.named(names::NONRECLAIMABLE)))),
        Panel::lines("By namespace, a month", money(scope), Look::Stacked)
            .says("What the containers of each namespace cost in a month; what has no namespace is on a host without Kubernetes.", NOBODY_WATCHES)
            .asks("{{namespace}}", format!("sum by (namespace) ({cost}) * {MONTH_HOURS}")),
        Panel::number("A GiB, a month", money(scope))
            .says("The price that all is reckoned by; the mean, where clusters differ.", NOBODY_WATCHES)
            .digits(2)
            .asks("a GiB", format!("avg({}) * {MONTH_HOURS}", scope.whole(names::GIB_COST))),
        Panel::bars("Workloads that cost most, a month", money(scope))
            .says("The 15 workloads whose containers cost most.", "no container's owner is known")
            .wide(20)
            .digits(2)
            .asks(
                "{{namespace}} {{workload_kind}} {{workload}}",
                format!(
                    "topk(15, sum by (namespace, workload_kind, workload) ({}) * {MONTH_HOURS})",
                    scope.named(names::WORKLOAD_COST)
                ),
            ),
    ]
}

fn by_whom(scope: &Scope) -> Vec<Panel> {
    let cluster = &scope.settings.cluster_label;
    let projected =
        scope.service("hyperstudy_experiment_memory_projection_mb", "experiment_id", "by=\"plimsoll\"");
    vec![
        Panel::lines("By role, a month", money(scope), Look::Stacked)
            .says("What the memory of people of a role costs in a month, at as many as are there.", "nobody was observed in the last five minutes")
            .asks("{{role}}", format!("sum by (role) ({}) * {MONTH_HOURS}", scope.whole(names::ROLE_COST)))
            .leads_to("Who is there", "plimsoll-capacity"),
        Panel::bars("By experiment, an hour", money(scope))
            .says("What the memory of the people of an experiment of the next day costs for each hour it runs.", "no experiment is reserved for the next day")
            .digits(4)
            .asks(
                "{{experiment_id}}",
                format!(
                    "sort_desc(sum by (experiment_id) (1e6 * {projected} / {GIB} * on ({cluster}) group_left () {}))",
                    scope.whole(names::GIB_COST)
                ),
            ),
        Panel::bars("CI jobs in this time", money(scope))
            .says("What the memory of jobs has cost in the time that is shown: the 15 that cost most.", "no build of a CI was seen in this time")
            .digits(4)
            .wide(24)
            .asks(
                "{{ci_project}} {{ci_job}}",
                format!(
                    "topk(15, sum by (ci_project, ci_job) (sum_over_time({}[$__range:1m])) / 60)",
                    scope.named_where(names::WORKLOAD_COST, "ci_job!=\"\"")
                ),
            )
            .leads_to("Builds", "plimsoll-builds"),
    ]
}

fn savings(scope: &Scope) -> Vec<Panel> {
    vec![
        Panel::lines("Saving possible by namespace, a month", money(scope), Look::Stacked)
            .says("What is requested and not used, in money.", NO_REQUESTS)
            .asks("{{namespace}}", format!("sum by (namespace) ({})", unused(scope))),
        Panel::lines("Efficiency by namespace", Unit::Share, Look::Lines)
            .says("Used of what is requested.", NO_REQUESTS)
            .asks(
                "{{namespace}}",
                format!("max by (namespace) ({})", scope.named(names::NAMESPACE_EFFICIENCY)),
            ),
        Panel::lines("Requested", Unit::Bytes, Look::Stacked)
            .says(
                "What the pods of each namespace request: what falls here is saved once nodes can go.",
                NO_REQUESTS,
            )
            .wide(24)
            .asks(
                "{{namespace}}",
                format!("sum by (namespace) ({})", scope.named(names::NAMESPACE_REQUESTED)),
            ),
    ]
}
