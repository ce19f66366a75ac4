//! `plimsoll report` on two weeks of a shop from a real Prometheus, on builds that `plimsoll run` has run, and on what `plimsoll serve` knows of people.
//!
//! In the second week `web` has grown, `worker` was killed in both, `api` requests half of what it did and still far too much, and a
//! CI job was killed, which only the agent has counted.

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod forms;
mod found;
mod people;
mod recording;
mod schema;
#[path = "../serve/served.rs"]
#[allow(dead_code)]
mod served;
mod shop;

use common::{Bench, PLIMSOLL};
use serde_json::Value;
use shop::Shop;
use std::path::Path;
use std::process::{Command, Output};

/// In an empty folder, without a store of the machine's.
fn report(bench: &Bench, args: &[&str]) -> Output {
    let mut command = Command::new(PLIMSOLL);
    command.arg("report").args(args).current_dir(bench.folder.path()).env("HOME", bench.path("home"));
    for name in
        ["CI", "PLIMSOLL_STORE", "PLIMSOLL_SOURCE", "PLIMSOLL_SERVER", "XDG_CACHE_HOME", "PLIMSOLL_TOKEN"]
    {
        command.env_remove(name);
    }
    command.output().expect("plimsoll starts")
}

fn build(bench: &Bench, job: &str, flags: &[&str], script: &str) {
    let output = bench.run(&[&["--job", job], flags].concat(), &["sh", "-c", script]);
    assert!(output.status.code().is_some(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn finding<'a>(report: &'a Value, section: &str, subject: &str) -> &'a Value {
    let all = report[section]["findings"].as_array().expect("findings");
    all.iter()
        .find(|one| one["subject"] == subject)
        .unwrap_or_else(|| panic!("{section}: {subject}: {report:#}"))
}

fn subjects<'a>(report: &'a Value, section: &str) -> Vec<&'a str> {
    let all = report[section]["findings"].as_array().expect("findings");
    all.iter().filter_map(|one| one["subject"].as_str()).collect()
}

/// One shop for all of it: it takes seconds to fill.
#[test]
fn two_weeks_of_a_shop() {
    let shop = Shop::open();
    found::cluster(&shop);
    found::builds(&shop);
    found::money(&shop);
    ends::codes(&shop);
    forms::forms(&shop);
    forms::files(&shop);
    forms::blocks(&shop);
    ends::mistakes(&shop);
    schema::schema(&shop);
}

#[test]
fn the_examples_pass_the_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/report");
    for file in [".gitlab-ci.yml", "cronjob.yaml"] {
        let output =
            Command::new(PLIMSOLL).args(["check", "--fail-on", "info"]).arg(folder.join(file)).output();
        let text = said(&output.expect("plimsoll starts"));
        assert!(text.contains("1 file, nothing found"), "{file}: {text}");
    }
}
