//! `plimsoll check`: what configuration says of memory, and where it is wrong.

mod args;
pub(super) mod found;
mod mend;
mod quality;
mod sarif;
mod text;

pub use args::CheckArgs;

use super::CommandError;
use super::form::json;
use crate::render::table::table;
use args::{CheckForm, FailOn};
use found::Folder;
use plimsoll_lint::finding::{Finding, Severity};
use plimsoll_lint::kind::Kind;
use plimsoll_lint::rules::{RULES, rule};
use plimsoll_lint::source::Source;
use plimsoll_lint::{Report, check};
use serde::Serialize;
use std::io::Write;

/// Checks, mends where that was asked for, and says what is left.
pub fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    if args.list {
        return Ok(out.write_all(list().as_bytes())?);
    }
    if let Some(name) = &args.explain {
        return explain(name, out);
    }
    for name in &args.allow {
        known(name)?;
    }
    let given = found::sources(args)?;
    let is_wanted = |finding: &Finding| !args.allow.iter().any(|name| name == finding.rule);
    let given = match args.fix || args.diff {
        true => mend::mend(args, given, &is_wanted, out)?,
        false => given,
    };
    if args.diff {
        return Ok(());
    }
    let mut report = check(given, &Folder);
    report.findings.retain(is_wanted);
    notes(args, &report);
    let text = match args.output {
        CheckForm::Text => text::shown(&report, args.is_coloured()),
        CheckForm::Json => json(&Answer::of(&report))?,
        CheckForm::Sarif => json(&sarif::log(&report))?,
        CheckForm::GitlabCodequality => json(&quality::issues(&report))?,
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    failed(args.fail_on, &report.findings)
}

/// What was given and cannot be checked.
fn notes(args: &CheckArgs, report: &Report) {
    let sources = report.project.sources.iter().zip(&report.project.kinds);
    for (source, kind) in sources {
        match kind {
            Kind::Template => {
                eprintln!(
                    "note: {}: a template, left out; check what `helm template` prints of it",
                    source.name
                );
            }
            Kind::Unknown if args.names(&source.name) => {
                eprintln!("note: {}: nothing is known of such a file, left out", source.name);
            }
            _ => {}
        }
    }
}

fn failed(fail_on: FailOn, findings: &[Finding]) -> Result<(), CommandError> {
    let Some(least) = fail_on.severity() else { return Ok(()) };
    match findings.iter().filter(|finding| finding.severity >= least).count() {
        0 => Ok(()),
        count => Err(CommandError::Found { count, least: least.name() }),
    }
}

fn known(name: &str) -> Result<&'static plimsoll_lint::rules::Rule, CommandError> {
    rule(name).ok_or_else(|| CommandError::NoSuchRule(name.to_string()))
}

fn explain(name: &str, out: &mut dyn Write) -> Result<(), CommandError> {
    Ok(out.write_all(known(name)?.page.as_bytes())?)
}

fn list() -> String {
    let mut rows = vec![["rule", "at its worst", "--fix", ""].map(String::from).to_vec()];
    rows.extend(RULES.iter().map(|rule| {
        let fix = if rule.is_fixable { "yes" } else { "" };
        vec![rule.id.into(), rule.severity.name().into(), fix.into(), rule.title.into()]
    }));
    table(&rows)
}

/// `--output json`
#[derive(Debug, Serialize)]
struct Answer<'a> {
    findings: Vec<Shown<'a>>,
}

/// A finding for programs.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    rule: &'a str,
    severity: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    fix: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(report: &'a Report) -> Answer<'a> {
        let shown = |finding: &'a Finding| {
            let source = source(report, finding);
            let place = source.place(finding.span.start);
            Shown {
                rule: finding.rule,
                severity: finding.severity.name(),
                file: &source.name,
                line: place.line,
                column: place.column,
                message: &finding.message,
                fix: (!finding.fix.text.is_empty()).then_some(finding.fix.text.as_str()),
            }
        };
        Answer { findings: report.findings.iter().map(shown).collect() }
    }
}

/// The file that a finding is in.
fn source<'a>(report: &'a Report, finding: &Finding) -> &'a Source {
    &report.project.sources[finding.span.file]
}

/// How many there are of each severity: `2 errors, 1 warning`.
fn counts(findings: &[Finding]) -> String {
    let of = |severity: Severity, one: &str, more: &str| {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { more }))
    };
    let all = [
        of(Severity::Error, "error", "errors"),
        of(Severity::Warning, "warning", "warnings"),
        of(Severity::Info, "info", "infos"),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
