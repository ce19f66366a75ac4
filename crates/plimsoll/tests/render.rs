//! `plimsoll render` by the built binary: what it prints is what Prometheus' own tools take, and what is set stands in it.

use std::path::Path;
use std::process::{Command, Output};

fn plimsoll(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("plimsoll runs")
}

/// What it prints; it must succeed.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let done = plimsoll(folder, arguments);
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

fn takes(folder: &Path, program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).current_dir(folder).output();
    let done = done.unwrap_or_else(|error| panic!("{program}: {error}\nmake tools gets it"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {arguments:?}\n{said}");
}

#[test]
fn rules_are_printed_and_written_as_what_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let settings = "monitoring:\n  cluster_label: k8s_cluster\n  labels: {team: ci}\n  selectors: {containers: 'namespace!=\"dev\"'}\n  usage:\n    emergency: {above: 0.97, for: 2m, keep_firing_for: 1m}\n";
    std::fs::write(folder.join("plimsoll.yaml"), settings).unwrap();
    let text = printed(folder, &["render", "rules"]);
    for part in ["namespace!=\"dev\"", "> 0.97", "team: ci", "k8s_cluster, namespace, pod"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("by (cluster,"), "clusters are told apart by the label that is set");
    std::fs::write(folder.join("printed.yaml"), &text).unwrap();
    takes(folder, "promtool", &["check", "rules", "printed.yaml"]);
    let listed = printed(folder, &["render", "rules", "--out", "rules"]);
    assert_eq!(listed, "rules/plimsoll-recording.yaml\nrules/plimsoll-alerts.yaml\n");
    takes(
        folder,
        "promtool",
        &["check", "rules", "rules/plimsoll-recording.yaml", "rules/plimsoll-alerts.yaml"],
    );
}

#[test]
fn objects_have_the_labels_that_selectors_want() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let labels = ["--label", "release=stack", "--namespace", "watch"];
    for (what, kinds) in [
        (vec!["render", "rules", "--format", "prometheus-rule"], vec!["PrometheusRule", "PrometheusRule"]),
        (vec!["render", "monitors"], vec!["ServiceMonitor", "PodMonitor", "PodMonitor"]),
        (vec!["render", "alertmanager", "--format", "alertmanager-config"], vec!["AlertmanagerConfig"]),
    ] {
        let text = printed(folder, &[what.as_slice(), &labels].concat());
        let objects: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
        assert_eq!(
            objects.iter().map(|it| it["kind"].as_str().unwrap()).collect::<Vec<_>>(),
            kinds,
            "{what:?}"
        );
        for object in objects {
            assert_eq!(object["metadata"]["labels"]["release"], "stack");
            assert_eq!(object["metadata"]["namespace"], "watch");
        }
    }
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let check = |settings: &str, arguments: &[&str], expect: &str| {
        std::fs::write(folder.join("plimsoll.yaml"), settings).unwrap();
        let done = plimsoll(folder, arguments);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(expect), "{settings}{arguments:?}: {said}");
    };
    let rules: &[&str] = &["render", "rules"];
    check("monitoring: {selectors: {agent: 'job=agent'}}", rules, "monitoring.selectors.agent: ");
    check("monitoring: {selectors: {agent: 'a=\"b\"} or vector(1'}}", rules, "monitoring.selectors.agent: ");
    check(
        "monitoring: {usage: {warning: {above: 75, for: 1m, keep_firing_for: 1m}}}",
        rules,
        "75 is not between 0 and 1",
    );
    check("monitoring: {interval: soon}", rules, "monitoring.interval: \"soon\" is not a duration");
    check("monitoring: {threshold: 1}", rules, "unknown key 'threshold'");
    check("", &["render", "alertmanager", "--webhook", "page=http://x/"], "'page' is no tier");
    check("", &["render", "alertmanager", "--webhook", "critical=x"], "'x' is no address");
}
