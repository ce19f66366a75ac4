//! What holds for every board, beside the linter's rules.

use crate::{all, walk};
use plimsoll_monitoring::dashboards::{self, COLUMNS, Kind, Look, Substitution, TAG, Values};
use plimsoll_monitoring::form;
use plimsoll_monitoring::rule::Rule;
use plimsoll_monitoring::settings::Settings;
use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr, VectorSelector};
use serde_json::Value;
use std::collections::BTreeSet;

/// People keep these in bookmarks: they never change.
const UIDS: [&str; 5] =
    ["plimsoll-memory", "plimsoll-capacity", "plimsoll-cost", "plimsoll-builds", "plimsoll-sizing"];

fn selectors(expr: &str) -> Vec<VectorSelector> {
    let parsed = parser::parse(expr).unwrap_or_else(|error| panic!("{error}\n{expr}"));
    let mut all = Vec::new();
    walk(&parsed, &mut Vec::new(), &mut |expr, _| match expr {
        Expr::VectorSelector(of) => all.push(of.clone()),
        Expr::MatrixSelector(of) => all.push(of.vs.clone()),
        _ => {}
    });
    all
}

/// All queries of a board, as `(where, text)`: of panels and of marks, with the variables of `keep` left in.
fn exprs(board: &dashboards::Dashboard) -> Vec<(String, String)> {
    let panels =
        board.panels().flat_map(|panel| panel.targets.iter().map(|it| (panel.title.to_string(), it)));
    let marks = board.marks.iter().map(|it| (it.legend.clone(), it));
    let filled = |expr: &str| expr.replace("$__rate_interval", "2m").replace("$__range", "1h");
    panels.chain(marks).map(|(title, it)| (format!("{}: {title}", board.uid), filled(&it.expr))).collect()
}

#[test]
fn boards_are_found_where_they_always_were() {
    assert_eq!(all().iter().map(|board| board.uid).collect::<Vec<_>>(), UIDS);
}

#[test]
fn every_panel_says_what_it_shows_and_why_it_may_not() {
    for board in all() {
        let mut titles = BTreeSet::new();
        for panel in board.panels() {
            let name = format!("{}: {}", board.uid, panel.title);
            assert!(!panel.title.is_empty() && titles.insert(panel.title), "{name}");
            assert!(panel.description.ends_with('.') && panel.description.len() > 15, "{name}");
            assert!(!panel.absent.is_empty() && !panel.absent.ends_with('.'), "{name}");
            assert!(!panel.targets.is_empty() && panel.targets.len() <= 26, "{name}");
            assert!(panel.targets.iter().all(|it| !it.legend.is_empty()), "{name}");
            let is_table = matches!(panel.kind, Kind::Table { .. });
            assert!(
                !is_table || panel.targets.len() > 1,
                "{name}: a table of one column has no letter in its name"
            );
            assert!(panel.targets.iter().all(|it| it.unit.is_some() == is_table), "{name}");
            assert!(panel.kind != Kind::Lines(Look::Band) || panel.targets.len() > 2, "{name}");
        }
    }
}

#[test]
fn panels_stand_within_the_grid_and_never_on_each_other() {
    for board in all() {
        let json: Value = serde_json::from_str(&board.json()).unwrap();
        let mut taken = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let mut bottom = 0;
        for panel in json["panels"].as_array().unwrap() {
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            let (x, y, width, height) = (at("x"), at("y"), at("w"), at("h"));
            assert!(width > 0 && height > 0 && x + width <= u64::from(COLUMNS), "{panel}");
            for cell in (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y))) {
                assert!(taken.insert(cell), "{}: {} at {cell:?}", board.uid, panel["title"]);
            }
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}: {}", board.uid, panel["title"]);
            bottom = bottom.max(y + height);
        }
        // No gaps: each line of the grid begins with something, and is full.
        let width = u64::from(COLUMNS);
        let holes: Vec<_> = (0..bottom)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .filter(|it| !taken.contains(it))
            .collect();
        assert!(holes.is_empty(), "{}: {holes:?}", board.uid);
    }
}

#[test]
fn links_lead_to_boards_there_are() {
    for board in all() {
        for link in board.panels().flat_map(|panel| &panel.links) {
            assert!(UIDS.contains(&link.uid) && link.uid != board.uid, "{}: {link:?}", board.uid);
        }
        let json: Value = serde_json::from_str(&board.json()).unwrap();
        assert_eq!(json["tags"], serde_json::json!([TAG]));
        assert_eq!(json["links"][0]["tags"], json["tags"]);
    }
}

#[test]
fn every_query_is_promql_with_nothing_of_grafana_left() {
    let chosen = Substitution { range: "1h".to_string(), ..Substitution::default() };
    for board in all() {
        let queries = board.queries(&chosen);
        assert_eq!(queries.len(), board.panels().map(|it| it.targets.len()).sum::<usize>());
        for query in queries {
            parser::parse(&query.expr).unwrap_or_else(|error| panic!("{error}: {query:#?}"));
            assert!(!query.expr.contains('$') && !query.needs.is_empty(), "{query:#?}");
        }
    }
}

#[test]
fn what_is_chosen_at_the_top_chooses() {
    for board in all() {
        let all = exprs(&board);
        for variable in board.variables.iter().filter(|it| matches!(it.values, Values::Label { .. })) {
            let written = format!("=~\"${}\"", variable.name);
            assert!(all.iter().any(|(_, expr)| expr.contains(&written)), "{}: {written}", board.uid);
        }
        for (name, expr) in all {
            for selector in selectors(&expr) {
                let by_cluster = selector.matchers.find_matchers("cluster");
                let is_chosen =
                    by_cluster.iter().any(|it| matches!(it.op, MatchOp::Re(_)) && it.value == "$cluster");
                assert!(is_chosen, "{name}: {selector}");
            }
        }
    }
}

#[test]
fn clusters_stay_apart_in_every_join() {
    for board in all() {
        for (name, expr) in exprs(&board) {
            let parsed = parser::parse(&expr).unwrap();
            walk(&parsed, &mut Vec::new(), &mut |part, _| {
                let Expr::Binary(of) = part else { return };
                let Some(matching) = of.modifier.as_ref().and_then(|it| it.matching.as_ref()) else { return };
                // Both sides of a build's join are of what was chosen, and have a project and a job only.
                let is_apart = matching.labels().labels.iter().any(|it| it == "cluster" || it == "project");
                assert!(is_apart, "{name}: {part}");
            });
        }
    }
}

/// A recorded series that no rule records would be an empty panel for ever.
#[test]
fn recorded_series_are_recorded() {
    let rules = form::files(&Settings::default()).unwrap().into_iter().flat_map(|(_, groups)| groups);
    let recorded: BTreeSet<String> = rules
        .flat_map(|group| group.rules)
        .filter_map(|rule| if let Rule::Record(it) = rule { Some(it.record) } else { None })
        .collect();
    let mut count = 0;
    for board in all() {
        for (name, expr) in exprs(&board) {
            for series in selectors(&expr).into_iter().filter_map(|it| it.name).filter(|it| it.contains(':'))
            {
                assert!(recorded.contains(&series), "{name}: {series}");
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count}");
}

/// Whatever is set has to be in the queries, and leave them PromQL.
#[test]
fn settings_go_into_every_query() {
    let mut settings = Settings { cluster_label: "site".to_string(), ..Settings::default() };
    settings.selectors.agent = r#"job="agents","#.to_string();
    settings.selectors.service = r#"job="serve""#.to_string();
    settings.selectors.controller = r#"job="sizes""#.to_string();
    settings.cost.currency = plimsoll_monitoring::settings::Currency::Eur;
    for board in dashboards::all(&settings).unwrap() {
        assert!(!board.json().contains("currencyUSD"), "{}", board.uid);
        for (name, expr) in exprs(&board) {
            for selector in selectors(&expr) {
                assert!(!selector.matchers.find_matchers("site").is_empty(), "{name}: {selector}");
                let series = selector.name.clone().unwrap_or_default();
                let jobs = selector.matchers.find_matchers("job");
                let job = jobs.first().map(|it| it.value.as_str());
                let expect = match series.as_str() {
                    it if it.contains(':') => None,
                    it if it.starts_with("plimsoll_controller_") => Some("sizes"),
                    it if it.starts_with("plimsoll_container_")
                        || it.starts_with("plimsoll_agent_")
                        || it.starts_with("plimsoll_oom_") =>
                    {
                        Some("agents")
                    }
                    _ => Some("serve"),
                };
                assert_eq!(job, expect, "{name}: {selector}");
            }
        }
    }
    settings.selectors.agent = "job=agents".to_string();
    assert!(dashboards::all(&settings).is_err(), "no selector is taken unseen");
}
