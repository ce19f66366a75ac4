//! The rules of Grafana's dashboard-linter (github.com/grafana/dashboard-linter, lint/rules.go) on a board's JSON, in code of our own: the
//! linter cannot be had from a registry. Where it looks at some kinds of panels only, all are looked at here; counters are known by
//! their name, with or without matchers.

use crate::walk;
use plimsoll_monitoring::dashboards::{EXCLUDED, Unit};
use plimsoll_monitoring::settings::Currency;
use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr, VectorSelector};
use serde_json::Value;
use std::time::Duration;

/// What is wrong.
#[derive(Debug)]
pub struct Finding {
    pub rule: &'static str,
    /// Empty where it is about the board.
    pub panel: String,
    /// What it is, for whoever reads the finding.
    #[expect(dead_code, reason = "shown by Debug")]
    pub says: String,
}

impl Finding {
    /// Whether it is known, with a reason.
    pub fn is_excluded(&self) -> bool {
        EXCLUDED.iter().any(|it| it.rule == self.rule && (it.panel.is_empty() || it.panel == self.panel))
    }
}

/// All of them.
pub const RULES: [&str; 17] = [
    "template-datasource-rule",
    "template-job-rule",
    "template-instance-rule",
    "template-label-promql-rule",
    "template-on-time-change-reload-rule",
    "panel-datasource-rule",
    "panel-title-description-rule",
    "panel-units-rule",
    "panel-no-targets-rule",
    "target-logql-rule",
    "target-logql-auto-rule",
    "target-promql-rule",
    "target-rate-interval-rule",
    "target-job-rule",
    "target-instance-rule",
    "target-counter-agg-rule",
    "uneditable-dashboard",
];

/// In place of what Grafana fills in: durations nobody writes.
const RATE_INTERVAL: (&str, Duration) = ("97m", Duration::from_secs(97 * 60));
const RANGE: &str = "89m";

/// Who is asked about what.
struct Findings(Vec<Finding>);

impl Findings {
    fn expect(&mut self, holds: bool, rule: &'static str, panel: &str, says: impl Into<String>) {
        assert!(RULES.contains(&rule), "{rule}");
        if !holds {
            self.0.push(Finding { rule, panel: panel.to_string(), says: says.into() });
        }
    }
}

/// What the rules find.
pub fn lint(board: &Value) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    // A board says that it cannot be edited; one that says nothing can.
    findings.expect(board["editable"] == false, "uneditable-dashboard", "", "editable");
    variables(board, &mut findings);
    for panel in list(&board["panels"]).iter().filter(|it| it["type"] != "row") {
        look_at(panel, &mut findings);
    }
    findings.0
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_default()
}

fn is_chosen_source(of: &Value) -> bool {
    ["$datasource", "${datasource}"].contains(&text(&of["uid"]))
}

fn variables(board: &Value, findings: &mut Findings) {
    let all = list(&board["templating"]["list"]);
    let sources: Vec<&Value> = all.iter().filter(|it| it["type"] == "datasource").collect();
    let is_named = |it: &&Value| it["name"] == "datasource" && it["label"] == "Data source";
    findings.expect(
        sources.len() == 1 && sources.iter().all(|it| is_named(it) && it["query"] == "prometheus"),
        "template-datasource-rule",
        "",
        "one variable is named datasource, labelled Data source, and of prometheus",
    );
    for (rule, name, label) in
        [("template-job-rule", "job", "Job"), ("template-instance-rule", "instance", "Instance")]
    {
        let is_right = |it: &Value| {
            it["type"] == "query"
                && it["multi"] == true
                && it["allValue"] == ".+"
                && it["label"] == label
                && is_chosen_source(&it["datasource"])
        };
        findings.expect(all.iter().any(|it| it["name"] == name && is_right(it)), rule, "", name);
    }
    for it in all.iter().filter(|it| it["type"] == "query") {
        let name = text(&it["name"]);
        findings.expect(it["refresh"] == 2, "template-on-time-change-reload-rule", "", name);
        let query = text(&it["query"]);
        findings.expect(is_label_query(query), "template-label-promql-rule", "", query);
    }
}

/// `label_values(SERIES, LABEL)` and its kin.
fn is_label_query(query: &str) -> bool {
    let Some((function, rest)) = query.split_once('(') else { return false };
    let Some(inner) = rest.strip_suffix(')') else { return false };
    let is_promql = |of: &str| parser::parse(&filled(of)).is_ok();
    match function {
        "label_values" => inner.rsplit_once(", ").is_some_and(|(series, label)| {
            is_promql(series) && label.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
        }),
        "query_result" => is_promql(inner),
        "label_names" | "metrics" => true,
        _ => false,
    }
}

fn filled(expr: &str) -> String {
    expr.replace("$__rate_interval", RATE_INTERVAL.0).replace("$__range", RANGE)
}

fn look_at(panel: &Value, findings: &mut Findings) {
    let title = text(&panel["title"]);
    let mut expect = |holds: bool, rule, says: &str| findings.expect(holds, rule, title, says);
    expect(
        is_chosen_source(&panel["datasource"]),
        "panel-datasource-rule",
        "its source is not the chosen one",
    );
    let is_described = !title.is_empty() && !text(&panel["description"]).is_empty();
    expect(is_described, "panel-title-description-rule", "without a title or a description");
    let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
    expect(units().contains(&unit), "panel-units-rule", unit);
    let targets = list(&panel["targets"]);
    expect(!targets.is_empty(), "panel-no-targets-rule", "asks nothing");
    for target in targets {
        ask(title, target, findings);
    }
}

/// Units that Grafana knows and we use.
fn units() -> Vec<&'static str> {
    let plain =
        [Unit::Count, Unit::Bytes, Unit::Share, Unit::Seconds, Unit::PerSecond, Unit::Requests, Unit::Yes];
    let money = [Currency::Usd, Currency::Eur, Currency::Gbp, Currency::Chf, Currency::Jpy];
    plain.into_iter().chain(money.map(Unit::Money)).map(Unit::id).collect()
}

fn ask(title: &str, target: &Value, findings: &mut Findings) {
    let query = text(&target["expr"]);
    // No board of ours asks a Loki: its queries could not be looked at.
    let is_loki = target["datasource"]["type"] == "loki";
    findings.expect(!is_loki, "target-logql-rule", title, query);
    findings.expect(!is_loki, "target-logql-auto-rule", title, query);
    let parsed = match parser::parse(&filled(query)) {
        Ok(parsed) => parsed,
        Err(error) => {
            return findings.expect(false, "target-promql-rule", title, format!("{error}: {query}"));
        }
    };
    walk(&parsed, &mut Vec::new(), &mut |expr, path| match expr {
        Expr::VectorSelector(selector) => {
            matched(selector, title, findings);
            findings.expect(!is_counter(selector), "target-counter-agg-rule", title, selector.to_string());
        }
        Expr::MatrixSelector(of) => {
            matched(&of.vs, title, findings);
            let function = match path.last() {
                Some(Expr::Call(call)) => call.func.name,
                _ => "",
            };
            let is_growth = ["rate", "irate", "increase"].contains(&function);
            findings.expect(is_growth || !is_counter(&of.vs), "target-counter-agg-rule", title, function);
            let is_rate = ["rate", "irate"].contains(&function);
            let is_interval = of.range == RATE_INTERVAL.1;
            findings.expect(!is_rate || is_interval, "target-rate-interval-rule", title, query);
        }
        _ => {}
    });
}

fn is_counter(selector: &VectorSelector) -> bool {
    selector.name.as_deref().is_some_and(|name| name.ends_with("_total"))
}

fn matched(selector: &VectorSelector, title: &str, findings: &mut Findings) {
    for (rule, label) in [("target-job-rule", "job"), ("target-instance-rule", "instance")] {
        let is_there = selector
            .matchers
            .find_matchers(label)
            .iter()
            .any(|it| matches!(it.op, MatchOp::Re(_)) && it.value == format!("${label}"));
        findings.expect(is_there, rule, title, selector.to_string());
    }
}
