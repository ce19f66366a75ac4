//! Findings for people, as compilers write them.

use super::{counts, source};
use plimsoll_lint::Report;
use plimsoll_lint::finding::{Finding, Severity};
use plimsoll_lint::kind::Kind;
use std::fmt::Write;

/// A longer line is shown in part, in characters.
const WIDTH: usize = 140;
/// So much of it is shown before the place.
const BEFORE: usize = 60;

/// All findings and their number.
pub fn shown(report: &Report, is_coloured: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        one(&mut text, report, finding, is_coloured);
        text.push('\n');
    }
    let checked =
        report.project.kinds.iter().filter(|kind| !matches!(kind, Kind::Unknown | Kind::Template)).count();
    let files = if checked == 1 { "1 file".to_string() } else { format!("{checked} files") };
    match report.findings.len() {
        0 => text.push_str(&format!("{files}, nothing found\n")),
        _ => text.push_str(&format!("{files}: {}\n", counts(&report.findings))),
    }
    text
}

fn one(text: &mut String, report: &Report, finding: &Finding, is_coloured: bool) {
    let source = source(report, finding);
    let place = source.place(finding.span.start);
    let paint = |code: &str, words: &str| match is_coloured {
        true => format!("\u{1b}[{code}m{words}\u{1b}[0m"),
        false => words.to_string(),
    };
    let code = match finding.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Info => "1;36",
    };
    let severity = paint(code, finding.severity.name());
    let at = format!("{}:{}:{}", source.name, place.line, place.column);
    let _ = writeln!(text, "{}: {severity} {}: {}", paint("1", &at), finding.rule, plain(&finding.message));
    let line = plain(source.line_at(finding.span.start));
    let written = source.text.get(finding.span.start..finding.span.end).unwrap_or_default();
    let marked = written.lines().next().unwrap_or_default().chars().count().max(1);
    let (line, column) = window(&line, place.column - 1);
    if !line.trim().is_empty() {
        let number = place.line.to_string();
        let gap = " ".repeat(number.len());
        let room = line.chars().count().saturating_sub(column).max(1);
        let carets = paint(code, &"^".repeat(marked.min(room)));
        let _ = writeln!(text, " {number} | {line}\n {gap} | {}{carets}", " ".repeat(column));
    }
    if !finding.fix.text.is_empty() {
        let by = if finding.fix.edits.is_empty() { "" } else { " (--fix)" };
        let _ = writeln!(text, "   fix: {}{by}", plain(&finding.fix.text));
    }
}

/// The part of a line around a column, and the column in it.
fn window(line: &str, column: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= WIDTH {
        return (line.to_string(), column);
    }
    let from = column.saturating_sub(BEFORE).min(length);
    (line.chars().skip(from).take(WIDTH).collect(), column - from)
}

/// A terminal obeys control characters; here they are blanks.
fn plain(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
