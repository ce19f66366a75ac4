//! `plimsoll render dashboards`, from the built binary.

use serde_json::Value;
use std::process::{Command, Output};

fn render(args: &[&str]) -> Output {
    // In a folder with no plimsoll.yaml, here or above.
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["render", "dashboards"])
        .args(args)
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the binary runs")
}

#[test]
fn boards_are_written_as_files_that_name_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let done = render(&["--out", folder.path().to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let written = String::from_utf8(done.stdout).unwrap();
    assert_eq!(written.lines().count(), 6, "five boards and what the linter reads: {written}");
    for path in written.lines().filter(|path| path.ends_with(".json")) {
        let board: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(path.ends_with(&format!("{}.json", board["uid"].as_str().unwrap())), "{path}");
    }
}

#[test]
fn all_that_boards_ask_is_printed_for_whoever_asks_a_prometheus() {
    let done = render(&["--queries", "--range", "3h"]);
    assert!(done.status.success(), "{done:?}");
    let lines: Vec<Value> = String::from_utf8(done.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 100, "{}", lines.len());
    assert!(lines.iter().all(|it| !it["expr"].as_str().unwrap().contains('$')));
    assert!(lines.iter().any(|it| it["expr"].as_str().unwrap().contains("[3h]")));
}

#[test]
fn json_needs_a_folder_and_says_so() {
    let done = render(&[]);
    assert!(!done.status.success() && done.stdout.is_empty(), "{done:?}");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("--out DIR"), "{said}");
}

#[test]
fn sidecars_and_provisioning_are_printed() {
    let check = |args: &[&str], expect: &str, count: usize| {
        let done = render(args);
        assert!(done.status.success(), "{done:?}");
        let text = String::from_utf8(done.stdout).unwrap();
        assert_eq!(text.matches(expect).count(), count, "{args:?}");
    };
    check(&["--format", "config-map", "-n", "monitoring"], "\nkind: ConfigMap\n", 5);
    check(&["--format", "config-map", "-n", "monitoring"], "\n  namespace: monitoring\n", 5);
    check(&["--format", "provisioning", "--path", "/boards"], "path: /boards\n", 1);
}
