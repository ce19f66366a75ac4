//! Prometheus' own tools on what is written: `promtool check rules`, and what each alert and recorded series comes to, by
//! `promtool test rules` on `tests/alerts/`, and with other settings on `tests/changed/`. `amtool` on who is told.

use plimsoll_monitoring::settings::Settings;
use plimsoll_monitoring::{alertmanager, form, monitors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program, as `make tools` gets it.
fn tool(name: &str, args: &[&str], folder: &Path) -> Output {
    Command::new(name)
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}\nmake tools gets it"))
}

fn passes(name: &str, args: &[&str], folder: &Path) -> String {
    let done = tool(name, args, folder);
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name} {args:?}:\n{said}");
    said
}

fn rendered(settings: &Settings) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let groups: Vec<_> = form::files(settings).unwrap().into_iter().flat_map(|(_, groups)| groups).collect();
    std::fs::write(folder.path().join("rules.yaml"), form::plain(&groups)).unwrap();
    folder
}

fn tests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|it| it.path()).collect();
    all.sort();
    all
}

#[test]
fn promtool_takes_all_rules() {
    let folder = rendered(&Settings::default());
    let said = passes("promtool", &["check", "rules", "rules.yaml"], folder.path());
    assert!(said.contains("SUCCESS") && !said.contains("duplicate"), "{said}");
}

#[test]
fn each_comes_to_what_it_should() {
    let folder = rendered(&Settings::default());
    for path in tests() {
        let name = path.file_name().unwrap().to_str().unwrap();
        std::fs::copy(&path, folder.path().join(name)).unwrap();
        passes("promtool", &["test", "rules", name], folder.path());
    }
}

#[test]
fn with_other_settings_each_comes_to_something_else() {
    let changed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/changed");
    let settings = std::fs::read_to_string(changed.join("settings.yaml")).unwrap();
    let folder = rendered(&serde_saphyr::from_str(&settings).unwrap());
    std::fs::copy(changed.join("tests.yaml"), folder.path().join("tests.yaml")).unwrap();
    passes("promtool", &["check", "rules", "rules.yaml"], folder.path());
    passes("promtool", &["test", "rules", "tests.yaml"], folder.path());
}

/// A test of an alert that nobody wrote would pass.
#[test]
fn each_alert_is_tested_to_fire_and_not_to() {
    let text: String = tests().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for group in form::files(&Settings::default()).unwrap().into_iter().flat_map(|(_, groups)| groups) {
        for rule in group.rules {
            let plimsoll_monitoring::rule::Rule::Alert(alert) = rule else { continue };
            let fires = format!("alertname=\"{}\"", alert.alert);
            let tier = format!("tier=\"{}\"", alert.labels["tier"]);
            let lines = || text.lines().filter(|line| line.contains(&fires));
            assert!(
                lines().any(
                    |line| line.contains("value: 1") && (line.contains(&tier) || !line.contains("tier="))
                ),
                "{fires} {tier}"
            );
        }
    }
    for path in tests() {
        let text = std::fs::read_to_string(&path).unwrap();
        let tests_nothing = ["exp_samples: []", "exp_alerts: []"].iter().any(|it| text.contains(it));
        assert!(
            tests_nothing || path.ends_with("recorded.yaml"),
            "{}: nothing is tested not to fire",
            path.display()
        );
    }
}

#[test]
fn those_are_told_who_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let webhooks = BTreeMap::from([("emergency".to_string(), "http://127.0.0.1:9/".to_string())]);
    std::fs::write(folder.path().join("am.yml"), alertmanager::plain(&Settings::default(), &webhooks))
        .unwrap();
    let said = passes("amtool", &["check-config", "am.yml"], folder.path());
    assert!(
        said.contains("SUCCESS") && said.contains("4 inhibit rules") && said.contains("4 receivers"),
        "{said}"
    );
    let check = |labels: &[&str], expect: &str| {
        let args = [&["config", "routes", "test", "--config.file=am.yml"], labels].concat();
        let said = passes("amtool", &args, folder.path());
        assert_eq!(said.lines().next(), Some(expect), "{labels:?}");
    };
    check(&["alertname=HighMemoryUsage", "severity=critical", "tier=emergency"], "emergency");
    check(&["alertname=HighMemoryUsage", "severity=critical", "tier=critical"], "critical");
    check(&["alertname=OOMKillDetected", "severity=critical", "tier=counted"], "critical");
    check(&["alertname=MemoryLeakSuspected", "severity=warning", "tier=leak"], "warning");
    check(&["alertname=OOMKillDetected", "severity=info", "tier=host"], "info");
    check(&["alertname=SomebodyElses"], "info");
}

#[test]
fn promtool_takes_the_scrape_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prometheus.yaml"), monitors::plain()).unwrap();
    passes("promtool", &["check", "config", "prometheus.yaml"], folder.path());
}
