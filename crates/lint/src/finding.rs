//! Findings: what a rule says, where, how bad it is, and what mends it.

use crate::source::Span;

/// How bad it is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// It costs memory, time or a build now and then.
    Warning,
    /// It does not do what it says, or kills what it is for.
    Error,
}

impl Severity {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What mends a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fix {
    /// What to do, in words.
    pub text: String,
    /// What `--fix` would do; empty where that is for people to decide.
    pub edits: Vec<Edit>,
}

/// Bytes of a file, and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes.
    pub span: Span,
    /// What comes there.
    pub text: String,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong, and why that matters.
    pub message: String,
    /// What mends it.
    pub fix: Fix,
}

/// Findings as rules make them.
#[derive(Debug, Default)]
pub struct Findings {
    all: Vec<Finding>,
    rule: &'static str,
    severity: Option<Severity>,
}

impl Findings {
    /// What comes next is of this rule, and as bad as this unless said otherwise.
    pub fn begin(&mut self, rule: &'static str, severity: Severity) {
        (self.rule, self.severity) = (rule, Some(severity));
    }

    /// A finding of the rule's own severity.
    pub fn push(&mut self, span: Span, message: impl Into<String>, fix: Fix) {
        self.push_as(self.severity.unwrap_or(Severity::Error), span, message, fix);
    }

    /// A finding that is better or worse than the rule's.
    pub fn push_as(&mut self, severity: Severity, span: Span, message: impl Into<String>, fix: Fix) {
        self.all.push(Finding { rule: self.rule, severity, span, message: message.into(), fix });
    }

    /// All of them in the order of files and places; what is said twice of one place is said once.
    pub fn done(mut self) -> Vec<Finding> {
        self.all.sort_by(|one, other| {
            (one.span, one.rule).cmp(&(other.span, other.rule)).then(other.severity.cmp(&one.severity))
        });
        self.all.dedup_by(|later, first| (later.span, later.rule) == (first.span, first.rule));
        self.all
    }
}

/// In words only.
pub fn advice(text: impl Into<String>) -> Fix {
    Fix { text: text.into(), edits: Vec::new() }
}
