//! Backtests of series.

use super::decisions::DecisionsFile;
use super::policies::{PolicyName, decide, in_parallel};
use super::report::{BacktestReport, CalibrationReport, PolicyReport, SCHEMA};
use super::{BacktestArgs, CommandError, Form, page};
use crate::commands::form::json;
use crate::render::progress::Progress;
use crate::render::table::table;
use plimsoll_core::backtest::fleet::Decided;
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::backtest::score::{Calibration, Score};
use plimsoll_core::backtest::{Decision, Extent, Schedule};
use plimsoll_history::workloads::{self, Question};
use plimsoll_history::{Source, series};
use std::fmt::Write as _;

/// A policy, what it decided and what came of it, series by series.
pub(super) struct Outcome {
    pub policy: PolicyName,
    /// Only for a page, which draws them.
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
    if series.iter().all(|series| schedule.windows(series.extent()).next().is_none()) {
        return Err(CommandError::TooShort { train: span(train_seconds), horizon: span(horizon_seconds) });
    }
    let mut file = args.decisions.as_deref().map(DecisionsFile::create).transpose()?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for policy in PolicyName::chosen(&args.policy) {
        let mut outcome = outcome(policy, &series, &schedule, args);
        if let Some(file) = &mut file {
            file.add(&series, &outcome)?;
        }
        if args.output != Form::Html {
            outcome.decisions = Vec::new();
        }
        outcomes.push(outcome);
    }
    file.map(DecisionsFile::finish).transpose()?;
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

fn read(args: &BacktestArgs, source: &Source) -> Result<Vec<Packed>, CommandError> {
    match source {
        Source::File(format, path) => {
            let mut series = series::of_file(*format, path)?;
            // Nobody recorded these kills: they are our reading of the file, and no part of what others have published.
            series.iter_mut().for_each(|series| series.oom_kills.clear());
            Ok(series)
        }
        Source::Server(_) | Source::Blocks(_) => {
            let (reader, range) = args.access.open_stretch(source, args.window, args.as_of)?;
            let question = Question { namespaces: args.namespace.clone(), labels: Vec::new(), range };
            let progress = Progress::start("namespaces");
            Ok(workloads::series(&reader, &question, &|done, all| progress.show(done, all))?)
        }
    }
}

fn outcome(policy: PolicyName, series: &[Packed], schedule: &Schedule, args: &BacktestArgs) -> Outcome {
    let Decided { decisions, chances } =
        decide(policy, series, schedule, args.floor, args.risk, args.changes_per_day.into());
    let numbered: Vec<usize> = (0..series.len()).collect();
    let judged = in_parallel(&numbered, |index| {
        let (series, decisions) = (series[*index].open(), &decisions[*index]);
        let score = match policy {
            PolicyName::Envelope => {
                Score::of_stretches(&series, schedule.windows(Extent::of(&series.samples)), decisions)
            }
            _ => Score::of(&series, decisions),
        };
        let chances = chances.get(*index).map(|chances| Calibration::of(&series, decisions, chances));
        (series.id, score, chances.unwrap_or_default())
    });
    let mut calibration = Calibration::default();
    judged.iter().for_each(|(_, _, chances)| calibration.add(chances));
    let calibration = (calibration.decisions > 0).then_some(calibration);
    let scores = judged.into_iter().map(|(id, score, _)| (id, score)).collect();
    Outcome { policy, decisions, scores, calibration }
}

pub(super) fn seconds(ms: i64) -> f64 {
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
