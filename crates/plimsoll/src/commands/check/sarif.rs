//! Findings as SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use super::source;
use plimsoll_lint::Report;
use plimsoll_lint::finding::{Edit, Finding, Severity};
use plimsoll_lint::rules::RULES;
use plimsoll_lint::source::{Source, Span};
use serde_json::{Value, json};

/// The log: one run, with all rules and all findings.
pub fn log(report: &Report) -> Value {
    let results: Vec<Value> = report.findings.iter().map(|finding| result(report, finding)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "plimsoll",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(rule: &plimsoll_lint::rules::Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &Report, finding: &Finding) -> Value {
    let source = source(report, finding);
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "level": level(finding.severity),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&source.name)},
            "region": region(source, finding.span),
        }}],
    });
    if !finding.fix.edits.is_empty() {
        let changes: Vec<Value> = finding.fix.edits.iter().map(|edit| change(report, edit)).collect();
        result["fixes"] = json!([{"description": {"text": finding.fix.text}, "artifactChanges": changes}]);
    }
    result
}

fn change(report: &Report, edit: &Edit) -> Value {
    let source = &report.project.sources[edit.span.file];
    json!({
        "artifactLocation": {"uri": uri(&source.name)},
        "replacements": [{
            "deletedRegion": region(source, edit.span),
            "insertedContent": {"text": edit.text},
        }],
    })
}

/// The end is the column behind the last.
fn region(source: &Source, span: Span) -> Value {
    let (start, end) = (source.place(span.start), source.place(span.end));
    json!({"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column})
}

/// A path as a URI: what no URI may hold is written in percents.
fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const OUTSIDE: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}')
        .add(b':');
    utf8_percent_encode(path, OUTSIDE).to_string()
}
