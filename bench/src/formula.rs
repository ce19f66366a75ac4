//! How well memory by role is foretold: made-up apps whose truth is known, and a real one, several ways side by side.
//!
//! Of made-up apps each way learns from the first three weeks and is held against the fourth; of the real one it learns from
//! the first 70 % of the time.

mod real;

use crate::Failure;
use crate::table::{aligned, median, piped};
use plimsoll_core::capacity::formula::compare::{Score, compare};
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::formula::plain::Formula;
use plimsoll_core::capacity::formula::retained::Stay;
use plimsoll_core::capacity::formula::truth::{Change, Mix, Truth};
use plimsoll_core::capacity::roles::Role;
use plimsoll_core::sizing::DAY_MS;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Seeds of all chance; medians over them are told
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    seeds: Vec<u64>,
    /// Only this app: one of those made up, or `real`
    #[arg(long)]
    app: Option<String>,
    /// Play visits of the real app for so many minutes, which are ten hours each; 0 leaves it out
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(..=120))]
    real_minutes: u64,
    /// Write the table as Markdown here
    #[arg(long)]
    out: Option<PathBuf>,
}

const LEARNED_DAYS: i64 = 21;
/// Of the real app, of whose time a week would take an hour to play.
const LEARNED_SHARE: f64 = 0.7;
const REAL: &str = "real";
const HEAD: [&str; 7] =
    ["app", "way", "MAPE", "below p95", "busy half", "p95 above use", "base / roles (MB)"];
/// What ours has to come to on the usual app.
const ERROR_SHARE_MAX: f64 = 0.04;
const COVERED_SHARE: std::ops::RangeInclusive<f64> = 0.93..=0.97;

/// Measures all and prints it. Not a success when ours misses its goal on the usual app.
pub fn formula(plan: &Plan) -> Result<ExitCode, Failure> {
    let apps: Vec<(&str, Truth)> =
        apps().into_iter().filter(|(name, _)| plan.app.as_deref().is_none_or(|app| app == *name)).collect();
    let with_real = plan.real_minutes > 0 && plan.app.as_deref().is_none_or(|app| app == REAL);
    if (apps.is_empty() && !with_real) || plan.seeds.is_empty() {
        let names: Vec<&str> = self::apps().iter().map(|(name, _)| *name).chain([REAL]).collect();
        return Err(
            format!("nothing to measure\ngive a seed, and one of these apps: {}", names.join(", ")).into()
        );
    }
    let mut rows = Vec::new();
    let mut is_held = true;
    for (name, truth) in &apps {
        let measured: Vec<Vec<Score>> = plan.seeds.iter().map(|seed| measure(truth, *seed)).collect();
        for way in 0..measured[0].len() {
            let scores: Vec<&Score> = measured.iter().map(|scores| &scores[way]).collect();
            rows.push(row(name, &scores));
        }
        // Ours is the last.
        is_held &= *name != "usual" || measured.iter().filter_map(|scores| scores.last()).all(holds);
    }
    if with_real {
        println!("a real app is visited for {} minutes ...", plan.real_minutes);
        let seen = real::play(plan.real_minutes, plan.seeds[0])?;
        println!("{} hours were played, with {} observations", seen.hours, seen.observations.len());
        rows.extend(measure_real(&seen.observations).iter().map(|score| row(REAL, &[score])));
    }
    print!("{}", aligned(&HEAD, &rows));
    println!("goal for ours on the usual app: MAPE at most 4 %, 93 to 97 % below p95, for each seed");
    if let Some(path) = &plan.out {
        std::fs::write(path, piped(&HEAD, &rows))?;
    }
    Ok(if is_held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn holds(score: &Score) -> bool {
    score.error_share <= ERROR_SHARE_MAX && COVERED_SHARE.contains(&score.covered_share)
}

fn measure(truth: &Truth, seed: u64) -> Vec<Score> {
    let seen = truth.observations(seed);
    compare(&seen, seen[0].at_ms + LEARNED_DAYS * DAY_MS, &Formula::backend())
}

fn measure_real(seen: &[Observation]) -> Vec<Score> {
    let (first, last) = (seen.first().map_or(0, |it| it.at_ms), seen.last().map_or(0, |it| it.at_ms));
    let until_ms = first + ((last - first) as f64 * LEARNED_SHARE) as i64;
    compare(seen, until_ms, &Formula::backend())
}

fn row(app: &str, scores: &[&Score]) -> Vec<String> {
    let of = |value: &dyn Fn(&Score) -> f64| {
        median(scores.iter().map(|score| value(score)).collect()).unwrap_or(0.0)
    };
    let percent = |value: &dyn Fn(&Score) -> f64| format!("{:.1} %", 100.0 * of(value));
    let mb = |name: &'static str| of(&|score| score.mb(name).unwrap_or(0.0));
    let roles = [Role::PARTICIPANT_VIDEO, Role::PARTICIPANT_NO_VIDEO, Role::EXPERIMENTER];
    let roles = roles.map(|role| format!("{:.1}", of(&|score| score.mb(role.as_str()).unwrap_or(0.0))));
    vec![
        app.to_string(),
        scores[0].way.to_string(),
        percent(&|score| score.error_share),
        percent(&|score| score.covered_share),
        percent(&|score| score.covered_busy_share),
        format!("{:.0} MB", of(&|score| score.over_mb)),
        format!("{:.0} / {}", mb("base"), roles.join(" / ")),
    ]
}

/// All are the usual one but for what their name says.
fn apps() -> Vec<(&'static str, Truth)> {
    let usual = Truth::usual;
    let changes = |day: u64, version: Option<&str>, factor: f64| {
        vec![Change { day, version: version.map(str::to_string), factor }]
    };
    vec![
        ("usual", usual()),
        ("nothing-stays", Truth { stay: Stay::NOT, ..usual() }),
        ("a-third-stays-long", Truth { stay: Stay { tau_minutes: 120.0, share: 0.3 }, ..usual() }),
        ("roles-locked", Truth { mix: Mix::Locked, ..usual() }),
        ("roles-apart", Truth { mix: Mix::Apart, ..usual() }),
        ("scrapes-missed", Truth { missed_per_mille: 500, ..usual() }),
        ("deployed", Truth { changes: changes(14, Some("2"), 1.3), ..usual() }),
        ("drifted", Truth { changes: changes(14, None, 1.2), ..usual() }),
        ("wandering", Truth { wander_share: 0.03, ..usual() }),
        ("three-pods", Truth { pods: 3, ..usual() }),
    ]
}
