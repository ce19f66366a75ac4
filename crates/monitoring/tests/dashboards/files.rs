//! The files boards are written to.

use crate::all;
use plimsoll_monitoring::dashboards::{self, EXCLUDED};
use serde_json::{Value, json};

/// Kubernetes takes no larger object.
const CONFIG_MAP_MAX_BYTES: usize = 1 << 20;

fn parsed(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

#[test]
fn a_board_as_grafana_reads_it() {
    let sizing = all().pop().unwrap();
    insta::assert_snapshot!(sizing.json());
}

#[test]
fn sidecars_find_each_board_whole() {
    let labels = [("team".to_string(), "memory".to_string())];
    for board in all() {
        let text = dashboards::config_map(&board, Some("plimsoll"), &labels);
        assert!(text.len() < CONFIG_MAP_MAX_BYTES, "{}: {} bytes", board.uid, text.len());
        let map = parsed(&text);
        assert_eq!(map["kind"], "ConfigMap");
        assert_eq!(map["metadata"]["namespace"], "plimsoll");
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        assert_eq!(map["metadata"]["labels"]["team"], "memory");
        assert_eq!(map["metadata"]["annotations"]["grafana_folder"], "Plimsoll");
        assert_eq!(map["data"][dashboards::file_name(&board)], board.json());
    }
}

#[test]
fn grafana_is_told_where_boards_are() {
    let provider = parsed(&dashboards::provisioning("/var/lib/grafana/dashboards/plimsoll"));
    assert_eq!(provider["apiVersion"], 1);
    let of = &provider["providers"][0];
    assert_eq!(of["type"], "file");
    assert_eq!(of["allowUiUpdates"], false);
    assert_eq!(of["options"]["path"], "/var/lib/grafana/dashboards/plimsoll");
}

#[test]
fn the_linter_is_told_what_does_not_hold() {
    let file = parsed(&dashboards::lint());
    for it in &EXCLUDED {
        let rule = &file["exclusions"][it.rule];
        assert_eq!(rule["reason"], it.reason);
        let panels = rule["entries"].as_array();
        let is_named = |all: &Vec<Value>| all.contains(&json!({"panel": it.panel}));
        assert_eq!(panels.is_some_and(is_named), !it.panel.is_empty(), "{}", it.rule);
    }
}
