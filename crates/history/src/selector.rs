//! What is asked of a server: a metric, which of its series, and from when to when.

use super::labels::Labels;
use std::fmt::Write;

/// A metric and the labels its series must have, exactly: servers find these by their index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The metric's name.
    pub metric: String,
    /// Label and value; an empty value means that the label must not be there.
    pub equal: Vec<(String, String)>,
    /// Labels that must be there, with any value.
    pub present: Vec<String>,
}

impl Selector {
    /// All series of a metric.
    pub fn metric(metric: &str) -> Selector {
        Selector { metric: metric.to_string(), equal: Vec::new(), present: Vec::new() }
    }

    /// Those with this value of a label.
    pub fn equal(mut self, label: &str, value: &str) -> Selector {
        self.equal.push((label.to_string(), value.to_string()));
        self
    }

    /// Those that have this label.
    pub fn present(mut self, label: &str) -> Selector {
        self.present.push(label.to_string());
        self
    }

    /// As PromQL has it: `metric{namespace="shop",container!=""}`.
    pub fn promql(&self) -> String {
        let mut text = self.metric.clone() + "{";
        let comma = |text: &mut String| text.push_str(if text.ends_with('{') { "" } else { "," });
        for (label, value) in &self.equal {
            comma(&mut text);
            let _ = write!(text, "{label}={}", quoted(value));
        }
        for label in &self.present {
            comma(&mut text);
            let _ = write!(text, "{label}!=\"\"");
        }
        text + "}"
    }

    /// Whether a series is one of these.
    pub fn takes(&self, labels: &Labels) -> bool {
        labels.get("__name__") == self.metric
            && self.equal.iter().all(|(label, value)| labels.get(label) == value)
            && self.present.iter().all(|label| !labels.get(label).is_empty())
    }
}

/// A string as PromQL quotes it.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// From when to when, both included, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First.
    pub from_ms: i64,
    /// Last.
    pub to_ms: i64,
}

impl Range {
    /// Whether a time lies in it.
    pub fn has(&self, at_ms: i64) -> bool {
        (self.from_ms..=self.to_ms).contains(&at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_promql_has_it() {
        let check = |selector: Selector, expect: &str| assert_eq!(selector.promql(), expect);
        check(Selector::metric("up"), "up{}");
        check(
            Selector::metric("m").equal("namespace", "a\"b\\c").present("container"),
            r#"m{namespace="a\"b\\c",container!=""}"#,
        );
    }

    #[test]
    fn takes_what_it_names() {
        let labels = |pairs: &[(&str, &str)]| {
            Labels::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
        };
        let selector = Selector::metric("m").equal("ns", "a").equal("gone", "").present("pod");
        let check = |pairs: &[(&str, &str)], expect: bool| {
            assert_eq!(selector.takes(&labels(pairs)), expect, "{pairs:?}");
        };
        check(&[("__name__", "m"), ("ns", "a"), ("pod", "p")], true);
        check(&[("__name__", "m"), ("ns", "b"), ("pod", "p")], false);
        check(&[("__name__", "m"), ("ns", "a")], false);
        check(&[("__name__", "m"), ("ns", "a"), ("pod", "p"), ("gone", "x")], false);
        check(&[("__name__", "n"), ("ns", "a"), ("pod", "p")], false);
    }
}
