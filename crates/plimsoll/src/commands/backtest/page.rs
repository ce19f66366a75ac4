//! The backtest as one self-contained page: inline CSS and SVG, no script, light and dark.

use super::report::{BacktestReport, PolicyReport, WORST};
use super::series::{Outcome, span};
use crate::render::html::{STYLE, document, escape};
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::backtest::{Decision, Series, within};
use plimsoll_core::size::human;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Size of the drawings; they scale with the page.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const SERIES_HEIGHT: f64 = 150.0;
/// Room for labels around the picture.
const EDGE: f64 = 46.0;
/// A series is drawn with so many points at most: the highest of each stretch.
const POINTS: usize = 900;
/// Colours of the policies, in their order; told apart with red-green blindness too (Okabe and Ito).
const COLOURS: [&str; 7] = ["#0072b2", "#e69f00", "#cc79a7", "#009e73", "#d55e00", "#999999", "#56b4e9"];

const OWN_STYLE: &str = ".axis{stroke:var(--line)}.limit{fill:none;stroke-width:1.5}.usage{fill:none;stroke:var(--ink);stroke-width:1}\
td.n,th.n{text-align:right}.key{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}";

/// The page.
pub(super) fn page(report: &BacktestReport, series: &[Packed], outcomes: &[Outcome]) -> String {
    let body =
        [head(report), pareto(&report.policies), policies(&report.policies), worst(report, series, outcomes)];
    document("Backtest", &format!("{STYLE}\n{OWN_STYLE}"), &body.concat())
}

fn head(report: &BacktestReport) -> String {
    let how = if report.closed_loop { "the size follows use" } else { "a size holds until the next" };
    format!(
        "<h1>Backtest</h1>\n<p><code>{}</code></p>\n<p class=\"soft\">{} of history, then a decision each {}; {how}.</p>\n",
        escape(&report.source),
        span(report.train_seconds),
        span(report.horizon_seconds),
    )
}

/// What is wasted against what is passed: the lower and the more to the left the better.
fn pareto(policies: &[PolicyReport]) -> String {
    let above = |policy: &PolicyReport| (policy.slack - policy.oracle_slack).max(0.0) * 100.0;
    let right = policies.iter().map(above).fold(1.0, f64::max) * 1.15;
    let top = policies.iter().map(|policy| policy.windows_exceeded).max().unwrap_or(0).max(1) as f64 * 1.1;
    let x = |percent: f64| EDGE + percent / right * (WIDTH - 2.0 * EDGE);
    let y = |windows: u64| HEIGHT - EDGE - windows as f64 / top * (HEIGHT - 2.0 * EDGE);
    let mut svg = format!(
        "<h2>Risk and waste</h2>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"exceeded windows over slack\">\n"
    );
    let (bottom, end) = (HEIGHT - EDGE, WIDTH - EDGE);
    let _ = writeln!(svg, "<path class=\"axis\" fill=\"none\" d=\"M{EDGE} {EDGE}V{bottom}H{end}\"/>");
    let _ = writeln!(
        svg,
        "<text x=\"{EDGE}\" y=\"{}\">windows over the limit (top {:.0})</text>",
        EDGE - 12.0,
        top / 1.1
    );
    let _ = writeln!(
        svg,
        "<text x=\"{end}\" y=\"{}\" text-anchor=\"end\">slack above the oracle, up to {right:.1} %</text>",
        bottom + 24.0
    );
    for (policy, colour) in policies.iter().zip(COLOURS.iter().cycle()) {
        let (x, y) = (x(above(policy)), y(policy.windows_exceeded));
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{colour}\"/>");
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 10.0, y - 6.0, policy.policy);
    }
    svg + "</svg>\n"
}

fn policies(policies: &[PolicyReport]) -> String {
    let mut html = String::from(
        "<table><tr><th>policy</th><th class=\"n\">decisions</th><th class=\"n\">windows over</th><th class=\"n\">samples over</th>\
         <th class=\"n\">series over</th><th class=\"n\">slack</th><th class=\"n\">above oracle</th><th class=\"n\">changes/day</th>\
         <th class=\"n\">reserved</th></tr>\n",
    );
    for (policy, colour) in policies.iter().zip(COLOURS.iter().cycle()) {
        let _ = writeln!(
            html,
            "<tr><td><span class=\"key\" style=\"background:{colour}\"></span>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{} of {}</td><td class=\"n\">{:.1} %</td><td class=\"n\">{:.1} %</td>\
             <td class=\"n\">{:.2}</td><td class=\"n\">{:.1} GiB</td></tr>",
            policy.policy,
            policy.decisions,
            policy.windows_exceeded,
            policy.samples_exceeded,
            policy.series_exceeded,
            policy.series,
            policy.slack * 100.0,
            (policy.slack - policy.oracle_slack) * 100.0,
            policy.changes_per_day,
            policy.limit_gib,
        );
    }
    html + "</table>\n"
}

/// Every series that is among the worst of a policy, with the limits of all policies.
fn worst(report: &BacktestReport, series: &[Packed], outcomes: &[Outcome]) -> String {
    let bad: BTreeSet<&str> = report
        .policies
        .iter()
        .filter(|policy| !["oracle", "envelope"].contains(&policy.policy))
        .flat_map(|policy| policy.worst.iter().filter(|series| series.windows_exceeded > 0).take(WORST))
        .map(|series| series.series_id.as_str())
        .collect();
    let drawn = series.iter().enumerate().filter(|(_, series)| bad.contains(series.id.as_str()));
    let drawings: String = drawn.map(|(index, series)| drawing(index, &series.open(), outcomes)).collect();
    if drawings.is_empty() { String::new() } else { format!("<h2>Series over a limit</h2>\n{drawings}") }
}

fn drawing(index: usize, series: &Series, outcomes: &[Outcome]) -> String {
    let (Some(first), Some(last)) = (series.samples.first(), series.samples.last()) else {
        return String::new();
    };
    let limits =
        outcomes.iter().flat_map(|outcome| &outcome.decisions[index]).map(|decision| decision.limit_bytes);
    let highest = series.samples.iter().map(|sample| sample.bytes).max().unwrap_or(0);
    // A policy that gives ten times the need would flatten the rest.
    let top = limits.max().unwrap_or(0).min(highest.saturating_mul(3)).max(highest).max(1) as f64 * 1.05;
    let length_ms = (last.at_ms - first.at_ms).max(1) as f64;
    let x = |at_ms: i64| (at_ms - first.at_ms) as f64 / length_ms * WIDTH;
    let y = |bytes: u64| SERIES_HEIGHT - (bytes as f64 / top).min(1.0) * SERIES_HEIGHT;
    let mut svg = format!(
        "<h3>{}</h3>\n<p class=\"soft\">highest {}{}</p>\n<svg viewBox=\"0 0 {WIDTH} {SERIES_HEIGHT}\" role=\"img\" aria-label=\"memory and limits over time\">\n",
        escape(&series.id),
        human(highest),
        exceeded(index, outcomes),
    );
    let step_ms = ((last.at_ms - first.at_ms) / POINTS as i64).max(1);
    let stretches = (0..POINTS as i64).map(|number| first.at_ms + number * step_ms);
    let points = stretches.filter_map(|from_ms| {
        let highest =
            within(&series.samples, from_ms, from_ms + step_ms).iter().map(|sample| sample.bytes).max()?;
        Some(format!("{:.1},{:.1}", x(from_ms), y(highest)))
    });
    let _ = writeln!(svg, "<polyline class=\"usage\" points=\"{}\"/>", points.collect::<Vec<_>>().join(" "));
    for (outcome, colour) in outcomes.iter().zip(COLOURS.iter().cycle()) {
        let _ = writeln!(
            svg,
            "<path class=\"limit\" stroke=\"{colour}\" d=\"{}\"/>",
            steps(&outcome.decisions[index], &x, &y)
        );
    }
    svg + "</svg>\n"
}

fn exceeded(index: usize, outcomes: &[Outcome]) -> String {
    let over = outcomes.iter().filter(|outcome| outcome.scores[index].1.windows_exceeded > 0);
    over.map(|outcome| {
        format!("; {} windows over under {}", outcome.scores[index].1.windows_exceeded, outcome.policy.name())
    })
    .collect()
}

fn steps(decisions: &[Decision], x: &dyn Fn(i64) -> f64, y: &dyn Fn(u64) -> f64) -> String {
    let mut path = String::new();
    let mut last: Option<&Decision> = None;
    for decision in decisions {
        let joins = last.is_some_and(|last| last.to_ms == decision.from_ms);
        // In a closed loop most decisions change nothing.
        if joins && last.is_some_and(|last| last.limit_bytes == decision.limit_bytes) {
            last = Some(decision);
            continue;
        }
        if let Some(last) = last {
            let _ = write!(path, "H{:.1}", x(last.to_ms));
        }
        let (x, y) = (x(decision.from_ms), y(decision.limit_bytes));
        let _ = if joins { write!(path, "V{y:.1}") } else { write!(path, "M{x:.1} {y:.1}") };
        last = Some(decision);
    }
    if let Some(last) = last {
        let _ = write!(path, "H{:.1}", x(last.to_ms));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_drawn_as_steps() {
        let decision = |from_ms, to_ms, limit_bytes| Decision { from_ms, to_ms, limit_bytes };
        let decisions = [decision(0, 1, 5), decision(1, 2, 5), decision(2, 3, 7), decision(5, 6, 7)];
        let path = steps(&decisions, &|ms| ms as f64, &|bytes| bytes as f64);
        assert_eq!(path, "M0.0 5.0H2.0V7.0H3.0M5.0 7.0H6.0");
    }
}
