//! Backtests of series.

use super::policies::{PolicyName, decide, in_parallel};
use super::report::{BacktestReport, CalibrationReport, PolicyReport, SCHEMA};
use super::{BacktestArgs, CommandError, Form, page};
use crate::commands::form::json;
use crate::render::progress::Progress;
use crate::render::table::table;
use plimsoll_core::backtest::replay::Decided;
use plimsoll_core::backtest::score::{Calibration, Score};
use plimsoll_core::backtest::{Decision, Schedule, Series};
use plimsoll_history::workloads::{self, Question};
use plimsoll_history::{Source, series};
use std::fmt::Write as _;
use std::io::Write as _;

/// A policy, what it decided and what came of it, series by series.
pub(super) struct Outcome {
    pub policy: PolicyName,
    pub decisions: Vec<Vec<Decision>>,
    pub scores: Vec<(String, Score)>,
    /// Of a policy that reckons chances.
    pub calibration: Option<Calibration>,
}

pub(super) fn text(args: &BacktestArgs, source: &Source) -> Result<String, CommandError> {
    let series = read(args, source)?;
    let schedule = Schedule {
        train_ms: args.train,
        horizon_ms: args.resize_every.unwrap_or(args.horizon),
        closed_loop: args.resize_every.is_some(),
    };
    let (train_seconds, horizon_seconds) = (seconds(schedule.train_ms), seconds(schedule.horizon_ms));
    if series.iter().all(|series| schedule.windows(&series.samples).next().is_none()) {
        return Err(CommandError::TooShort { train: span(train_seconds), horizon: span(horizon_seconds) });
    }
    let outcomes: Vec<Outcome> = PolicyName::chosen(&args.policy)
        .into_iter()
        .map(|policy| outcome(policy, &series, &schedule, args))
        .collect();
    if let Some(path) = &args.decisions {
        write_decisions(path, &series, &outcomes)
            .map_err(|error| CommandError::File { path: path.display().to_string(), error })?;
    }
    let report = BacktestReport {
        schema: SCHEMA,
        source: source.to_string(),
        train_seconds,
        horizon_seconds,
        closed_loop: schedule.closed_loop,
        policies: outcomes.iter().map(|outcome| PolicyReport::new(outcome, args.gib_hour_price)).collect(),
    };
    match args.output {
        Form::Table => Ok(shown(&report)),
        Form::Json => json(&report),
        Form::Html => Ok(page::page(&report, &series, &outcomes)),
    }
}

fn read(args: &BacktestArgs, source: &Source) -> Result<Vec<Series>, CommandError> {
    match source {
        Source::File(format, path) => Ok(series::of_file(*format, path)?),
        Source::Server(_) | Source::Blocks(_) => {
            let (reader, range) = args.access.open_stretch(source, args.window, args.as_of)?;
            let question = Question { namespaces: args.namespace.clone(), labels: Vec::new(), range };
            let progress = Progress::start("namespaces");
            Ok(workloads::series(&reader, &question, &|done, all| progress.show(done, all))?)
        }
    }
}

fn outcome(policy: PolicyName, series: &[Series], schedule: &Schedule, args: &BacktestArgs) -> Outcome {
    let Decided { decisions, chances } =
        decide(policy, series, schedule, args.floor, args.risk, args.changes_per_day.into());
    let numbered: Vec<(usize, &Series)> = series.iter().enumerate().collect();
    let score = |series: &Series, decisions: &[Decision]| match policy {
        PolicyName::Envelope => Score::of_stretches(series, schedule.windows(&series.samples), decisions),
        _ => Score::of(series, decisions),
    };
    let scores =
        in_parallel(&numbered, |(index, series)| (series.id.clone(), score(series, &decisions[*index])));
    let mut calibration = Calibration::default();
    for ((series, decisions), chances) in series.iter().zip(&decisions).zip(&chances) {
        calibration.add(&Calibration::of(series, decisions, chances));
    }
    let calibration = (calibration.decisions > 0).then_some(calibration);
    Outcome { policy, decisions, scores, calibration }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A stretch of time in days, hours or minutes, whichever it is a whole number of.
pub(super) fn span(seconds: f64) -> String {
    match seconds as i64 {
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn shown(report: &BacktestReport) -> String {
    let priced = report.policies.iter().any(|policy| policy.price_per_month.is_some());
    let mut head = vec![
        "policy",
        "series",
        "decisions",
        "windows over",
        "a task-day",
        "samples over",
        "series over",
        "slack",
        "above oracle",
        "changes/day",
        "reserved",
    ];
    head.extend(priced.then_some("a month"));
    let mut rows = vec![head.into_iter().map(String::from).collect::<Vec<_>>()];
    for policy in &report.policies {
        let mut row = vec![
            policy.policy.to_string(),
            policy.series.to_string(),
            policy.decisions.to_string(),
            policy.windows_exceeded.to_string(),
            format!("{:.4}", policy.exceedances_per_day),
            policy.samples_exceeded.to_string(),
            policy.series_exceeded.to_string(),
            format!("{:.1} %", policy.slack * 100.0),
            format!("{:.1} %", (policy.slack - policy.oracle_slack) * 100.0),
            format!("{:.2}", policy.changes_per_day),
            format!("{:.1} GiB", policy.limit_gib),
        ];
        row.extend(policy.price_per_month.map(|price| format!("{price:.2}")));
        rows.push(row);
    }
    let (train, horizon) = (span(report.train_seconds), span(report.horizon_seconds));
    let mut text = format!("{} of history, then a decision each {horizon}\n\n{}", train, table(&rows));
    for policy in &report.policies {
        if let Some(calibration) = &policy.calibration {
            let CalibrationReport { decisions, expected, passed } = calibration;
            let _ = writeln!(
                text,
                "\n{} reckoned with {expected:.0} windows over of {decisions} whose chance it knew; there were {passed}",
                policy.policy
            );
        }
    }
    for policy in report.policies.iter().filter(|policy| policy.windows_exceeded > 0) {
        let _ = writeln!(text, "\nworst under {}:", policy.policy);
        for series in policy.worst.iter().filter(|series| series.windows_exceeded > 0).take(3) {
            let (id, windows, samples) =
                (&series.series_id, series.windows_exceeded, series.samples_exceeded);
            let _ = writeln!(text, "  {id}: {windows} windows, {samples} samples over");
        }
    }
    text
}

/// Times in seconds, as in the source. The file is whole or not there: it is renamed into its place.
fn write_decisions(path: &std::path::Path, series: &[Series], outcomes: &[Outcome]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(std::path::Path::new(".")))?;
    let mut writer = csv::Writer::from_writer(std::io::BufWriter::new(file));
    writer.write_record(["policy", "series_id", "from", "to", "limit_bytes"])?;
    for outcome in outcomes {
        for (series, decisions) in series.iter().zip(&outcome.decisions) {
            for decision in decisions {
                let [from, to] = [decision.from_ms, decision.to_ms].map(|ms| seconds(ms).to_string());
                let limit = decision.limit_bytes.to_string();
                writer.write_record([outcome.policy.name(), &series.id, &from, &to, &limit])?;
            }
        }
    }
    let mut buffer = writer.into_inner().map_err(|error| error.into_error())?;
    buffer.flush()?;
    let file = buffer.into_inner().map_err(|error| error.into_error())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
