//! `plimsoll backtest` from a file to the answer, and the answer checked by hand.

mod common;

use common::{Bench, PLIMSOLL};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;
use std::process::{Command, Output};

const HOUR: i64 = 3600;

/// Two containers, a reading a minute for twelve hours: one flat, one that steps up after eight.
fn usage() -> String {
    let mut text = "series_id,timestamp,bytes\n".to_string();
    for minute in 0..=720 {
        let flat = (500 << 20) + (minute * 7919 % 1000) * 1024;
        let steps = if minute < 480 { 200 << 20 } else { 300 << 20 };
        let _ = write!(text, "flat,{},{flat}\nsteps,{},{steps}\n", minute * 60, minute * 60);
    }
    text
}

fn backtest(bench: &Bench, args: &[&str]) -> Output {
    Command::new(PLIMSOLL)
        .arg("backtest")
        .args(args)
        .current_dir(bench.folder.path())
        .output()
        .expect("plimsoll starts")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn policy<'a>(json: &'a Value, name: &str) -> &'a Value {
    let policies = json["policies"].as_array().expect("policies");
    policies.iter().find(|policy| policy["policy"] == name).expect("the policy was asked for")
}

/// Slack, windows and samples over the limit, from the decisions alone: what the report says has to be the same.
fn scored(usage: &str, decisions: &str, of: &str) -> (f64, u64, u64) {
    let mut samples: HashMap<&str, Vec<(i64, f64)>> = HashMap::new();
    for line in usage.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        samples.entry(cells[0]).or_default().push((cells[1].parse().unwrap(), cells[2].parse().unwrap()));
    }
    let (mut slack, mut count, mut windows_over, mut samples_over) = (0.0, 0u32, 0, 0);
    for line in decisions.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        if cells[0] != of {
            continue;
        }
        let (from, to): (i64, i64) = (cells[2].parse().unwrap(), cells[3].parse().unwrap());
        let limit: f64 = cells[4].parse().unwrap();
        let window: Vec<f64> = samples[cells[1]]
            .iter()
            .filter(|(at, _)| (from..to).contains(at))
            .map(|(_, bytes)| *bytes)
            .collect();
        let over = window.iter().filter(|bytes| **bytes > limit).count() as u64;
        windows_over += u64::from(over > 0);
        samples_over += over;
        slack += window.iter().map(|bytes| 1.0 - bytes.min(limit) / limit).sum::<f64>() / window.len() as f64;
        count += 1;
    }
    (slack / f64::from(count), windows_over, samples_over)
}

#[test]
fn anyone_can_score_the_decisions() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    for how in [&["--horizon", "1h"][..], &["--resize-every", "5m"]] {
        let args =
            [&["usage.csv", "--train", "4h", "--floor", "0", "-o", "json", "--decisions", "d.csv"], how]
                .concat();
        let json: Value = serde_json::from_str(&said(&backtest(&bench, &args))).expect("JSON");
        assert_eq!(json["schema"], "plimsoll.backtest/1");
        let decisions = std::fs::read_to_string(bench.path("d.csv")).expect("decisions");
        for name in ["plimsoll", "krr", "vpa", "autopilot-window", "autopilot-ml", "oracle"] {
            let report = policy(&json, name);
            let (slack, windows, samples) = scored(&usage(), &decisions, name);
            assert_eq!(
                (report["windows_exceeded"].as_u64(), report["samples_exceeded"].as_u64()),
                (Some(windows), Some(samples))
            );
            assert!((report["slack"].as_f64().unwrap() - slack).abs() < 1e-9, "{name}: {report} {slack}");
        }
        assert_eq!(policy(&json, "oracle")["windows_exceeded"], 0);
        // The step passes every limit that was set before it, once.
        assert_eq!(policy(&json, "krr")["series_exceeded"], 1);
        assert_eq!(policy(&json, "krr")["worst"][0]["series_id"], "steps");
    }
}

#[test]
fn the_same_every_time() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    let args = ["usage.csv", "--train", "4h", "--horizon", "30m", "-o", "json"];
    assert_eq!(said(&backtest(&bench, &args)), said(&backtest(&bench, &args)));
}

#[test]
fn a_table_for_people_and_a_page() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    let args = ["usage.csv", "--train", "4h", "--horizon", "1h", "--floor", "0", "--gib-hour-price", "0.005"];
    let table = said(&backtest(&bench, &args));
    assert!(table.starts_with("4h of history, then a decision each 1h\n\npolicy "), "{table}");
    assert!(
        table.contains("a month") && table.contains("worst under krr:\n  steps: 1 windows, 60 samples over"),
        "{table}"
    );
    let page = said(&backtest(&bench, &[&args[..], &["-o", "html"]].concat()));
    assert!(
        page.starts_with("<!doctype html>")
            && page.contains("<h3>steps</h3>")
            && !page.contains("<h3>flat</h3>")
    );
}

#[test]
fn a_price_of_risk() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    let slack = |risk: &str| {
        let args = [
            "usage.csv",
            "--train",
            "4h",
            "--horizon",
            "1h",
            "--policy",
            "plimsoll",
            "--risk",
            risk,
            "-o",
            "json",
        ];
        let json: Value = serde_json::from_str(&said(&backtest(&bench, &args))).expect("JSON");
        policy(&json, "plimsoll")["slack"].as_f64().unwrap()
    };
    assert!(slack("1 OOM per 10000 task-days") > slack("5 OOMs per task-day"));
}

#[test]
fn builds() {
    let bench = Bench::new();
    let mut text = "role,job,arch,seconds,peak_bytes\n".to_string();
    for number in 0..100i64 {
        let peak = (2 << 30) + (number * 7919 % 100) * (1 << 20);
        let _ = writeln!(text, "llvm,{number},x86,{HOUR},{peak}");
    }
    bench.file("jobs.csv", &text);
    let json: Value =
        serde_json::from_str(&said(&backtest(&bench, &["jobs.csv", "--jobs", "-o", "json"]))).expect("JSON");
    let names: Vec<&str> =
        json.as_array().expect("a list").iter().filter_map(|entry| entry["policy"].as_str()).collect();
    assert_eq!(names, ["plimsoll", "max", "p95", "max-alike", "p95-alike"]);
    assert!(json.as_array().unwrap().iter().all(|entry| entry["runs"] == 95), "{json}");
    assert!(json[0]["waste_gib_hours"].as_f64() < json[1]["waste_gib_hours"].as_f64(), "{json}");
}

#[test]
fn mistakes_are_said() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    bench.file("half.csv", "series_id,timestamp\na,1\n");
    let check = |args: &[&str], expect: &str| {
        let output = backtest(&bench, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0), "{error}");
        assert!(error.contains(expect), "{error}");
        assert!(!error.contains("panicked"), "{error}");
    };
    check(
        &["usage.csv"],
        "no series has 14d of history and 7d after it\nchoose a shorter --train or --horizon",
    );
    check(
        &["usage.xlsx"],
        "source 'usage.xlsx' is not known\nwrite it as http://HOST:PORT, prometheus:URL, victoriametrics:URL, tsdb:DIR, csv:FILE or parquet:FILE",
    );
    check(&["gone.csv"], "gone.csv: No such file or directory");
    check(&["parquet:usage.csv"], "usage.csv: ");
    check(&["half.csv"], "half.csv: there is no column 'bytes'");
    check(&["usage.csv", "--jobs"], "usage.csv: there is no column 'role'");
    check(&["usage.csv", "--train", "soon"], "'soon' is not a stretch of time");
    check(&["usage.csv", "--risk", "some"], "'some' is no risk");
    check(
        &["usage.csv", "--train", "1h", "--horizon", "1h", "--decisions", "no/such/d.csv"],
        "no/such/d.csv: ",
    );
}

#[test]
fn from_the_standard_input() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    let input = std::fs::File::open(bench.path("usage.csv")).unwrap();
    let output = Command::new(PLIMSOLL)
        .args(["backtest", "csv:-", "--train", "4h", "--horizon", "1h", "--policy", "krr"])
        .stdin(input)
        .output()
        .unwrap();
    assert!(said(&output).contains("krr"));
}
