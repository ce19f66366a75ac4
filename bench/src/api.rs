//! What the API of capacity bears: projections and reservations a second, beside a server that one would write by hand.
//!
//! Each is asked by wrk on the same machine, by turns; medians of several rounds are told. The service has a hundred thousand
//! reservations in its store then, which it was given by the same API.

use crate::Failure;
use crate::machine;
use crate::table::{aligned, median, piped};
use serde::Deserialize;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Reservations that are stored before
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    stored: u64,
    /// Rounds of each; medians are told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// Seconds of a round
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Connections at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(2..=1_000))]
    connections: u64,
    /// Write the table as Markdown here
    #[arg(long)]
    out: Option<PathBuf>,
}

const HEAD: [&str; 7] = ["asked for", "who", "a second", "p50", "p99", "failed", "times Express"];
/// What ours has to come to.
const PROJECT_TIMES: f64 = 5.0;
const PROJECT_P99_MS: f64 = 10.0;
const RESERVED_A_SECOND: f64 = 2_000.0;
/// Reservations start so many seconds after each other: a hundred thousand of them take eighty days.
const STEP_SECONDS: &str = "68";
/// Pods enough that all of them fit.
const CONFIG: &str = "capacity: {pod_limit: 4Gi, horizon_days: 400, regions: [{pods: 8, most_pods: 8}]}\n";

/// What wrk says of a round.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Round {
    requests: u64,
    seconds: f64,
    refused: u64,
    failed: u64,
    p50_ms: f64,
    p99_ms: f64,
}

/// A server that is asked; it ends with this.
struct Contestant {
    name: &'static str,
    url: String,
    child: Child,
}

impl Drop for Contestant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures all and prints it. Not a success when ours misses a goal.
pub fn api(plan: &Plan, bench: &Path, plimsoll: &Path) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir()?;
    let ours = ours(plimsoll, folder.path())?;
    let mut next = fill(plan, bench, &ours)?;
    let (one, two) = (express(bench, "express", 1)?, express(bench, "express, 2 processes", 2)?);
    let mut rows = Vec::new();
    let mut medians = Vec::new();
    for what in ["project", "schedule"] {
        let contestants = [&one, &two, &ours];
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); contestants.len()];
        for _ in 0..plan.rounds {
            for (contestant, rounds) in contestants.iter().zip(&mut rounds) {
                let round = load(plan, bench, contestant, what, plan.seconds, next)?;
                // Others keep nothing, so that they may be asked for the same again.
                next += if contestant.url == ours.url && what == "schedule" { round.requests } else { 0 };
                rounds.push(round);
            }
        }
        let express = of(&rounds[0], &Round::a_second);
        for (contestant, rounds) in contestants.iter().zip(&rounds) {
            rows.push(row(what, contestant.name, rounds, express));
        }
        let ours = &rounds[2];
        medians.push((
            of(ours, &Round::a_second) / express,
            of(ours, &|it| it.p99_ms),
            of(ours, &Round::a_second),
        ));
    }
    let (times, p99_ms, _) = medians[0];
    let reserved = medians[1].2;
    let goals = format!(
        "{} reservations stored, {} connections, all on one machine\n\
         goals: {PROJECT_TIMES} times Express on project (had {times:.1}) at p99 below {PROJECT_P99_MS} ms (had {p99_ms:.1}), \
         {RESERVED_A_SECOND} durable reservations a second (had {reserved:.0})\n",
        plan.stored, plan.connections
    );
    print!("{}\n{goals}", aligned(&HEAD, &rows));
    if let Some(path) = &plan.out {
        let table = piped(&HEAD, &rows);
        std::fs::write(path, format!("Machine: {}\n\n{table}\n```text\n{goals}```\n", machine::describe()))?;
    }
    let is_held = times >= PROJECT_TIMES && p99_ms < PROJECT_P99_MS && reserved >= RESERVED_A_SECOND;
    Ok(if is_held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Round {
    fn a_second(&self) -> f64 {
        (self.requests - self.refused - self.failed) as f64 / self.seconds
    }
}

fn of(rounds: &[Round], value: &dyn Fn(&Round) -> f64) -> f64 {
    median(rounds.iter().map(value).collect()).unwrap_or(0.0)
}

fn row(what: &str, name: &str, rounds: &[Round], express: f64) -> Vec<String> {
    let a_second = of(rounds, &Round::a_second);
    let bad: u64 = rounds.iter().map(|round| round.refused + round.failed).sum();
    vec![
        what.to_string(),
        name.to_string(),
        format!("{a_second:.0}"),
        format!("{:.2} ms", of(rounds, &|it| it.p50_ms)),
        format!("{:.2} ms", of(rounds, &|it| it.p99_ms)),
        bad.to_string(),
        format!("{:.1}", a_second / express),
    ]
}

/// The service with an empty store on this disk.
fn ours(plimsoll: &Path, folder: &Path) -> Result<Contestant, Failure> {
    std::fs::write(folder.join("plimsoll.yaml"), CONFIG)?;
    let port = free_port()?;
    let mut command = Command::new(plimsoll);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--store", "capacity.db"]);
    command.current_dir(folder);
    start("plimsoll", command, port)
}

fn express(bench: &Path, name: &'static str, workers: u32) -> Result<Contestant, Failure> {
    let port = free_port()?;
    let mut command = Command::new("node");
    command.arg("express.mjs").current_dir(bench.join("api")).env("NODE_ENV", "production");
    command.env("PORT", port.to_string()).env("WORKERS", workers.to_string());
    start(name, command, port)
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn start(name: &'static str, mut command: Command, port: u16) -> Result<Contestant, Failure> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let contestant = Contestant { name, url: format!("http://127.0.0.1:{port}"), child };
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if started.elapsed() > Duration::from_secs(30) {
            return Err(format!("{name}: does not listen\nstart it by hand to see why").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(contestant)
}

/// Reserves until there are as many as wanted; which start comes next.
fn fill(plan: &Plan, bench: &Path, ours: &Contestant) -> Result<u64, Failure> {
    let (mut stored, mut next) = (0, 0);
    while stored < plan.stored {
        let round = load(plan, bench, ours, "schedule", plan.seconds, next)?;
        next += round.requests;
        stored += round.requests - round.refused - round.failed;
        eprintln!("{stored} stored, {:.0} a second", round.a_second());
        if round.requests == round.refused + round.failed {
            return Err("nothing is reserved any more\nask for fewer with --stored".into());
        }
    }
    Ok(next)
}

fn load(
    plan: &Plan,
    bench: &Path,
    whom: &Contestant,
    what: &str,
    seconds: u64,
    next: u64,
) -> Result<Round, Failure> {
    let folder = bench.join("api");
    let script = tempfile::NamedTempFile::with_suffix(".lua")?;
    let parts = [format!("{what}.lua"), "done.lua".to_string()];
    let parts: Result<Vec<String>, _> =
        parts.iter().map(|part| std::fs::read_to_string(folder.join(part))).collect();
    std::fs::write(script.path(), parts?.concat())?;
    let output = Command::new("wrk")
        .args(["--threads", "2", "--connections", &plan.connections.to_string()])
        .args(["--duration", &format!("{seconds}s"), "--script"])
        .arg(script.path())
        .arg(&whom.url)
        .env("FIRST", next.to_string())
        .env("STEP", STEP_SECONDS)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let measured = said.lines().find_map(|line| line.strip_prefix("MEASURED "));
    let failed = || format!("wrk: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_str(measured.ok_or_else(failed)?)?)
}
