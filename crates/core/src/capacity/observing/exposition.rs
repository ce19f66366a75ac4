//! The text that processes show of themselves: Prometheus' format, and OpenMetrics as far as samples go.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//! What is said about metrics, of what type they are, and exemplars are left out; so are times, as a look has its own.

use std::collections::BTreeMap;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The metric's name.
    pub metric: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// May be NaN or infinite.
    pub value: f64,
}

/// What is wrong with a text, and where. As Prometheus does, nothing of it is taken then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ExpositionError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// All samples whose metric is wanted, in their order.
///
/// # Errors
///
/// [`ExpositionError`] for the first line that is none.
pub fn read(text: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Sample>, ExpositionError> {
    let mut samples = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_matches(SPACE);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let sample = sample(line).map_err(|problem| ExpositionError { line: index + 1, problem })?;
        if is_wanted(&sample.metric) {
            samples.push(sample);
        }
    }
    Ok(samples)
}

const SPACE: [char; 2] = [' ', '\t'];

/// `name{label="value",...} value`, and after it a time or an exemplar.
fn sample(line: &str) -> Result<Sample, &'static str> {
    let (metric, rest) = name(line, true).ok_or("it begins with no name of a metric")?;
    let rest = rest.trim_start_matches(SPACE);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let mut words = rest.split(SPACE).filter(|word| !word.is_empty());
    let value = words.next().and_then(|word| word.parse().ok()).ok_or("there is no value")?;
    match words.next() {
        None => {}
        Some(word) if word.starts_with('#') => {}
        Some(word) => {
            word.parse::<f64>().map_err(|_| "there is something after the value that is no time")?;
            if words.next().is_some_and(|word| !word.starts_with('#')) {
                return Err("there is something after the time");
            }
        }
    }
    Ok(Sample { metric: metric.to_string(), labels, value })
}

/// A name and what comes after it; a metric's may have colons.
fn name(text: &str, is_metric: bool) -> Option<(&str, &str)> {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_' || (is_metric && char == ':');
    let end = text.find(|char: char| !is_first(char) && !char.is_ascii_digit()).unwrap_or(text.len());
    text.starts_with(is_first).then(|| text.split_at(end))
}

/// Labels up to the brace that ends them, and what comes after it. A comma may stand after the last.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(SPACE);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (label, after) = name(rest, false).ok_or("there is no name of a label")?;
        let after = after.trim_start_matches(SPACE).strip_prefix('=').ok_or("there is no = after a label")?;
        let after =
            after.trim_start_matches(SPACE).strip_prefix('"').ok_or("a label's value has no quotes")?;
        let (value, after) = quoted(after)?;
        if labels.insert(label.to_string(), value).is_some() {
            return Err("a label is there twice");
        }
        let after = after.trim_start_matches(SPACE);
        rest = match after.strip_prefix(',') {
            Some(rest) => rest,
            None if after.starts_with('}') => after,
            None => return Err("labels have no end"),
        };
    }
}

/// A value up to the quote that ends it, and what comes after that.
fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, char @ ('\\' | '"'))) => value.push(char),
                // Prometheus takes it as it stands.
                Some((_, char)) => value.extend(['\\', char]),
                None => break,
            },
            char => value.push(char),
        }
    }
    Err("a label's value has no end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(metric: &str, labels: &[(&str, &str)], value: f64) -> Sample {
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Sample { metric: metric.to_string(), labels, value }
    }

    #[test]
    fn lines() {
        let check = |line: &str, expect: Sample| assert_eq!(read(line, |_| true), Ok(vec![expect]), "{line}");
        check("up 1", one("up", &[], 1.0));
        check("  up\t1e3  1395066363000", one("up", &[], 1000.0));
        check("a:b_total{} +Inf", one("a:b_total", &[], f64::INFINITY));
        check(r#"m{a="1",b="x"} -2.5"#, one("m", &[("a", "1"), ("b", "x")], -2.5));
        check(r#"m { a = "1" , } 3"#, one("m", &[("a", "1")], 3.0));
        check(
            r#"m{path="C:\\DIR\\x",e="a\n\"b\" {},=#"} 4"#,
            one("m", &[("path", "C:\\DIR\\x"), ("e", "a\n\"b\" {},=#")], 4.0),
        );
        check(r#"c_total 17.0 1520879607.789 # {id="KOO5S4vxi0o"} 0.67"#, one("c_total", &[], 17.0));
        check(r#"c_bucket{le="0.01"} 0 # {id="x"} 0.0054"#, one("c_bucket", &[("le", "0.01")], 0.0));
        assert!(read("x NaN", |_| true).unwrap()[0].value.is_nan());
    }

    #[test]
    fn what_is_not_wanted_and_not_a_sample_is_left_out() {
        let text = "# HELP up Whether.\n# TYPE up gauge\n\nup 1\r\ndown{a=\"b\"} 2\n# EOF\n";
        assert_eq!(read(text, |metric| metric == "down"), Ok(vec![one("down", &[("a", "b")], 2.0)]));
        assert_eq!(read("", |_| true), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_sample_is_named_by_its_line() {
        let check = |line: &str, expect: &str| {
            let error = read(&format!("up 1\n{line}\nup 1\n"), |_| true).unwrap_err();
            assert_eq!(error.to_string(), format!("line 2: {expect}"), "{line}");
        };
        check("<html>", "it begins with no name of a metric");
        check("9up 1", "it begins with no name of a metric");
        check("up", "there is no value");
        check("up one", "there is no value");
        check("up 1 soon", "there is something after the value that is no time");
        check("up 1 2 3", "there is something after the time");
        check("up{a} 1", "there is no = after a label");
        check("up{a=1} 1", "a label's value has no quotes");
        check("up{a=\"1} 1", "a label's value has no end");
        check("up{a=\"1\" 1", "labels have no end");
        check("up{a=\"1\\", "a label's value has no end");
        check("up{a=\"1\",a=\"2\"} 1", "a label is there twice");
        check("up{:a=\"1\"} 1", "there is no name of a label");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(labels in proptest::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,8}", "\\PC{0,12}|[\\\\\"\n,{}= #]{0,6}", 0..4), value in any::<f64>()) {
            let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let text = format!("# EOF\na_b:c{{{}}} {value:?}\n", pairs.join(","));
            let read = read(&text, |_| true).unwrap();
            prop_assert_eq!(&read[0].labels, &labels);
            prop_assert!(read[0].value == value || read[0].value.is_nan() && value.is_nan());
        }

        #[test]
        fn nothing_breaks_it(text in "\\PC*|([a-z]{1,3}[ {}=\",\\\\#\n0-9.]{0,9}){0,9}") {
            if let Err(error) = read(&text, |_| true) {
                prop_assert!(error.line > 0 && error.line <= text.lines().count());
            }
        }
    }
}
