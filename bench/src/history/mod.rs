//! What reading history costs: two weeks of a real Prometheus, several ways side by side.
//!
//! Each way runs in a process of its own, by turns; what it costs the server is what the server's process has used. All of
//! them end with the highest use of each workload, and these have to agree.

pub mod fleet;
mod fold;
pub mod meter;
pub mod part;

use crate::Failure;
use crate::machine;
use crate::table::{aligned, median, piped};
use clap::ValueEnum;
use meter::Spent;
use part::{Done, Way};
use plimsoll_core::size::human;
use plimsoll_real::Server;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Series, each of two weeks with a reading a minute
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=5000))]
    series: u64,
    /// Runs of each way, by turns; medians are told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    runs: u64,
    /// Containers folded and judged without a server
    #[arg(long, default_value_t = 100_000)]
    containers: u64,
    /// Write the table as Markdown here
    #[arg(long)]
    out: Option<PathBuf>,
}

const WAYS: [(Way, &str); 4] = [
    (Way::Ours, "plimsoll, remote read"),
    (Way::Krr, "KRR's queries (memory)"),
    (Way::Range, "range queries of 60 s, gzip"),
    (Way::Queries, "plimsoll, queries"),
];
const HEAD: [&str; 9] = [
    "way",
    "requests",
    "wall",
    "server CPU",
    "our CPU",
    "sent",
    "our memory",
    "wall, times ours",
    "server CPU, times ours",
];
/// Between two runs, for what the server still has to tidy up.
const REST: Duration = Duration::from_secs(2);
/// Ours keeps the highest use in codes that are 0.05 % apart.
const ALIKE: f64 = 0.0006;

/// One run.
struct Run {
    wall_seconds: f64,
    spent: Spent,
    done: Done,
}

/// Measures all and prints it.
pub fn history(plan: &Plan) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let server = plimsoll_real::prometheus(folder.path(), &[]);
    eprintln!("filling a Prometheus with {} series of two weeks ...", plan.series);
    fleet::fill(&server, plan.series)?;
    let mut runs: Vec<Vec<Run>> = WAYS.map(|_| Vec::new()).into();
    for number in 0..plan.runs {
        for ((way, name), runs) in WAYS.iter().zip(&mut runs) {
            let run = measure(&server, *way, plan.series)?;
            eprintln!(
                "{}: {name}: {:.2} s, CPU {:.2} s",
                number + 1,
                run.wall_seconds,
                run.spent.cpu_seconds
            );
            runs.push(run);
        }
    }
    let rows = rows(&runs);
    let more = format!("{}\n{}{}", agreement(&runs), fold::parts(), folded(plan.containers)?);
    print!("{}\n{more}", aligned(&HEAD, &rows));
    if let Some(out) = &plan.out {
        let table = piped(&HEAD, &rows);
        std::fs::write(out, format!("Machine: {}\n\n{table}\n```text\n{more}```\n", machine::describe()))?;
    }
    Ok(())
}

fn measure(server: &Server, way: Way, series: u64) -> Result<Run, Failure> {
    std::thread::sleep(REST);
    let asked_before = meter::spent(server, 0.0)?;
    let before = Spent { cpu_seconds: server.cpu_seconds(), ..asked_before };
    let started = Instant::now();
    let done = part(way, &server.url, series)?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let cpu_seconds = server.cpu_seconds();
    Ok(Run { wall_seconds, spent: meter::spent(server, cpu_seconds)? - before, done })
}

/// Runs one way in a process of its own.
fn part(way: Way, url: &str, series: u64) -> Result<Done, Failure> {
    let name = way.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default();
    let output = Command::new(std::env::current_exe()?)
        .args(["history-part", "--way", &name, "--url", url, "--series", &series.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{name}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn rows(runs: &[Vec<Run>]) -> Vec<Vec<String>> {
    let middle =
        |runs: &[Run], of: &dyn Fn(&Run) -> f64| median(runs.iter().map(of).collect()).unwrap_or(0.0);
    let wall = |runs: &[Run]| middle(runs, &|run| run.wall_seconds);
    let cpu = |runs: &[Run]| middle(runs, &|run| run.spent.cpu_seconds);
    let ours = &runs[0];
    let row = |((_, name), runs): (&(Way, &str), &Vec<Run>)| {
        vec![
            name.to_string(),
            format!("{:.0}", middle(runs, &|run| run.spent.requests)),
            format!("{:.2} s", wall(runs)),
            format!("{:.2} s", cpu(runs)),
            format!("{:.2} s", middle(runs, &|run| run.done.cpu_seconds)),
            format!("{:.1} MB", middle(runs, &|run| run.spent.sent_bytes) / 1e6),
            human(middle(runs, &|run| run.done.rss_bytes as f64) as u64),
            format!("{:.1}x", wall(runs) / wall(ours)),
            format!("{:.1}x", cpu(runs) / cpu(ours)),
        ]
    };
    WAYS.iter().zip(runs).map(row).collect()
}

/// How far the highest use of workloads by each way is from ours.
fn agreement(runs: &[Vec<Run>]) -> String {
    let ours = &runs[0][0].done.highest;
    let line = |((_, name), runs): (&(Way, &str), &Vec<Run>)| {
        let theirs = &runs[0].done.highest;
        let apart =
            ours.iter().map(|(workload, highest)| 1.0 - theirs.get(workload).unwrap_or(&0.0) / highest);
        let apart: Vec<f64> = apart.collect();
        let alike = apart.iter().filter(|apart| apart.abs() <= ALIKE).count();
        let most = apart.iter().copied().fold(0.0, f64::max);
        format!(
            "{name}: the highest use of {alike} of {} workloads is ours; at most {:.2} % below\n",
            apart.len(),
            most * 100.0
        )
    };
    WAYS.iter().zip(runs).skip(1).map(line).collect()
}

/// The memory of many containers.
fn folded(containers: u64) -> Result<String, Failure> {
    let started = Instant::now();
    let done = part(Way::Fold, "", containers)?;
    let lines = done.steps.iter().map(|(step, bytes)| format!("  {step}: {}\n", human(*bytes)));
    Ok(format!(
        "a process that folds and judges them, in {:.1} s:\n{}",
        started.elapsed().as_secs_f64(),
        lines.collect::<String>()
    ))
}
