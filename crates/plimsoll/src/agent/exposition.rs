//! Metrics as text, in both forms there are: OpenMetrics 1.0, and what was before it, which promtool and others still read. They differ
//! in the name of a counter's family, in units, and in the end.
//!
//! It writes as it goes: a registry would hold all series of a machine a second time.

use super::labels;
use std::fmt::Write;

/// Which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `application/openmetrics-text; version=1.0.0`
    OpenMetrics,
    /// `text/plain; version=0.0.4`
    Plain,
}

impl Form {
    /// What whoever asks with this `Accept` gets.
    pub fn accepted(accept: &str) -> Form {
        if accept.contains("application/openmetrics-text") { Form::OpenMetrics } else { Form::Plain }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Form::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// A family of series.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name, without the `_total` of a counter.
    pub name: &'static str,
    /// Whether it only grows.
    pub is_counter: bool,
    /// What its name ends with, if that is a unit.
    pub unit: Option<&'static str>,
    /// What it says.
    pub help: &'static str,
}

/// The text as far as it is.
#[derive(Debug)]
pub struct Text {
    form: Form,
    text: String,
}

impl Text {
    /// Empty, with room for so many bytes.
    pub fn new(form: Form, bytes: usize) -> Text {
        Text { form, text: String::with_capacity(bytes) }
    }

    /// A family with its series, each with its labels as text; nothing where there is no series.
    pub fn family<V: std::fmt::Display>(
        &mut self,
        family: &Family,
        series: impl Iterator<Item = (impl AsRef<str>, V)>,
    ) {
        let total = if family.is_counter { "_total" } else { "" };
        let mut has_head = false;
        for (labels, value) in series {
            if !std::mem::replace(&mut has_head, true) {
                self.head(family, total);
            }
            let labels = labels.as_ref();
            // Writing to a string cannot fail.
            let _ = match labels {
                "" => writeln!(self.text, "{}{total} {value}", family.name),
                _ => writeln!(self.text, "{}{total}{{{labels}}} {value}", family.name),
            };
        }
    }

    fn head(&mut self, family: &Family, total: &str) {
        let suffix = if self.form == Form::Plain { total } else { "" };
        let kind = if family.is_counter { "counter" } else { "gauge" };
        let name = family.name;
        let _ = writeln!(self.text, "# HELP {name}{suffix} {}.", family.help);
        let _ = writeln!(self.text, "# TYPE {name}{suffix} {kind}");
        if let (Form::OpenMetrics, Some(unit)) = (self.form, family.unit) {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
    }

    /// All of it.
    pub fn end(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Labels as text.
pub fn labelled<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    labels::pairs(&mut text, pairs);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_as_asked() {
        let check = |accept: &str, expect: Form| assert_eq!(Form::accepted(accept), expect, "{accept}");
        check(
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
            Form::OpenMetrics,
        );
        check("text/plain", Form::Plain);
        check("*/*", Form::Plain);
        check("", Form::Plain);
    }

    #[test]
    fn each_form_has_its_own_heads() {
        let family = Family { name: "a_seconds", is_counter: true, unit: Some("seconds"), help: "How long" };
        let write = |form: Form| {
            let mut text = Text::new(form, 0);
            text.family(&family, [(labelled([("x", "a\"b")]), 1.5)].into_iter());
            text.family(
                &Family { name: "b", is_counter: false, unit: None, help: "None" },
                std::iter::empty::<(&str, u64)>(),
            );
            text.end()
        };
        let plain = "# HELP a_seconds_total How long.\n# TYPE a_seconds_total counter\na_seconds_total{x=\"a\\\"b\"} 1.5\n";
        assert_eq!(write(Form::Plain), plain);
        let open = "# HELP a_seconds How long.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total{x=\"a\\\"b\"} 1.5\n# EOF\n";
        assert_eq!(write(Form::OpenMetrics), open);
    }
}
