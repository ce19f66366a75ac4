//! What a board is made of.

mod panel;
mod unit;
mod variable;

pub use panel::{Column, Kind, Link, Look, Panel, Target};
pub use unit::{Colour, Threshold, Unit};
pub use variable::{Values, Variable};

/// The tag that all boards have, and are linked by.
pub const TAG: &str = "plimsoll";

/// How a container is named in a legend: by its pod, or where there is none by its cgroup.
pub const LABELS_SHOWN: &str = "{{namespace}}/{{pod}} {{container}} {{cgroup}}";

/// A board.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// What it is known by in addresses: it never changes.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// From when on it shows, before now.
    pub range: &'static str,
    /// What people choose by.
    pub variables: Vec<Variable>,
    /// What is drawn into all time series: moments in which something happened.
    pub marks: Vec<Target>,
    /// What is on it, from top to bottom.
    pub rows: Vec<Row>,
}

/// Panels below a heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The heading.
    pub title: &'static str,
    /// From left to right; what does not fit beside goes below.
    pub panels: Vec<Panel>,
}

impl Row {
    pub(super) fn new(title: &'static str, panels: Vec<Panel>) -> Row {
        Row { title, panels }
    }
}

impl Dashboard {
    /// All panels, without headings.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flat_map(|row| &row.panels)
    }
}

/// A rule of Grafana's dashboard-linter that does not hold, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exclusion {
    /// The rule.
    pub rule: &'static str,
    /// On which panel; all of them where it is empty.
    pub panel: &'static str,
    /// Why.
    pub reason: &'static str,
}

const RECORDED: &str = "recorded series are made unique over jobs and instances, and have neither label";

const FIRST_SEEN: &str = "what is first seen with a kill has no increase: its whole count is what happened";

/// All that do not hold: whoever runs the linter gets them as `.lint`.
pub const EXCLUDED: [Exclusion; 6] = [
    Exclusion { rule: "template-job-rule", panel: "", reason: RECORDED },
    Exclusion { rule: "template-instance-rule", panel: "", reason: RECORDED },
    Exclusion { rule: "target-job-rule", panel: "", reason: RECORDED },
    Exclusion { rule: "target-instance-rule", panel: "", reason: RECORDED },
    Exclusion { rule: "target-counter-agg-rule", panel: "OOM kills in this time", reason: FIRST_SEEN },
    Exclusion { rule: "target-counter-agg-rule", panel: "Killed in this time, by owner", reason: FIRST_SEEN },
];
