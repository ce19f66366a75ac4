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
    let folder = tempfile::tempdir().unwrap();
    let groups: Vec<_> =
        form::files(&Settings::default()).unwrap().into_iter().flat_map(|(_, groups)| groups).collect();
    std::fs::write(folder.path().join("rules.yaml"), form::plain(&groups)).unwrap();
    let series: Value = serde_saphyr::from_str(series).unwrap();
    // One sample, 1, of whatever there is.
    let ask = |query: &Query| {
        let expect = json!([{"labels": "{}", "value": 1}]);
        json!({"expr": format!("group({})", query.expr), "eval_time": AT, "exp_samples": expect})
    };
    let test = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": queries.iter().map(ask).collect::<Vec<_>>(),
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
