//! Every query of our boards, asked of the Prometheus that has scraped what is on the stage: no panel of ours is empty.

use super::stage::said;
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A panel that shows nothing by then shows nothing.
const WITHIN: Duration = Duration::from_secs(60);
/// The time that is looked at: the stage is not much older.
const RANGE: &str = "30s";

/// Asks until all have an answer.
pub fn ask(plimsoll: &Path, prometheus: &str) -> Result<(), Failure> {
    let mut command = Command::new(plimsoll);
    let text = said(command.args(["render", "dashboards", "--queries", "--range", RANGE]))?;
    let all: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let began = Instant::now();
    let mut missing = all.clone();
    while !missing.is_empty() && began.elapsed() < WITHIN {
        std::thread::sleep(Duration::from_secs(1));
        missing.retain(|panel| !answers(prometheus, panel["expr"].as_str().unwrap_or_default()));
    }
    println!("{} of {} queries of our boards are answered.", all.len() - missing.len(), all.len());
    for panel in &missing {
        println!(
            "  nothing: {} / {}: {} ({})",
            panel["board"], panel["panel"], panel["expr"], panel["needs"]
        );
    }
    if missing.is_empty() { Ok(()) } else { Err("panels without an answer".into()) }
}

fn answers(prometheus: &str, expr: &str) -> bool {
    let answer = ureq::get(format!("{prometheus}/api/v1/query")).query("query", expr).call();
    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string()).unwrap_or_default();
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    answer["data"]["result"].as_array().is_some_and(|result| !result.is_empty())
}
