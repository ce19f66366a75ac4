//! The linter's rules hold for all boards, and each rule finds what it is for.

use crate::all;
use crate::linter::{RULES, lint};
use plimsoll_monitoring::dashboards::EXCLUDED;
use serde_json::{Value, json};

fn boards() -> Vec<Value> {
    all().iter().map(|board| serde_json::from_str(&board.json()).unwrap()).collect()
}

#[test]
fn all_17_rules_hold_or_are_excluded_with_a_reason() {
    for board in boards() {
        let bad: Vec<_> = lint(&board).into_iter().filter(|it| !it.is_excluded()).collect();
        assert!(bad.is_empty(), "{}: {bad:#?}", board["uid"]);
    }
}

/// What is excluded and holds would hide the next that does not.
#[test]
fn every_exclusion_is_needed() {
    let found: Vec<_> = boards().iter().flat_map(lint).collect();
    for it in &EXCLUDED {
        let is_needed = found
            .iter()
            .any(|found| found.rule == it.rule && (it.panel.is_empty() || it.panel == found.panel));
        assert!(is_needed && !it.reason.is_empty(), "{it:?}");
    }
}

/// A board that is broken so that a rule has to find it: first that it held before.
#[test]
fn each_rule_finds_what_it_is_for() {
    let mut checked = Vec::new();
    let mut check = |rule: &'static str, breaks: fn(&mut Value)| {
        let mut board = boards().remove(0);
        let count = |board: &Value| lint(board).iter().filter(|it| it.rule == rule).count();
        let before = count(&board);
        breaks(&mut board);
        assert!(count(&board) > before, "{rule}: {before}");
        checked.push(rule);
    };
    fn variable<'a>(board: &'a mut Value, name: &str) -> &'a mut Value {
        let all = board["templating"]["list"].as_array_mut().unwrap();
        all.iter_mut().find(|it| it["name"] == name).unwrap()
    }
    fn panel(board: &mut Value) -> &mut Value {
        board["panels"].as_array_mut().unwrap().iter_mut().find(|it| it["type"] == "timeseries").unwrap()
    }
    fn asks(board: &mut Value, expr: &str) {
        panel(board)["targets"][0]["expr"] = json!(expr);
    }
    const MATCHED: &str = "{job=~\"$job\",instance=~\"$instance\"}";
    fn matched(board: &mut Value) {
        for panel in board["panels"].as_array_mut().unwrap() {
            for target in panel["targets"].as_array_mut().into_iter().flatten() {
                target["expr"] = json!(format!("up{MATCHED}"));
            }
        }
    }
    check("template-datasource-rule", |board| variable(board, "datasource")["name"] = json!("prom"));
    check("template-datasource-rule", |board| variable(board, "datasource")["label"] = json!("Source"));
    check("template-on-time-change-reload-rule", |board| variable(board, "cluster")["refresh"] = json!(1));
    check("template-label-promql-rule", |board| {
        variable(board, "cluster")["query"] = json!("label_values(up{, cluster)");
    });
    check("template-label-promql-rule", |board| {
        variable(board, "cluster")["query"] = json!("labels(up, cluster)");
    });
    check("panel-datasource-rule", |board| panel(board)["datasource"]["uid"] = json!("prometheus"));
    check("panel-title-description-rule", |board| panel(board)["title"] = json!(""));
    check("panel-title-description-rule", |board| panel(board)["description"] = json!(""));
    check("panel-units-rule", |board| panel(board)["fieldConfig"]["defaults"]["unit"] = json!("megabytes"));
    check("panel-no-targets-rule", |board| panel(board)["targets"] = json!([]));
    check("target-logql-rule", |board| panel(board)["targets"][0]["datasource"]["type"] = json!("loki"));
    check("target-logql-auto-rule", |board| panel(board)["targets"][0]["datasource"]["type"] = json!("loki"));
    check("target-promql-rule", |board| asks(board, "sum(up"));
    check("target-promql-rule", |board| asks(board, ""));
    check("target-rate-interval-rule", |board| asks(board, "rate(x_total[5m])"));
    check("target-rate-interval-rule", |board| asks(board, "irate(x_total[$__range])"));
    check("target-counter-agg-rule", |board| asks(board, "x_total{a=\"b\"}"));
    check("target-counter-agg-rule", |board| asks(board, "max_over_time(x_total[5m])"));
    check("uneditable-dashboard", |board| board["editable"] = json!(true));
    check("uneditable-dashboard", |board| {
        board.as_object_mut().unwrap().remove("editable");
    });
    // The four that do not hold, the other way round: a board that has what they want, and then has not.
    for (rule, name, label) in
        [("template-job-rule", "job", "Job"), ("template-instance-rule", "instance", "Instance")]
    {
        let mut board = boards().remove(0);
        let mut wanted = variable(&mut board, "cluster").clone();
        wanted["name"] = json!(name);
        wanted["label"] = json!(label);
        wanted["allValue"] = json!(".+");
        board["templating"]["list"].as_array_mut().unwrap().push(wanted);
        assert!(lint(&board).iter().all(|it| it.rule != rule), "{rule}");
        variable(&mut board, name)["allValue"] = json!(".*");
        assert!(lint(&board).iter().any(|it| it.rule == rule), "{rule}");
        checked.push(rule);
    }
    for rule in ["target-job-rule", "target-instance-rule"] {
        let mut board = boards().remove(0);
        matched(&mut board);
        assert!(lint(&board).iter().all(|it| it.rule != rule), "{rule}");
        asks(&mut board, "up{job=\"$job\",instance=\"$instance\"}");
        assert!(lint(&board).iter().any(|it| it.rule == rule), "{rule}");
        checked.push(rule);
    }
    for rule in RULES {
        assert!(checked.contains(&rule), "{rule} is not shown to find anything");
    }
}
