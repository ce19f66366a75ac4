//! Every query of every panel is answered: the engine of a real Prometheus (`promtool test rules`) evaluates our recording rules on
//! series as the agent, the service, the controller and kube-state-metrics show them, and is asked what the panels ask.

use crate::all;
use plimsoll_monitoring::dashboards::{Query, Substitution};
use plimsoll_monitoring::form;
use plimsoll_monitoring::settings::Settings;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

/// A cluster with an agent on each node, the service, the controller and kube-state-metrics.
const CLUSTER: &str = include_str!("cluster.yaml");
/// A machine with an agent, the service and a build of a CI, and no Kubernetes.
const MACHINE: &str = include_str!("machine.yaml");
/// When they are asked: all windows of rules that begin to answer at once are full.
const AT: &str = "118m";

fn queries() -> Vec<Query> {
    all().iter().flat_map(|board| board.queries(&Substitution::default())).collect()
}

/// What promtool says when each query has to have an answer; nothing where all have.
fn asked(series: &str, queries: &[Query]) -> String {
    // One sample, 1, of whatever there is.
    let one = |query: &Query| (format!("group({})", query.expr), 1.0);
    told(series, queries.iter().map(one))
}

/// What promtool says when each expression has to come to one sample without labels, of this value.
fn told(series: &str, expect: impl Iterator<Item = (String, f64)>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let groups: Vec<_> =
        form::files(&Settings::default()).unwrap().into_iter().flat_map(|(_, groups)| groups).collect();
    std::fs::write(folder.path().join("rules.yaml"), form::plain(&groups)).unwrap();
    let series: Value = serde_saphyr::from_str(series).unwrap();
    let ask = |(expr, value): (String, f64)| json!({"expr": expr, "eval_time": AT, "exp_samples": [{"labels": "{}", "value": value}]});
    let test = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": expect.map(ask).collect::<Vec<_>>(),
        }],
    });
    // JSON is YAML.
    std::fs::write(folder.path().join("test.yaml"), test.to_string()).unwrap();
    let done = Command::new("promtool")
        .args(["test", "rules", "test.yaml"])
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("promtool: {error}\nmake tools gets it"));
    if done.status.success() {
        return String::new();
    }
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

/// What the numbers people decide by come to, of the cluster's series, over an hour.
#[test]
fn what_is_said_is_what_is() {
    const GIB: f64 = (1u64 << 30) as f64;
    let month = |bytes: f64| bytes / GIB * Settings::default().cost.memory_gib_hour * 730.0;
    // Bytes in use after 118 minutes, and what is requested then and an hour before.
    let (web, build) = (300_118_000.0, 500e6);
    let (requested, before) = (700e6, 800e6);
    let expect = [
        ("plimsoll-memory", "Used of limits", 0, (web + build) / 3e9),
        ("plimsoll-memory", "Nearest to its limit", 0, web / 1e9),
        ("plimsoll-memory", "Efficiency", 0, web / requested),
        ("plimsoll-memory", "Containers watched", 0, 2.0),
        ("plimsoll-memory", "OOM kills in this time", 0, 2.0),
        ("plimsoll-memory", "Killed in this time, by owner", 0, 2.0),
        ("plimsoll-memory", "All tasks wait", 0, 1.0 / 60.0),
        ("plimsoll-memory", "Growth in an hour", 0, 60_000.0),
        ("plimsoll-memory", "Heap of its limit", 0, 0.225),
        ("plimsoll-capacity", "Promised of all there may be", 0, 0.25),
        ("plimsoll-capacity", "People there", 0, 12.0),
        ("plimsoll-capacity", "Memory by role", 0, 600e6),
        ("plimsoll-capacity", "People in a pod", 0, 6.0),
        // Two pods and twelve people are expected to take what they take.
        ("plimsoll-capacity", "Predicted and used", 0, 1e9),
        ("plimsoll-capacity", "Predicted and used", 1, 1e9),
        ("plimsoll-capacity", "Predicted and used", 2, 1e9),
        ("plimsoll-capacity", "Memory of the next day's experiments", 0, 600e6),
        // What requests more than it uses pays for the request.
        ("plimsoll-cost", "A month", 0, month(requested + build)),
        ("plimsoll-cost", "Saving possible, a month", 0, month(requested - web)),
        ("plimsoll-cost", "Saved in this time, a month", 0, month(before - requested)),
        ("plimsoll-cost", "Paid and used, a month", 1, month(web + build)),
        ("plimsoll-cost", "By role, a month", 0, month(600e6)),
        ("plimsoll-cost", "By experiment, an hour", 0, month(600e6) / 730.0),
        // Prometheus before 3 counts both ends of an hour.
        ("plimsoll-cost", "CI jobs in this time", 0, month(build) / 730.0 * 61.0 / 60.0),
        ("plimsoll-cost", "Nodes, a month", 0, 60.0),
        ("plimsoll-builds", "Success rate", 0, 0.9),
        ("plimsoll-builds", "Attempts a run", 0, 1.2),
        ("plimsoll-builds", "Kills that cost no build", 0, 2.0),
        ("plimsoll-builds", "Peak of the budget", 0, 0.75),
        ("plimsoll-builds", "Cleanup efficiency", 0, 400.0 / 900.0),
        ("plimsoll-sizing", "Changes in this time", 0, 60.0),
        ("plimsoll-sizing", "Requests that are hardly used", 0, web / requested),
    ];
    let hour = Substitution { range: "1h".to_string(), ..Substitution::default() };
    let all: Vec<Query> = all().iter().flat_map(|board| board.queries(&hour)).collect();
    let of = |(board, panel, at, value): &(&str, &str, usize, f64)| {
        let mut asks = all.iter().filter(|it| it.board == *board && it.panel == *panel);
        let query = asks.nth(*at).unwrap_or_else(|| panic!("{board}: {panel}"));
        // Closely: a group of rules may see what another has recorded a minute before.
        (format!("abs(max({}) / {value} - 1) < bool 1e-5", query.expr), 1.0)
    };
    let said = told(CLUSTER, expect.iter().map(of));
    assert!(said.is_empty(), "{said}");
}

#[test]
fn every_query_is_answered_in_a_cluster() {
    let said = asked(CLUSTER, &queries());
    assert!(said.is_empty(), "{said}");
}

/// What a query is said to need is all that it needs.
#[test]
fn what_needs_no_kubernetes_is_answered_on_a_machine() {
    let elsewhere = BTreeSet::from(["kubernetes", "controller", "requests"]);
    let all: Vec<Query> = queries().into_iter().filter(|it| it.needs.is_disjoint(&elsewhere)).collect();
    assert!(all.len() > 60, "{}", all.len());
    let said = asked(MACHINE, &all);
    assert!(said.is_empty(), "{said}");
}

/// What is not known is no 0: where nobody of ours is scraped, nothing is answered.
#[test]
fn nothing_is_answered_where_nothing_is_known() {
    let elsewhere = r#"[{"series": "up{job=\"other\"}", "values": "1x120"}]"#;
    let all = queries();
    let said = asked(elsewhere, &all);
    // promtool tells each query that has no answer in a line of its own.
    let unanswered = said.lines().filter(|line| line.trim_start().starts_with("expr:")).count();
    assert_eq!(unanswered, all.len(), "{said}");
}
