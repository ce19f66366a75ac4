//! What a rule is: a series that is recorded, or an alert.

use serde::Serialize;
use std::collections::BTreeMap;

/// Rules that are evaluated one after the other, in this order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Its name, unique.
    pub name: String,
    /// How often it is evaluated; none is the server's own interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// At most [`RULES_MAX`].
    pub rules: Vec<Rule>,
}

/// Rules of a group: Mimir's ruler takes no more by default.
pub const RULES_MAX: usize = 20;

/// One rule, as Prometheus writes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Rule {
    /// A series that is recorded.
    Record(Record),
    /// Somebody is told.
    Alert(Alert),
}

/// A recording rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// The name of the series.
    pub record: String,
    /// What it is.
    pub expr: String,
    /// Labels that are added.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Its name.
    pub alert: String,
    /// When.
    pub expr: String,
    /// So long it must hold first.
    #[serde(rename = "for")]
    pub hold: String,
    /// So long it goes on after that, so that it does not flap (since Prometheus 2.42).
    pub keep_firing_for: String,
    /// `severity`, `tier` and people's own.
    pub labels: BTreeMap<String, String>,
    /// `summary`, `description`, `runbook_url`.
    pub annotations: BTreeMap<String, String>,
}

/// How bad it is, in the words that Alertmanager configurations of others know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look some day.
    Info,
    /// Worth a look today.
    Warning,
    /// Somebody is woken.
    Critical,
}

impl Severity {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

impl Rule {
    /// The name of the series or the alert.
    pub fn name(&self) -> &str {
        match self {
            Rule::Record(Record { record, .. }) => record,
            Rule::Alert(Alert { alert, .. }) => alert,
        }
    }

    /// Its query.
    pub fn expr(&self) -> &str {
        match self {
            Rule::Record(Record { expr, .. }) | Rule::Alert(Alert { expr, .. }) => expr,
        }
    }

    /// A series that is recorded under a name.
    pub(crate) fn record(record: &str, expr: impl Into<String>) -> Rule {
        Rule::Record(Record { record: record.to_string(), expr: expr.into(), labels: BTreeMap::new() })
    }
}

impl Record {
    /// Adds a label.
    #[must_use]
    pub(crate) fn label(mut self, name: &str, value: &str) -> Record {
        self.labels.insert(name.to_string(), value.to_string());
        self
    }
}
