//! The end of a run in a few lines of text.

use super::report::{AttemptPart, RunReport};
use super::words;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::size::{GIB, MIB, human};
use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Columns of the chart.
const CHART_COLUMNS: usize = 40;
/// Notes shown; the report has them all.
const NOTES_MAX: usize = 3;
/// Columns where the terminal does not tell.
const WIDTH_DEFAULT: usize = 120;

/// How text may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub color: bool,
    /// Columns; longer lines are cut.
    pub width: usize,
}

impl Style {
    /// As stderr and `NO_COLOR` want it. Lines are cut only on a terminal: a CI log wraps them.
    pub fn detect() -> Style {
        Style::of(&std::io::stderr())
    }

    /// The same of another stream.
    pub fn of(stream: &(impl IsTerminal + AsFd)) -> Style {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let columns = rustix::termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col));
        let terminal = stream.is_terminal();
        let width = if terminal {
            columns.filter(|columns| *columns > 0).unwrap_or(WIDTH_DEFAULT)
        } else {
            usize::MAX
        };
        Style { color: terminal && !no_color, width }
    }
}

/// The summary; one line for a plain success with nothing to say.
pub fn summary(report: &RunReport, style: Style) -> String {
    let mut lines = vec![headline(report)];
    if report.attempts.len() > 1 {
        lines.extend(
            report.attempts.iter().enumerate().map(|(index, attempt)| attempt_line(index + 1, attempt)),
        );
    }
    let eventful = report.attempts.len() > 1 || report.outcome != Outcome::Succeeded;
    if eventful {
        lines.extend(evidence(report));
        lines.extend(chart(report));
        lines.extend(saved(report));
    }
    if report.outcome != Outcome::Succeeded {
        lines.push(format!("  why: {}", report.reason));
    }
    lines.extend(report.need_bytes.map(|need| needs(need, report.budget.bytes)));
    if let Some(recommend) = &report.recommend {
        let [request, limit] = words::gitlab(recommend);
        lines.push(format!(
            "  {}: {}   {}: {}   ({})",
            request.0, request.1, limit.0, limit.1, recommend.reason
        ));
    }
    lines.extend(report.notes.iter().take(NOTES_MAX).map(|note| format!("  note: {note}")));
    if report.notes.len() > NOTES_MAX {
        lines.push(format!(
            "  {} more in the report",
            words::count((report.notes.len() - NOTES_MAX) as u64, "note", "notes")
        ));
    }
    let mut text: String = lines.iter().map(|line| plain(line, style.width) + "\n").collect();
    if style.color {
        text = coloured(&text, report.outcome);
    }
    text
}

fn headline(report: &RunReport) -> String {
    let attempts = match report.attempts.len() as u64 {
        0 | 1 => String::new(),
        many => format!(", {}", words::count(many, "attempt", "attempts")),
    };
    let events = match report.attempts.as_slice() {
        [only] => {
            let cause = only.cause.map(|cause| words::cause(cause).to_string());
            cause.into_iter().chain(words::events(only)).map(|event| format!(", {event}")).collect()
        }
        _ => String::new(),
    };
    let peak = match (words::peak_bytes(report), report.budget.bytes) {
        (Some(peak), Some(budget)) => format!(", peak {}", of(peak, budget)),
        (Some(peak), None) => format!(", peak {}", human(peak)),
        (None, _) => String::new(),
    };
    let mode = report.attempts.last().map(|last| format!(" ({})", last.mode.name())).unwrap_or_default();
    let outcome = words::outcome(report.outcome);
    format!("plimsoll: {outcome} in {}{attempts}{events}{peak}{mode}", words::duration(report.wall_ms))
}

fn attempt_line(number: usize, attempt: &AttemptPart) -> String {
    let mut parts = vec![words::outcome(attempt.outcome).to_string()];
    parts.extend(attempt.cause.map(|cause| words::cause(cause).to_string()));
    parts.extend(words::events(attempt));
    parts.extend(attempt.peak_bytes.map(|peak| format!("peak {}", human(peak))));
    let (mode, setting) = (attempt.mode.name(), words::setting(attempt));
    format!("  {number}. {mode}, {setting}: {} after {}", parts.join(", "), words::duration(attempt.wall_ms))
}

/// The last line that speaks of memory.
fn evidence(report: &RunReport) -> Option<String> {
    let line = report.attempts.iter().rev().find_map(|attempt| attempt.evidence.last())?;
    Some(format!("  seen: {}", line.trim()))
}

/// Memory against the budget: a full block is the budget.
fn chart(report: &RunReport) -> Option<String> {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (end_ms, highest) = (report.curve.last()?.0, report.curve.iter().map(|point| point.1).max()?);
    let full = report.budget.bytes.unwrap_or(highest).max(1);
    let mut columns = [None::<u64>; CHART_COLUMNS];
    for (ms, bytes) in &report.curve {
        let column = (*ms as u128 * CHART_COLUMNS as u128 / (end_ms as u128 + 1)) as usize;
        let column = &mut columns[column.min(CHART_COLUMNS - 1)];
        *column = Some(column.unwrap_or(0).max(*bytes));
    }
    let mut last = 0;
    let blocks = columns.into_iter().map(|bytes| {
        last = bytes.unwrap_or(last);
        BLOCKS[((last as f64 / full as f64 * 8.0) as usize).min(7)]
    });
    let scale = if report.budget.bytes.is_some() { "the budget" } else { "the highest seen" };
    Some(format!("  {}  █ is {scale}, {}", blocks.collect::<String>(), human(full)))
}

fn saved(report: &RunReport) -> Option<String> {
    let saved = report.attempts.iter().rev().find_map(|attempt| attempt.saved)?;
    let least = if saved.complete { "" } else { "at least " };
    let files = words::count(saved.files, "file", "files");
    (saved.files > 0).then(|| format!("  saved for the next attempt: {least}{files}, {}", human(saved.bytes)))
}

fn needs(need: u64, budget: Option<u64>) -> String {
    let has = budget.map(|budget| format!("; this job has {}", human(budget))).unwrap_or_default();
    format!("  needs about {}{has}", human(need))
}

/// `1.7 of 2.0 GiB`: one unit for both where they share it.
fn of(part: u64, whole: u64) -> String {
    if whole >= GIB && part >= GIB {
        format!("{:.1} of {}", part as f64 / GIB as f64, human(whole))
    } else if whole < GIB && part >= MIB {
        format!("{} of {}", (part + MIB / 2) / MIB, human(whole))
    } else {
        format!("{} of {}", human(part), human(whole))
    }
}

/// One line, cut to the width, without control characters: evidence is what a build printed.
fn plain(line: &str, width: usize) -> String {
    let clean = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    if line.chars().count() <= width {
        return clean.collect();
    }
    clean.take(width.saturating_sub(1)).chain(['…']).collect()
}

fn coloured(text: &str, outcome: Outcome) -> String {
    let color = if outcome == Outcome::Succeeded { 32 } else { 31 };
    match text.split_once('\n') {
        Some((first, rest)) => format!("\x1b[1;{color}m{first}\x1b[0m\n{rest}"),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use insta::assert_snapshot;

    const PLAIN: Style = Style { color: false, width: 200 };

    #[test]
    fn a_plain_success_is_one_line() {
        assert_snapshot!(summary(&sample::quick(), PLAIN), @"plimsoll: succeeded in 22 s, peak 1.7 of 2.0 GiB (critical)");
    }

    #[test]
    fn a_rescued_build() {
        assert_snapshot!(summary(&sample::rescued(), PLAIN), @r"
        plimsoll: succeeded in 34 s, 2 attempts, peak 2.0 of 2.0 GiB (critical)
          1. critical, 8 jobs: out of memory, killed by the kernel, 1 kernel kill, 2 freezes, peak 2.0 GiB after 12 s
          2. critical, 2 jobs, heap 1.0 GiB: succeeded, peak 1.7 GiB after 22 s
          seen: Killed
          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▇  █ is the budget, 2.0 GiB
          saved for the next attempt: 4 files, 12 MiB
          KUBERNETES_MEMORY_REQUEST: 1792Mi   KUBERNETES_MEMORY_LIMIT: 2048Mi   (1 peak seen)
          note: no PSI here
        ");
    }

    #[test]
    fn what_nothing_can_help() {
        let mut report = RunReport {
            outcome: Outcome::OutOfMemory,
            wall_ms: 12_000,
            need_bytes: Some(2662 * MIB),
            reason: "nothing that fits can pass".into(),
            recommend: None,
            ..sample::rescued()
        };
        report.attempts.truncate(1);
        report.curve.truncate(2);
        assert_snapshot!(summary(&report, PLAIN), @r"
        plimsoll: out of memory in 12 s, killed by the kernel, 1 kernel kill, 2 freezes, peak 2.0 of 2.0 GiB (critical)
          seen: Killed
          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█  █ is the budget, 2.0 GiB
          saved for the next attempt: 4 files, 12 MiB
          why: nothing that fits can pass
          needs about 2.6 GiB; this job has 2.0 GiB
          note: no PSI here
        ");
    }

    #[test]
    fn the_unknown_is_left_out() {
        assert_snapshot!(summary(&sample::unknown(), PLAIN), @"plimsoll: succeeded in 22 s");
    }

    #[test]
    fn lines_are_clean_and_cut() {
        let mut report = sample::rescued();
        report.attempts[0].evidence = vec!["\x1b[2JKilled\u{7}".into()];
        let text = summary(&report, Style { color: false, width: 30 });
        assert!(
            text.lines().all(|line| line.chars().count() <= 30 && !line.contains(char::is_control)),
            "{text}"
        );
        let colour = summary(&report, Style { color: true, width: 30 });
        assert!(colour.starts_with("\x1b[1;32mplimsoll: succeeded"), "{colour}");
    }
}
