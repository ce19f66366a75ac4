//! The chart's rules with thresholds and times of somebody's own.

use crate::common::PLIMSOLL;
use crate::helm::{refused, said, template};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const SETTINGS: &str =
    "monitoring: {usage: {warning: {above: 0.5, for: 77m, keep_firing_for: 5m}}, cluster_label: site}\n";

fn with(file: &Path) -> [String; 4] {
    let set = "monitoring.enabled=true,monitoring.labels.release=stack,serve.monitor.tokenSecret=reader";
    ["--set", set, "--set-file", &format!("monitoring.rules.text={}", file.display())].map(str::to_string)
}

fn written(folder: &Path, name: &str, text: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn what_is_rendered_of_own_settings_takes_the_place_of_the_charts() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = written(folder.path(), "plimsoll.yaml", SETTINGS.as_bytes());
    let rules = Command::new(PLIMSOLL).args(["render", "rules", "--config"]).arg(settings).output();
    let rules = said(&rules.expect("plimsoll starts"));
    assert!(rules.contains("for: 77m") && rules.contains("> 0.5"), "{rules}");
    let file = written(folder.path(), "rules.yaml", rules.as_bytes());
    let text = said(&template(&with(&file).each_ref().map(String::as_str)));
    let objects = text.split("\n---\n").filter(|it| it.contains("kind: PrometheusRule"));
    let all: Vec<Value> = objects.map(|it| serde_saphyr::from_str(it).expect("YAML")).collect();
    assert_eq!(all.len(), 1, "the chart's own are left out");
    assert_eq!(all[0]["spec"], serde_saphyr::from_str::<Value>(&rules).expect("YAML"));
    assert_eq!(all[0]["metadata"]["labels"]["release"], "stack");
}

#[test]
fn what_is_no_rules_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), "rules.yaml", SETTINGS.as_bytes());
    let why = refused(&template(&with(&file).each_ref().map(String::as_str)));
    assert!(why.contains("monitoring/rules/text") || why.contains("monitoring.rules.text"), "{why}");
}
