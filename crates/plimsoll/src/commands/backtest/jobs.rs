//! Backtests of builds.

use super::report::JobsReport;
use super::{BacktestArgs, CommandError, Form};
use crate::commands::form::json;
use crate::render::table::table;
use plimsoll_core::sizing::builds::newsvendor::{Newsvendor, RISK};
use plimsoll_core::sizing::builds::peers::{Follows, Peers};
use plimsoll_core::sizing::builds::replay::{JUDGED_FROM_RUN, replay};
use plimsoll_core::sizing::builds::{JobPolicy, JobRun};
use plimsoll_history::{Source, jobs};

pub(super) fn text(args: &BacktestArgs, source: &Source) -> Result<String, CommandError> {
    let runs = jobs::read(source)?;
    let reports = judged(&runs);
    match args.output {
        Form::Table => Ok(shown(&reports)),
        Form::Json => json(&reports),
        Form::Html => {
            Err(CommandError::Form("a backtest of jobs has no page\nuse --output table or json".into()))
        }
    }
}

fn judged(runs: &[JobRun]) -> Vec<JobsReport> {
    let policies: [(&str, Box<dyn JobPolicy>); 5] = [
        ("plimsoll", Box::new(Newsvendor::new(RISK))),
        ("max", Box::new(Peers::new(Follows::Highest, false))),
        ("p95", Box::new(Peers::new(Follows::P95, false))),
        ("max-alike", Box::new(Peers::new(Follows::Highest, true))),
        ("p95-alike", Box::new(Peers::new(Follows::P95, true))),
    ];
    let judge = |(policy, mut rule): (&'static str, Box<dyn JobPolicy>)| {
        let score = replay(runs, rule.as_mut());
        JobsReport {
            policy,
            runs: score.runs,
            first_failures: score.first_failures,
            waste_gib_hours: score.waste_gib_hours,
            failure_ratio: score.failure_ratio(),
        }
    };
    policies.into_iter().map(judge).collect()
}

fn shown(reports: &[JobsReport]) -> String {
    let mut rows =
        vec![["policy", "runs", "first failures", "", "wasted GiB-hours"].map(String::from).to_vec()];
    rows.extend(reports.iter().map(|report| {
        vec![
            report.policy.to_string(),
            report.runs.to_string(),
            report.first_failures.to_string(),
            format!("{:.2} %", report.failure_ratio * 100.0),
            format!("{:.0}", report.waste_gib_hours),
        ]
    }));
    format!(
        "each role from its run {JUDGED_FROM_RUN} on; a run that needs more is tried again with twice as much\n\n{}",
        table(&rows)
    )
}
