//! What configuration says of memory, and where it is wrong: texts in, findings out. Files are asked of whoever calls.

mod allow;
pub mod document;
pub mod finding;
pub mod fix;
pub mod gitlab;
pub mod kind;
pub mod kubernetes;
pub mod project;
pub mod rules;
pub mod runs;
pub mod source;

use finding::{Finding, Findings, Severity, advice};
use project::{Files, Project};
use source::Source;

/// What was found, and what it was found in.
#[derive(Debug)]
pub struct Report {
    /// All files; those that were given come first.
    pub project: Project,
    /// In the order of files and places.
    pub findings: Vec<Finding>,
}

/// Checks files together.
pub fn check(given: Vec<Source>, files: &dyn Files) -> Report {
    let project = Project::of(given, files);
    let mut findings = Findings::default();
    for rule in rules::RULES {
        findings.begin(rule.id, rule.severity);
        (rule.check)(&project, &mut findings);
    }
    findings.begin("syntax", Severity::Error);
    for error in &project.syntax {
        findings.push(
            error.span,
            error.message.clone(),
            advice("nothing else is said of this file before it parses"),
        );
    }
    let mut findings = allow::filtered(&project.sources, findings.done());
    findings.sort_by_key(|finding| (finding.span, finding.rule));
    Report { project, findings }
}
