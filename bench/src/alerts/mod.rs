//! `make bench-alerts`: how often alerts on memory are wrong, and how early they are right, side by side, by Prometheus' own rule
//! evaluation.

mod contest;
mod played;
mod traces;

use crate::Failure;
use contest::{CONTESTANTS, Contestant, EITHER};
use fastrand::Rng;
use played::{Fired, Played};
use plimsoll_history::table::Format;
use std::path::{Path, PathBuf};
use traces::{BENIGN, LEAKS, Trace};

/// What is asked of the benchmark.
#[derive(clap::Args)]
pub struct AlertsArgs {
    /// Containers of each kind
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1000))]
    each: u32,
    /// Chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder with real traces, minute by minute: tables of series_id, timestamp, bytes, limit_bytes
    #[arg(long)]
    real: Option<PathBuf>,
}

/// How one contestant did on one kind.
#[derive(Default, Clone)]
struct Score {
    containers: usize,
    fired: usize,
    /// Minutes between the first alert and the kill; none where there was no alert before it.
    leads: Vec<Option<f64>>,
}

struct Row {
    kind: String,
    is_leak: bool,
    scores: Vec<Score>,
}

/// Plays all kinds and prints the table.
pub fn run(args: &AlertsArgs) -> Result<(), Failure> {
    let mut chance = Rng::with_seed(args.seed);
    let mut rows = Vec::new();
    for (kind, make) in BENIGN.into_iter().chain(LEAKS) {
        let all: Vec<Trace> = (0..args.each).map(|_| traces::make(kind, make, &mut chance)).collect();
        rows.push(row(kind, &all)?);
        eprintln!("{kind}: played");
    }
    if let Some(real) = &args.real {
        rows.extend(real_rows(real)?);
    }
    println!("{} containers of each kind, {} minutes each, seed {}\n", args.each, traces::MINUTES, args.seed);
    show_false(&rows);
    show_leads(&rows);
    Ok(())
}

fn row(kind: &str, all: &[Trace]) -> Result<Row, Failure> {
    let played: Vec<Played> = all
        .iter()
        .enumerate()
        .map(|(number, trace)| Played {
            pod: format!("p-{number}"),
            nonreclaimable: &trace.nonreclaimable,
            working_set: &trace.working_set,
        })
        .collect();
    let fired = played::play(&played)?;
    let scores =
        CONTESTANTS.iter().map(|it| score(it, &played, |number| all[number].killed, &fired)).collect();
    Ok(Row { kind: kind.to_string(), is_leak: LEAKS.iter().any(|(name, _)| *name == kind), scores })
}

fn score(
    of: &Contestant,
    played: &[Played],
    killed: impl Fn(usize) -> Option<usize>,
    fired: &Fired,
) -> Score {
    let either = [(of.alert, of.tier)];
    let names: &[(&str, &str)] = if of.alert.contains(" or ") { &EITHER } else { &either };
    let mut score = Score { containers: played.len(), ..Score::default() };
    for (number, it) in played.iter().enumerate() {
        let first = names
            .iter()
            .filter_map(|(alert, tier)| fired.get(&((*alert).into(), (*tier).into(), it.pod.clone())))
            .copied()
            .reduce(f64::min);
        score.fired += usize::from(first.is_some());
        if let Some(killed) = killed(number) {
            score.leads.push(first.filter(|first| *first < killed as f64).map(|first| killed as f64 - first));
        }
    }
    score
}

/// Real traces, none of which was seen to be killed: each alert is a false one. What is below zero is no limit, and what reads zero
/// was not read.
fn real_rows(real: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(real)?.flatten().map(|it| it.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let Some(format) = Format::named(&ending) else { continue };
        if !name.contains("1min") {
            eprintln!("{name}: left out, as it is not of every minute (no 1min in its name)");
            continue;
        }
        let all = plimsoll_history::series::of_file(format, &path)?;
        let minutes: Vec<Vec<Option<f64>>> = all
            .iter()
            .filter(|it| it.oom_kills.is_empty())
            .filter_map(|it| {
                let limit = it.limit_bytes? as f64;
                let samples: Vec<_> = it.samples().filter(|sample| sample.bytes > 0).collect();
                let (first, last) = (samples.first()?.at_ms, samples.last()?.at_ms);
                let mut by_minute = vec![None; ((last - first) / 60_000 + 1) as usize];
                for sample in &samples {
                    by_minute[((sample.at_ms - first) / 60_000) as usize] = Some(sample.bytes as f64 / limit);
                }
                Some(by_minute)
            })
            .collect();
        let played: Vec<Played> = minutes
            .iter()
            .enumerate()
            .map(|(number, known)| Played {
                pod: format!("p-{number}"),
                nonreclaimable: known,
                working_set: known,
            })
            .collect();
        let fired = played::play(&played)?;
        let scores = CONTESTANTS.iter().map(|it| score(it, &played, |_| None, &fired)).collect();
        rows.push(Row { kind: format!("{name} ({})", played.len()), is_leak: false, scores });
        eprintln!("{name}: played");
    }
    Ok(rows)
}

fn show_false(rows: &[Row]) {
    let benign: Vec<&Row> = rows.iter().filter(|row| !row.is_leak).collect();
    println!("Containers that are well, and the alert fired, in %:\n");
    print_head(benign.iter().map(|row| row.kind.as_str()), &["mean"]);
    for (index, contestant) in CONTESTANTS.iter().enumerate() {
        let shares: Vec<f64> = benign
            .iter()
            .map(|row| 100.0 * row.scores[index].fired as f64 / row.scores[index].containers.max(1) as f64)
            .collect();
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        let cells: Vec<String> =
            shares.iter().map(|it| format!("{it:.0}")).chain([format!("{mean:.1}")]).collect();
        print_row(contestant, &cells);
    }
    println!();
}

fn show_leads(rows: &[Row]) {
    let leaks: Vec<&Row> = rows.iter().filter(|row| row.is_leak).collect();
    println!(
        "Leaks: caught an hour or more before the kill, in %; minutes before it (median / the 5th of 100):\n"
    );
    print_head(leaks.iter().map(|row| row.kind.as_str()), &[]);
    for (index, contestant) in CONTESTANTS.iter().enumerate() {
        let cells: Vec<String> = leaks.iter().map(|row| lead(&row.scores[index].leads)).collect();
        print_row(contestant, &cells);
    }
}

fn lead(leads: &[Option<f64>]) -> String {
    let mut sorted: Vec<f64> = leads.iter().map(|it| it.unwrap_or(-1.0)).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return "-".to_string();
    }
    let early = sorted.iter().filter(|it| **it >= 60.0).count();
    let at = |share: f64| {
        let it = sorted[((sorted.len() - 1) as f64 * share) as usize];
        if it < 0.0 { "-".to_string() } else { format!("{it:.0}") }
    };
    format!("{:.0} {}/{}", 100.0 * early as f64 / sorted.len() as f64, at(0.5), at(0.05))
}

fn print_head<'a>(kinds: impl Iterator<Item = &'a str>, more: &[&'a str]) {
    let kinds: Vec<&str> = kinds.chain(more.iter().copied()).collect();
    println!("| alert | {} |", kinds.join(" | "));
    println!("|---|{}", "---:|".repeat(kinds.len()));
}

fn print_row(of: &Contestant, cells: &[String]) {
    let title = if of.is_ours { format!("**{}**", of.title) } else { of.title.to_string() };
    println!("| {title} | {} |", cells.join(" | "));
}
