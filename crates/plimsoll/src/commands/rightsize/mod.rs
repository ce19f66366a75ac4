//! `plimsoll rightsize`: what each container should request and be limited to, by what it has used, and why.

mod forms;
mod html;
mod judged;
mod patches;
mod report;
mod source;

use super::CommandError;
use super::access::AccessArgs;
use super::backtest::RiskChoice;
use crate::config::parse_span_ms;
use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;
use plimsoll_core::rightsize::answer::Settings;
use plimsoll_core::size::parse_size;
use std::io::Write;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  plimsoll rightsize --source http://localhost:9090
  plimsoll rightsize --source https://mimir/prometheus --tenant shop --token-file token -n web -n api
  plimsoll rightsize --source victoriametrics:http://localhost:8428 --policy krr --output wide
  plimsoll rightsize --source tsdb:/prometheus --window 28d --output json
  plimsoll rightsize --source http://localhost:9090 --patches patches
  plimsoll rightsize --source http://localhost:9090 --fail-over 30%

Through a port-forward, the Prometheus of a cluster is
  kubectl -n monitoring port-forward svc/prometheus-operated 9090";

/// `plimsoll rightsize`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RightsizeArgs {
    /// Where history is: http(s)://..., prometheus:URL, victoriametrics:URL, tsdb:DIR, parquet:FILE, csv:FILE
    #[arg(long, value_name = "SOURCE", env = "PLIMSOLL_SOURCE", hide_env_values = true, value_hint = ValueHint::Url)]
    source: String,
    /// Only this namespace; may be given several times
    #[arg(short, long, value_name = "NAME")]
    namespace: Vec<String>,
    /// Only pods with these labels, as app=shop,tier=web
    #[arg(short = 'l', long, value_name = "LABELS", value_parser = parse_label, value_delimiter = ',')]
    selector: Vec<(String, String)>,
    /// The rule that sizes
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Rule::Plimsoll)]
    policy: Rule,
    /// Risk of our policy, such as "1 OOM per 1000 task-days", or "usual": as much as the highest of 14 days and 15 %
    #[arg(long, value_name = "RISK", default_value = "usual")]
    risk: RiskChoice,
    /// How far back history is read
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "14d")]
    window: i64,
    /// How long a size is to last [default: a quarter of --window]
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms)]
    horizon: Option<i64>,
    /// The time that counts as now, such as 2026-11-25T00:00:00Z [default: now; of files and blocks, their end]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,
    /// Least request and limit: a container runtime needs some itself to start one
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "32Mi")]
    floor: u64,
    /// Price of one GiB for an hour, to say what is saved in money
    #[arg(long, value_name = "PRICE")]
    gib_hour_price: Option<f64>,
    /// Write patches into this folder: strategic merge, kustomize, Helm values, VPA objects, text of a merge request
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    patches: Option<PathBuf>,
    /// End with exit code 88 where a request or limit is off by more than this, such as 30%
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    fail_over: Option<f64>,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
    #[command(flatten)]
    access: AccessArgs,
}

/// `--policy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// Ours
    Plimsoll,
    /// Robusta KRR, simple: highest of 14 days and 15 %
    Krr,
    /// Vertical Pod Autoscaler: 90th percentile of fading daily peaks and 15 %
    Vpa,
    /// Autopilot, moving window
    AutopilotWindow,
    /// Autopilot, the cheapest of many models
    AutopilotMl,
}

impl Rule {
    fn name(self) -> &'static str {
        match self {
            Rule::Plimsoll => "plimsoll",
            Rule::Krr => "krr",
            Rule::Vpa => "vpa",
            Rule::AutopilotWindow => "autopilot-window",
            Rule::AutopilotMl => "autopilot-ml",
        }
    }
}

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// With reasons.
    Wide,
    /// For programs.
    Json,
    /// For both.
    Yaml,
    /// For spreadsheets.
    Csv,
    /// For merge requests.
    Markdown,
    /// A self-contained page.
    Html,
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pair.map(|(name, value)| {
        (name.trim_end_matches('=').to_string(), value.trim_start_matches('=').to_string())
    })
    .ok_or_else(|| format!("'{text}' is no label\nwrite it as app=shop"))
}

/// As a share.
fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end().parse::<f64>().ok();
    number
        .filter(|percent| percent.is_finite() && *percent >= 0.0)
        .map(|percent| percent / 100.0)
        .ok_or_else(|| format!("'{text}' is no percentage\nwrite it as 30%"))
}

/// The defaults, which are where the command line has them.
fn defaults(source: &str) -> Result<RightsizeArgs, CommandError> {
    #[derive(clap::Parser)]
    struct Defaults {
        #[command(flatten)]
        args: RightsizeArgs,
    }
    let defaults = <Defaults as clap::Parser>::try_parse_from(["rightsize", "--source", source]);
    Ok(defaults.map_err(|error| CommandError::Form(error.to_string()))?.args)
}

/// The report as JSON, of these namespaces or all, with all else as it is by default.
pub fn report_of(source: &str, namespace: Vec<String>, access: &AccessArgs) -> Result<String, CommandError> {
    let args = RightsizeArgs { namespace, access: access.clone(), ..defaults(source)? };
    super::form::json(&judged::report(&args, &source::read(&args)?))
}

/// How containers are judged of so long a window up to a time, with all else as it is by default.
pub(super) fn settings(window_ms: i64, now_ms: i64) -> Result<Settings, CommandError> {
    // No source is asked by it.
    let args = RightsizeArgs { window: window_ms, ..defaults("none")? };
    Ok(judged::settings(&args, now_ms))
}

/// Reads, judges, shows, writes patches.
pub fn run(args: &RightsizeArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let history = source::read(args)?;
    let report = judged::report(args, &history);
    if let Some(folder) = &args.patches {
        patches::write(folder, &report)?;
        // For people: what is written to the standard output may be read by programs.
        eprintln!("plimsoll: patches are in {0}; start with {0}/merge-request.md", folder.display());
    }
    out.write_all(forms::text(args.output, &report)?.as_bytes())?;
    match report.over(args.fail_over) {
        0 => Ok(()),
        count => Err(CommandError::Over { count, percent: args.fail_over.unwrap_or(0.0) * 100.0 }),
    }
}
