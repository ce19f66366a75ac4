//! All rules: what holds for each of them, whatever is set.

use plimsoll_monitoring::form;
use plimsoll_monitoring::rule::{Alert, Group, RULES_MAX, Rule};
use plimsoll_monitoring::settings::Settings;
use promql_parser::parser::{self, Expr, LabelModifier};
use std::collections::BTreeSet;
use std::path::Path;

fn groups() -> Vec<Group> {
    form::files(&Settings::default()).unwrap().into_iter().flat_map(|(_, groups)| groups).collect()
}

fn rules() -> Vec<Rule> {
    groups().into_iter().flat_map(|group| group.rules).collect()
}

fn alerts() -> Vec<Alert> {
    rules()
        .into_iter()
        .filter_map(|rule| if let Rule::Alert(alert) = rule { Some(alert) } else { None })
        .collect()
}

#[test]
fn every_query_is_promql() {
    for rule in rules() {
        parser::parse(rule.expr())
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", rule.name(), rule.expr()));
    }
}

#[test]
fn clusters_stay_apart_in_every_aggregation_and_join() {
    for rule in rules() {
        let expr = parser::parse(rule.expr()).unwrap();
        walk(&expr, &mut |expr| match expr {
            Expr::Aggregate(of) => {
                let Some(LabelModifier::Include(by)) = &of.modifier else {
                    panic!("{}: {expr}", rule.name())
                };
                assert!(by.labels.iter().any(|label| label == "cluster"), "{}: {expr}", rule.name());
            }
            Expr::Binary(of) => {
                if let Some(matching) = of.modifier.as_ref().and_then(|it| it.matching.as_ref()) {
                    assert!(
                        matching.labels().labels.iter().any(|label| label == "cluster"),
                        "{}: {expr}",
                        rule.name()
                    );
                }
            }
            _ => {}
        });
    }
}

fn walk(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(expr);
    match expr {
        Expr::Aggregate(of) => walk(&of.expr, see),
        Expr::Unary(of) => walk(&of.expr, see),
        Expr::Binary(of) => {
            walk(&of.lhs, see);
            walk(&of.rhs, see);
        }
        Expr::Paren(of) => walk(&of.expr, see),
        Expr::Subquery(of) => walk(&of.expr, see),
        Expr::Call(of) => of.args.args.iter().for_each(|it| walk(it, see)),
        _ => {}
    }
}

#[test]
fn groups_are_as_large_as_rulers_take_them_and_names_are_unique() {
    let names: BTreeSet<String> = groups().into_iter().map(|group| group.name).collect();
    assert_eq!(names.len(), groups().len());
    for group in groups() {
        assert!((1..=RULES_MAX).contains(&group.rules.len()), "{}: {}", group.name, group.rules.len());
    }
}

#[test]
fn each_alert_says_what_it_is_and_has_its_page() {
    let expected = BTreeSet::from([
        "BuildProcessHighMemory",
        "CapacityShortfall",
        "GitLabRunnerHighMemory",
        "HighMemoryPressure",
        "HighMemoryUsage",
        "MemoryLeakSuspected",
        "OOMKillDetected",
        "PlimsollDown",
        "RightsizingRegressed",
        "ScalingFailure",
    ]);
    let alerts = alerts();
    assert_eq!(alerts.iter().map(|it| it.alert.as_str()).collect::<BTreeSet<_>>(), expected);
    let runbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
    for alert in &alerts {
        let name = &alert.alert;
        assert_eq!(
            alert.annotations.keys().map(String::as_str).collect::<Vec<_>>(),
            ["description", "runbook_url", "summary"],
            "{name}"
        );
        let summary = &alert.annotations["summary"];
        assert!(!summary.contains("{{") && summary.ends_with('.'), "{name}: {summary}");
        assert!(["critical", "warning", "info"].contains(&alert.labels["severity"].as_str()), "{name}");
        assert!(!alert.keep_firing_for.is_empty(), "{name}");
        let page = alert.annotations["runbook_url"].rsplit('/').next().unwrap().to_string();
        let text =
            std::fs::read_to_string(runbooks.join(&page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.starts_with(&format!("# {name}\n")), "{page}");
        for part in ["## What it means", "## How to see it", "## What to do", "## When to ignore it"] {
            assert!(text.contains(part), "{page}: {part}");
        }
    }
    let pages =
        std::fs::read_dir(&runbooks).unwrap().flatten().filter(|it| it.file_name() != "README.md").count();
    assert_eq!(pages, expected.len(), "pages that belong to no alert");
}

#[test]
fn one_name_severity_and_tier_stand_for_one_alert() {
    let all: Vec<_> = alerts()
        .iter()
        .map(|it| (it.alert.clone(), it.labels["severity"].clone(), it.labels["tier"].clone()))
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}
