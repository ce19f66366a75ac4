//! Right-sizing: what is requested against what is used and what is recommended, what was changed, and what was taken back.

use crate::dashboards::model::{Colour, Dashboard, LABELS_SHOWN, Look, Panel, Row, Unit};
use crate::dashboards::scope::{JOB, PROJECT, Scope};
use crate::names;

const NO_CONTROLLER: &str = "plimsoll controller is not scraped";
const NO_REQUESTS: &str = "no pod requests memory";

/// The board.
pub fn board(scope: &Scope) -> Dashboard {
    let mut variables = scope.variables(names::NONRECLAIMABLE);
    variables.push(scope.namespaces(names::NONRECLAIMABLE));
    Dashboard {
        uid: "plimsoll-sizing",
        title: "Right-sizing",
        description: "What is requested against what is used and what is recommended, what was changed, and what was taken back.",
        range: "7d",
        variables,
        marks: Vec::new(),
        rows: vec![
            Row::new("At a glance", glance(scope)),
            Row::new("Recommended and actual", sizes(scope)),
            Row::new("Changes and roll backs", changes(scope)),
            Row::new("The controller", controller(scope)),
        ],
    }
}

/// What happened in the time that is shown; 0 where a controller is there to say so.
fn happened(scope: &Scope, reasons: &str) -> String {
    let events = scope.controllers("plimsoll_controller_events_total", &format!("reason=~\"{reasons}\""));
    let zero = format!("0 * max({})", scope.controllers("plimsoll_controller_leader", ""));
    format!("sum(increase({events}[$__range]))\nor\n{zero}")
}

fn glance(scope: &Scope) -> Vec<Panel> {
    let sum = |metric: &str| format!("sum({})", most(scope, metric, ""));
    vec![
        Panel::number("Workloads governed", Unit::Count)
            .says("Workloads that a policy of the controller governs.", NO_CONTROLLER)
            .asks("workloads", sum("plimsoll_controller_workloads")),
        Panel::number("Sized", Unit::Count)
            .says("Those whose new pods have our sizes.", NO_CONTROLLER)
            .asks("sized", sum("plimsoll_controller_workloads_sized")),
        Panel::number("Left alone", Unit::Count)
            .says("Those that stay as they are; their policy's status says why.", NO_CONTROLLER)
            .asks("left alone", sum("plimsoll_controller_workloads_left_alone")),
        Panel::number("Changes in this time", Unit::Count)
            .says("Workloads that were given new sizes.", NO_CONTROLLER)
            .digits(0)
            .asks("changes", happened(scope, "MemoryResized|MemorySized")),
        Panel::number("Taken back in this time", Unit::Count)
            .says("Changes that were not borne, or not wanted any more.", NO_CONTROLLER)
            .digits(0)
            .turns(&[(1.0, Colour::Act)])
            .asks("taken back", happened(scope, "MemoryTakenBack")),
        Panel::number("Killed in this time", Unit::Count)
            .says("Containers of governed workloads that were killed for want of memory.", NO_CONTROLLER)
            .digits(0)
            .turns(&[(1.0, Colour::Bad)])
            .asks("killed", happened(scope, "OutOfMemory"))
            .leads_to("Memory", "plimsoll-memory"),
    ]
}

/// A gauge of the controller's by policy: one leads, and those that stand by say nothing of policies.
fn most(scope: &Scope, metric: &str, by: &str) -> String {
    let cluster = &scope.settings.cluster_label;
    let more = if by.is_empty() { String::new() } else { format!(", {by}") };
    format!("max by ({cluster}, namespace, policy{more}) ({})", scope.controller(metric, ""))
}

fn sizes(scope: &Scope) -> Vec<Panel> {
    let requested = most(scope, "plimsoll_controller_requested_bytes", "by");
    let highest = format!("max_over_time({}[$__range])", scope.named(names::USED));
    let build = |metric: &str| {
        format!("max by ({PROJECT}, {JOB}) ({})", scope.service(metric, &format!("{PROJECT}, {JOB}"), ""))
    };
    let all = &scope.keys.all;
    let of_request = format!(
        "max_over_time({}[$__range]) / on ({all}) ({} > 0)",
        scope.named(names::NONRECLAIMABLE),
        scope.named(names::REQUEST)
    );
    vec![
        Panel::lines("Requested and used", Unit::Bytes, Look::Lines)
            .says("All containers of the chosen namespaces: what they request, and what they use of it.", NO_REQUESTS)
            .asks("requested", format!("sum({})", scope.named(names::NAMESPACE_REQUESTED)))
            .asks("used", format!("sum({})", scope.named(names::NAMESPACE_USED))),
        Panel::lines("As people wrote it, and as it is", Unit::Bytes, Look::Lines)
            .says("Of governed workloads: what their templates request, which is what people wrote, and what their pods do, which is what was recommended and applied.", NO_CONTROLLER)
            .asks("{{by}}", format!("sum by (by) ({requested})")),
        Panel::bars("Limits that are nearly reached", Unit::Share)
            .says("The most that each container used of its limit in the time that is shown: the ten that came nearest. These want more.", "no container has a limit")
            .turns(&Scope::tiers(&scope.settings.usage))
            .up_to(1.0)
            .asks(LABELS_SHOWN, format!("sort_desc(topk(10, {highest}))")),
        Panel::bars("Limits that are hardly used", Unit::Share)
            .says("The same of the ten that stayed farthest below. These can do with less.", "no container has a limit")
            .begins(Colour::Look, &[(0.3, Colour::Good)])
            .up_to(1.0)
            .asks(LABELS_SHOWN, format!("sort(bottomk(10, {highest}))")),
        Panel::bars("Requests that are hardly used", Unit::Share)
            .says("The most that each container used of its request in the time that is shown: the 15 that used least.", NO_REQUESTS)
            .begins(Colour::Look, &[(0.5, Colour::Good)])
            .asks(LABELS_SHOWN, format!("sort(bottomk(15, {of_request}))"))
            .leads_to("What it costs", "plimsoll-cost"),
        Panel::table("Builds: recommended and actual", &[(PROJECT, "Project"), (JOB, "Job")])
            .says("What each job should be limited to, what its last run had, and what it held at most.", "no build is remembered")
            .wide(12)
            .column("Recommended limit", Unit::Bytes, build("plimsoll_build_recommended_limit_bytes"))
            .column("Had", Unit::Bytes, build("plimsoll_build_budget_bytes"))
            .column("Peak", Unit::Bytes, build("plimsoll_build_peak_bytes")),
    ]
}

fn changes(scope: &Scope) -> Vec<Panel> {
    let orders = scope.controllers("plimsoll_controller_orders_total", "");
    let events = scope.controllers("plimsoll_controller_events_total", "");
    let changed = format!("changes({}[$__range])", scope.named(names::LIMIT));
    vec![
        Panel::lines("Changes of the cluster", Unit::Count, Look::Columns)
            .digits(0)
            .says(
                "What was asked of the cluster in each step, and whether it was done.",
                "the controller has changed nothing",
            )
            .asks(
                "{{order}} {{outcome}}",
                format!("sum by (order, outcome) (increase({orders}[$__rate_interval]))"),
            ),
        Panel::lines("What happened to workloads", Unit::Count, Look::Columns)
            .digits(0)
            .says(
                "Given sizes, taken back, killed: in each step.",
                "nothing has happened to a governed workload",
            )
            .asks("{{reason}}", format!("sum by (reason) (increase({events}[$__rate_interval]))")),
        Panel::number("Limits changed in this time", Unit::Count)
            .says(
                "Times a container's limit was changed while it ran, by whomever.",
                "no container has a limit",
            )
            .digits(0)
            .asks("changes", format!("sum({changed})")),
        Panel::bars("Changed most", Unit::Count)
            .says("Containers whose limit was changed most often while they ran.", "no container has a limit")
            .digits(0)
            .wide(20)
            .asks(LABELS_SHOWN, format!("sort_desc(topk(10, {changed}))")),
    ]
}

fn controller(scope: &Scope) -> Vec<Panel> {
    let buckets = scope.controllers("plimsoll_controller_loop_seconds_bucket", "");
    vec![
        Panel::lines("Time of a round", Unit::Seconds, Look::Lines)
            .says("From one decision to the next at work: in 99 of 100 rounds no longer than this, and in half of them.", NO_CONTROLLER)
            .asks("p99", format!("histogram_quantile(0.99, sum by (le) (rate({buckets}[$__rate_interval])))"))
            .asks("median", format!("histogram_quantile(0.5, sum by (le) (rate({buckets}[$__rate_interval])))")),
        Panel::lines("Who leads", Unit::Yes, Look::Lines)
            .says("One instance leads; the others stand by.", NO_CONTROLLER)
            .asks("{{instance}}", format!("max by (instance) ({})", scope.controllers("plimsoll_controller_leader", ""))),
    ]
}
