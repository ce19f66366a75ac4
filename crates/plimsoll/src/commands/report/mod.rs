//! `plimsoll report`: what grew, what was wasted, what was killed, what to change and what it costs, this period beside the one
//! before; for people on a Monday, and for the job that tells them.

mod ask;
mod html;
mod markdown;
mod pieces;
mod price;
mod text;

#[cfg(test)]
mod tests;

use super::access::AccessArgs;
use super::form::{Form, json};
use super::store::StoreArgs;
use super::{CommandError, whole_file};
use crate::config::parse_span_ms;
use crate::render::summary::Style;
use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;
use plimsoll_core::report::seen::Period;
use plimsoll_core::report::{Report, Severity, report};
use plimsoll_core::sizing::DAY_MS;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  plimsoll report                                              the builds that are remembered here
  plimsoll report --source http://localhost:9090 -n shop
  plimsoll report --source http://localhost:9090 --html report.html --markdown report.md --fail-on warning
  plimsoll report --since 1d --source https://mimir/prometheus --tenant shop --token-file token -o json

It ends with 1 where a finding is as bad as --fail-on says, and with 125 where a source cannot be read.";

/// The shortest and the longest period: hours are the finest that is kept, and few servers keep more than half a year.
const SINCE_MIN_MS: i64 = DAY_MS;
const SINCE_MAX_MS: i64 = 92 * DAY_MS;

/// `plimsoll report`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// How long the period is; the one before is as long
    #[arg(long, value_name = "SPAN", value_parser = parse_since, default_value = "7d")]
    since: i64,
    /// Where history of a cluster is: http(s)://..., prometheus:URL, victoriametrics:URL, tsdb:DIR [default: no cluster is asked]
    #[arg(
        long,
        visible_alias = "prometheus",
        value_name = "SOURCE",
        env = "PLIMSOLL_SOURCE",
        hide_env_values = true,
        value_hint = ValueHint::Url
    )]
    source: Option<String>,
    /// Only this namespace; may be given several times
    #[arg(short, long, value_name = "NAME")]
    namespace: Vec<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// What people take: plimsoll serve, as http://127.0.0.1:7676, or its store, a file or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL|FILE", env = "PLIMSOLL_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// A file with the token for --server
    #[arg(long, value_name = "FILE", requires = "server", value_hint = ValueHint::FilePath)]
    server_token_file: Option<PathBuf>,
    /// Price of one GiB for an hour [default: OpenCost's where --source has it, else monitoring.cost of plimsoll.yaml]
    #[arg(long, value_name = "PRICE", value_parser = price::parse)]
    gib_hour_price: Option<plimsoll_core::capacity::booking::price::Money>,
    /// Configuration, `-` for stdin [default: plimsoll.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// The end of the period, such as 2026-11-30T00:00:00Z [default: now; of blocks, their end]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,
    /// End with exit code 1 where a finding is as bad as this
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Critical)]
    fail_on: FailOn,
    /// Findings of each kind that are shown; changes in danger always are, up to 100
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), default_value = "10")]
    top: u16,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = ReportForm::Table)]
    output: ReportForm,
    /// Write it as a page too, self-contained
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Write it as Markdown too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    markdown: Option<PathBuf>,
    /// Write it as JSON too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    json: Option<PathBuf>,
    #[command(flatten)]
    access: AccessArgs,
}

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportForm {
    /// For a terminal.
    Table,
    /// For a chat or a merge request.
    Markdown,
    /// For a mail: a self-contained page.
    Html,
    /// For programs.
    Json,
    /// For both.
    Yaml,
}

/// `--fail-on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// What somebody has to act on.
    Critical,
    /// Also what somebody should look at.
    Warning,
    /// Whatever is found.
    Info,
    /// Nothing.
    Never,
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            FailOn::Critical => Some(Severity::Critical),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }
}

fn parse_since(text: &str) -> Result<i64, String> {
    let ms = parse_span_ms(text)?;
    let is_between = (SINCE_MIN_MS..=SINCE_MAX_MS).contains(&ms);
    is_between
        .then_some(ms)
        .ok_or_else(|| format!("'{text}' is no period\nwrite it as 7d, between 1d and 92d"))
}

/// Reads all that was asked for, reports, shows, writes files.
pub fn run(args: &ReportArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let report = report(&ask::all(args)?, usize::from(args.top));
    for (path, form) in [
        (&args.html, ReportForm::Html),
        (&args.markdown, ReportForm::Markdown),
        (&args.json, ReportForm::Json),
    ] {
        if let Some(path) = path {
            whole_file::write(path, &shown(form, &report, Style { color: false, width: usize::MAX })?)?;
        }
    }
    out.write_all(shown(args.output, &report, Style::of(&std::io::stdout()))?.as_bytes())?;
    out.flush()?;
    let Some(least) = args.fail_on.severity() else { return Ok(()) };
    match report.counts.at_least(least) {
        0 => Ok(()),
        count => Err(CommandError::Reported { count, least: least.name() }),
    }
}

fn shown(form: ReportForm, report: &Report, style: Style) -> Result<String, CommandError> {
    match form {
        ReportForm::Table => Ok(text::text(report, style)),
        ReportForm::Markdown => Ok(markdown::text(report)),
        ReportForm::Html => Ok(html::page(report)),
        ReportForm::Json => json(report),
        ReportForm::Yaml => Form::Yaml.text(report, |_| String::new()),
    }
}

/// The period that ends then.
fn period(since_ms: i64, to_ms: i64) -> Period {
    Period { from_ms: to_ms - since_ms, to_ms }
}
