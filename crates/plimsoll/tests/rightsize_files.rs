//! `plimsoll rightsize` from a file of series.

mod common;

use common::{Bench, PLIMSOLL};
use serde_json::Value;
use std::fmt::Write;
use std::process::Command;

const MIB: u64 = 1 << 20;

/// Three weeks by the quarter of an hour at a limit of 1 GiB: one whose use stands at its limit and falls once, and one
/// that stays below.
fn usage() -> String {
    let mut text = "series_id,timestamp,bytes,limit_bytes\n".to_string();
    for quarter in 0..21 * 96u64 {
        let at = quarter * 900;
        let calm = (300 + quarter * 7919 % 5) * MIB;
        let killed = if quarter == 1000 { 1020 * MIB } else { calm };
        let _ = writeln!(text, "shop/calm/app,{at},{calm},{}", 1024 * MIB);
        let _ = writeln!(text, "shop/killed/app,{at},{killed},{}", 1024 * MIB);
    }
    text
}

#[test]
fn a_kill_is_read_off_the_limit() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    let args = ["rightsize", "--source", "usage.csv", "--window", "21d", "-o", "json"];
    let output =
        Command::new(PLIMSOLL).args(args).current_dir(bench.folder.path()).output().expect("plimsoll starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let of = |workload: &str| {
        let all = report["containers"].as_array().expect("containers");
        all.iter().find(|container| container["workload"] == workload).expect("the workload").clone()
    };
    let limit = |workload: &str| of(workload)["recommended_limit_bytes"].as_u64().expect("a limit");
    assert!(limit("killed") > 1024 * MIB, "what it died at is not enough: {}", of("killed"));
    assert!(limit("calm") < 400 * MIB, "{}", of("calm"));
    let reason = of("killed")["limit_reason"].to_string();
    assert!(reason.contains("killed"), "{reason}");
}
