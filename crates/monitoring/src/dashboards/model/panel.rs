//! Panels, and what they ask.

use super::{Colour, Threshold, Unit};
use crate::dashboards::layout::COLUMNS;

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its title, unique on its board.
    pub title: &'static str,
    /// What it shows, and how to read it.
    pub description: String,
    /// Why there may be nothing in it.
    pub absent: &'static str,
    /// What kind of picture.
    pub kind: Kind,
    /// What its values are measured in.
    pub unit: Unit,
    /// Digits after the point; none is as many as Grafana likes.
    pub decimals: Option<u8>,
    /// The end of its scale; none is by what is shown. It begins at 0 where this is set.
    pub most: Option<f64>,
    /// Colours by value.
    pub thresholds: Vec<Threshold>,
    /// What it asks.
    pub targets: Vec<Target>,
    /// Where to read on.
    pub links: Vec<Link>,
    /// Of [`COLUMNS`].
    pub width: u8,
}

/// What kind of picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Over time.
    Lines(Look),
    /// One number, large.
    Number,
    /// Numbers of a whole, as dials.
    Dial,
    /// Numbers beside each other, as bars.
    Bars,
    /// A row for each set of labels; each target is a column.
    Table {
        /// Labels that are columns, from the left.
        labels: Vec<Column>,
    },
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Beside each other.
    Lines,
    /// On top of each other, filled.
    Stacked,
    /// Bars on top of each other: what happened in each step.
    Columns,
    /// The first two targets are the ends of a band, the others lines.
    Band,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The label.
    pub label: String,
    /// As people see it.
    pub title: &'static str,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// PromQL, with variables.
    pub expr: String,
    /// How series are named; a column's title in a table.
    pub legend: String,
    /// Of a column, where it is not the panel's.
    pub unit: Option<Unit>,
}

/// Where to read on: another board, with the same variables and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// As people see it.
    pub title: &'static str,
    /// The board's.
    pub uid: &'static str,
}

impl Target {
    /// A query and how its series are named.
    pub(in crate::dashboards) fn new(legend: impl Into<String>, expr: impl Into<String>) -> Target {
        Target { expr: expr.into(), legend: legend.into(), unit: None }
    }
}

impl Panel {
    fn of(kind: Kind, unit: Unit, title: &'static str, width: u8) -> Panel {
        Panel {
            title,
            description: String::new(),
            absent: "",
            kind,
            unit,
            decimals: None,
            most: None,
            thresholds: vec![Threshold { from: None, colour: Colour::Plain }],
            targets: Vec::new(),
            links: Vec::new(),
            width,
        }
    }

    /// Over time.
    pub(in crate::dashboards) fn lines(title: &'static str, unit: Unit, look: Look) -> Panel {
        Panel::of(Kind::Lines(look), unit, title, COLUMNS / 2)
    }

    /// One number.
    pub(in crate::dashboards) fn number(title: &'static str, unit: Unit) -> Panel {
        Panel::of(Kind::Number, unit, title, 4)
    }

    /// A share of a whole.
    pub(in crate::dashboards) fn dial(title: &'static str) -> Panel {
        Panel { most: Some(1.0), decimals: Some(0), ..Panel::of(Kind::Dial, Unit::Share, title, 4) }
    }

    /// Numbers beside each other.
    pub(in crate::dashboards) fn bars(title: &'static str, unit: Unit) -> Panel {
        Panel::of(Kind::Bars, unit, title, COLUMNS / 2)
    }

    /// A table.
    pub(in crate::dashboards) fn table(title: &'static str, labels: &[(&str, &'static str)]) -> Panel {
        let labels =
            labels.iter().map(|(label, title)| Column { label: (*label).to_string(), title }).collect();
        Panel::of(Kind::Table { labels }, Unit::Bytes, title, COLUMNS)
    }

    /// What it shows, and why there may be nothing in it.
    #[must_use]
    pub(in crate::dashboards) fn says(
        mut self,
        description: impl Into<String>,
        absent: &'static str,
    ) -> Panel {
        self.description = description.into();
        self.absent = absent;
        self
    }

    /// Asks this, too.
    #[must_use]
    pub(in crate::dashboards) fn asks(mut self, legend: impl Into<String>, expr: impl Into<String>) -> Panel {
        self.targets.push(Target::new(legend, expr));
        self
    }

    /// Has this column, too.
    #[must_use]
    pub(in crate::dashboards) fn column(
        mut self,
        title: &'static str,
        unit: Unit,
        expr: impl Into<String>,
    ) -> Panel {
        self.targets.push(Target { unit: Some(unit), ..Target::new(title, expr) });
        self
    }

    /// Turns colours: good below all of these.
    #[must_use]
    pub(in crate::dashboards) fn turns(self, above: &[(f64, Colour)]) -> Panel {
        self.begins(Colour::Good, above)
    }

    /// Turns colours, from this one.
    #[must_use]
    pub(in crate::dashboards) fn begins(mut self, first: Colour, above: &[(f64, Colour)]) -> Panel {
        let rest = above.iter().map(|(from, colour)| Threshold { from: Some(*from), colour: *colour });
        self.thresholds = std::iter::once(Threshold { from: None, colour: first }).chain(rest).collect();
        self
    }

    /// So wide.
    #[must_use]
    pub(in crate::dashboards) fn wide(mut self, columns: u8) -> Panel {
        self.width = columns;
        self
    }

    /// The end of its scale.
    #[must_use]
    pub(in crate::dashboards) fn up_to(mut self, most: f64) -> Panel {
        self.most = Some(most);
        self
    }

    /// So many digits after the point.
    #[must_use]
    pub(in crate::dashboards) fn digits(mut self, digits: u8) -> Panel {
        self.decimals = Some(digits);
        self
    }

    /// Leads to another board.
    #[must_use]
    pub(in crate::dashboards) fn leads_to(mut self, title: &'static str, uid: &'static str) -> Panel {
        self.links.push(Link { title, uid });
        self
    }
}
