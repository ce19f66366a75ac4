//! Findings for GitLab's merge requests: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.

use super::source;
use plimsoll_lint::Report;
use plimsoll_lint::finding::Severity;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// An element of the report.
#[derive(Debug, Serialize)]
pub struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
}

/// All findings. GitLab tells new ones from old ones by their fingerprints, so these hold no number of a line: the rule, the
/// file, what the line says, and the how-manieth of the same it is.
pub fn issues(report: &Report) -> Vec<Issue<'_>> {
    let mut seen: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut issues = Vec::new();
    for finding in &report.findings {
        let source = source(report, finding);
        let line = source.line_at(finding.span.start).trim();
        let count = seen.entry((finding.rule, &source.name, line)).or_default();
        *count += 1;
        let description = match finding.fix.text.as_str() {
            "" => finding.message.clone(),
            fix => format!("{}. Fix: {fix}", finding.message),
        };
        issues.push(Issue {
            description,
            check_name: finding.rule,
            fingerprint: fingerprint(&[finding.rule, &source.name, line, &count.to_string()]),
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Info => "info",
            },
            location: Location {
                path: &source.name,
                lines: Lines { begin: source.place(finding.span.start).line },
            },
        });
    }
    issues
}

/// The same for the same parts, and no two lists of parts run into one another.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
