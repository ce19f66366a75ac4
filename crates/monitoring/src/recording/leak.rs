//! How long memory has until its limit, where it grows without end.
//!
//! What a garbage collector or a burst takes comes back; what leaks does not, so growth is looked for in the least that was in use
//! within ten minutes or an hour. It has to go on for several stretches of equal length, none without growth and the last not
//! much weaker than the strongest (what fills a cache or warms up grows less and less), and to reach memory that was not in use
//! within the last day (what comes with daylight was). Each evidence below is blind to something; `make bench-alerts` shows what
//! all of them together see.

use super::group as named;
use super::promql::least;
use crate::names::{CREST_1H, FLOOR_1H, FLOOR_10M, GROWTH_1D, GROWTH_1H, GROWTH_20M, TIME_TO_LIMIT, USED};
use crate::rule::{Group, Record, Rule};
use crate::settings::Settings;
use std::collections::BTreeMap;

/// Growth for four hours.
pub const HOURS: &str = "hours";
/// The same, above all of the last day.
pub const NEW_GROUND: &str = "new_ground";
/// Growth for an hour and a half.
pub const MINUTES: &str = "minutes";
/// More than at the same time yesterday.
pub const DAYS: &str = "days";

pub(super) fn group(settings: &Settings) -> Group {
    let rules = vec![
        Rule::record(FLOOR_10M, format!("min_over_time({USED}[10m])")),
        Rule::record(FLOOR_1H, format!("min_over_time({USED}[1h])")),
        Rule::record(CREST_1H, format!("max_over_time({USED}[1h])")),
        Rule::record(GROWTH_20M, format!("{FLOOR_10M} - {FLOOR_10M} offset 20m")),
        Rule::record(GROWTH_1H, format!("{FLOOR_1H} - {FLOOR_1H} offset 1h")),
        Rule::record(GROWTH_1D, format!("{FLOOR_1H} - {FLOOR_1H} offset 1d")),
        evidence(HOURS, &hours()),
        evidence(NEW_GROUND, &new_ground()),
        evidence(MINUTES, &minutes()),
        evidence(DAYS, &days()),
    ];
    named(settings, "leaks", rules)
}

fn evidence(name: &str, expr: &str) -> Rule {
    let record =
        Record { record: TIME_TO_LIMIT.to_string(), expr: expr.to_string(), labels: BTreeMap::new() };
    Rule::Record(record.label("evidence", name))
}

/// A growth, and the same before, as many stretches of it as that.
fn stretches(growth: &str, minutes: u32, count: u32) -> Vec<String> {
    let before = |n| if n == 0 { growth.to_string() } else { format!("{growth} offset {}m", n * minutes) };
    (0..count).map(before).collect()
}

/// Where the last stretch is this part of each other one.
fn not_weaker(stretches: &[String], part: f64) -> String {
    let (last, before) = stretches.split_first().expect("at least one stretch");
    before.iter().map(|it| format!("and {last} >= {part} * ({it})")).collect::<Vec<_>>().join("\n")
}

fn hours() -> String {
    let growth = stretches(GROWTH_1H, 60, 3);
    format!(
        "3600 * (1 - {CREST_1H}) / ({} > 0.005)\n{}\nand {CREST_1H} > 0.6\nand {FLOOR_1H} offset 4h\nunless {FLOOR_1H} <= 0.03 + max_over_time({FLOOR_1H}[1d] offset 3h)",
        least(&growth),
        not_weaker(&growth, 0.5),
    )
}

/// With a day to compare with, the growth of now counts, and what is farther off may be told.
fn new_ground() -> String {
    let growth = stretches(GROWTH_1H, 60, 3);
    let mean = format!("(({}) / 3)", growth.join(" + "));
    format!(
        "3600 * (1 - {CREST_1H}) / ({})\nand {} > 0.005\n{}\nand {CREST_1H} > 0.5\nand {FLOOR_1H} > 0.05 + max_over_time({FLOOR_1H}[1d] offset 3h)\nand {FLOOR_1H} offset 28h",
        least(&[GROWTH_1H.to_string(), mean]),
        least(&growth),
        not_weaker(&growth, 0.5),
    )
}

/// What fills the limit within two or three hours: only for containers that have run for some.
fn minutes() -> String {
    let growth = stretches(GROWTH_20M, 20, 4);
    let mean = format!("(({}) / 4)", growth.join(" + "));
    format!(
        "1200 * (1 - max_over_time({USED}[10m])) / ({})\nand {} > 0.015\n{}\nand max_over_time({USED}[10m]) > 0.6\nand {FLOOR_10M} offset 4h\nunless {FLOOR_10M} <= 0.05 + max_over_time({USED}[1d] offset 80m)",
        least(&[GROWTH_20M.to_string(), mean]),
        least(&growth),
        not_weaker(&growth, 0.8),
    )
}

/// For four hours more than a day before: what comes and goes with the day does not show in it.
fn days() -> String {
    format!(
        "86400 * (1 - max_over_time({USED}[2h])) / (min_over_time({GROWTH_1D}[4h]) > 0.03)\nand {GROWTH_1D} offset 4h"
    )
}
