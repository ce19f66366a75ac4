//! `plimsoll backtest`: what each policy would have given on a history, and what would have come of it.

mod decisions;
mod jobs;
mod page;
mod policies;
mod report;
mod series;

use super::CommandError;
use super::access::AccessArgs;
use crate::config::parse_span_ms;
use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;
use plimsoll_core::size::parse_size;
use plimsoll_history::Source;
use policies::PolicyName;
pub use policies::RiskChoice;
use std::io::Write;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  plimsoll backtest usage.parquet
  plimsoll backtest csv:usage.csv --policy krr,plimsoll --train 14d --horizon 1d
  plimsoll backtest usage.csv --resize-every 5m --output json
  plimsoll backtest usage.csv --output html > backtest.html
  plimsoll backtest usage.csv --decisions decisions.csv
  plimsoll backtest http://localhost:9090 --namespace shop --horizon 1d
  plimsoll backtest builds.parquet --jobs

A file of series has the columns series_id, timestamp (seconds), bytes [, limit_bytes];
a file of jobs role, job, peak_bytes [, seconds, any attributes known before the run].";

/// `plimsoll backtest`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BacktestArgs {
    /// Where history is: csv:FILE, parquet:FILE, tsdb:DIR, http(s)://..., prometheus:URL, victoriametrics:URL; `csv:-` is
    /// the standard input
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath)]
    source: String,
    /// Policies to compare
    #[arg(long, value_name = "NAMES", value_enum, value_delimiter = ',', default_value = "all")]
    policy: Vec<PolicyName>,
    /// Of a cluster, only this namespace; may be given several times
    #[arg(short, long, value_name = "NAME")]
    namespace: Vec<String>,
    /// Of a cluster, how far back history is read
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "28d")]
    window: i64,
    /// Of a cluster, the time at which history ends, such as 2026-11-25T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,
    /// History before the first decision
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "14d")]
    train: i64,
    /// Time between two decisions
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "7d")]
    horizon: i64,
    /// Closed loop: decide each SPAN anew, where a shrink below what is used is refused, as a kubelet does
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, conflicts_with = "horizon")]
    resize_every: Option<i64>,
    /// Changes that the policy "envelope" may make a day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=48), default_value_t = 4)]
    changes_per_day: u16,
    /// Least size of every policy, 0 for none [default: each policy's own]
    #[arg(long, value_name = "SIZE", value_parser = parse_floor)]
    floor: Option<u64>,
    /// Risk of our policy, such as "1 OOM per 1000 task-days", or "usual": as much as the highest of 14 days and 15 %
    #[arg(long, value_name = "RISK", default_value = "usual")]
    risk: RiskChoice,
    /// The source holds builds: judge the size each run would have been given
    #[arg(long, conflicts_with_all = ["train", "horizon", "resize_every", "floor", "decisions"])]
    jobs: bool,
    /// Write every decision as CSV: policy, series_id, from, to, limit_bytes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    decisions: Option<PathBuf>,
    /// Price of one GiB for an hour, to say what is reserved in money
    #[arg(long, value_name = "PRICE")]
    gib_hour_price: Option<f64>,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
    #[command(flatten)]
    access: AccessArgs,
}

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// A self-contained page.
    Html,
}

/// `--floor`: a size, or nothing at all.
fn parse_floor(text: &str) -> Result<u64, plimsoll_core::size::SizeError> {
    if text.trim() == "0" { Ok(0) } else { parse_size(text) }
}

/// Reads, replays, shows.
pub fn run(args: &BacktestArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let source: Source = args.source.parse()?;
    let text = if args.jobs { jobs::text(args, &source)? } else { series::text(args, &source)? };
    Ok(out.write_all(text.as_bytes())?)
}
