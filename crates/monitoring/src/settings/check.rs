//! Whether rules can be made of what is set: what people write stands in every query.

use super::Settings;
use promql_parser::parser;
use thiserror::Error;

/// A selector, of any setting.
const SELECTOR_MAX_BYTES: usize = 1000;

/// What is wrong with a setting.
#[derive(Debug, Error, PartialEq)]
pub enum SettingsError {
    /// No PromQL.
    #[error(
        "{key}: {why}\nwrite label matchers as PromQL has them between braces: {example}",
        example = "job=\"agent\",namespace!=\"dev\""
    )]
    Selector {
        /// Which setting.
        key: &'static str,
        /// What the parser said.
        why: String,
    },
    /// Not between its ends.
    #[error("{key}: {value} is not {range}\nset it so, or leave it out")]
    Range {
        /// Which setting.
        key: String,
        /// What it is.
        value: String,
        /// What it has to be.
        range: &'static str,
    },
}

impl Settings {
    /// Whether rules can be made of it. A selector must be one, and nothing beside it: what is in it stands in every query.
    pub fn check(&self) -> Result<(), SettingsError> {
        let s = &self.selectors;
        for (key, selector) in [
            ("selectors.agent", &s.agent),
            ("selectors.service", &s.service),
            ("selectors.controller", &s.controller),
            ("selectors.ours", &s.ours),
            ("selectors.cadvisor", &s.cadvisor),
            ("selectors.kube_state_metrics", &s.kube_state_metrics),
            ("selectors.node_exporter", &s.node_exporter),
            ("selectors.prices", &s.prices),
            ("selectors.runner_pods", &s.runner_pods),
            ("selectors.containers", &s.containers),
        ] {
            check_selector(selector).map_err(|why| SettingsError::Selector { key, why })?;
        }
        let range =
            |key: String, value: &str, range| SettingsError::Range { key, value: value.to_string(), range };
        if !is_label(&self.cluster_label) {
            return Err(range("cluster_label".to_string(), &self.cluster_label, "the name of a label"));
        }
        if let Some(name) = self.labels.keys().find(|name| !is_label(name)) {
            return Err(range("labels".to_string(), name, "the name of a label"));
        }
        for (of, usage) in [("usage", &self.usage), ("builds", &self.builds)] {
            for (name, tier) in
                [("warning", &usage.warning), ("critical", &usage.critical), ("emergency", &usage.emergency)]
            {
                if !(tier.above > 0.0 && tier.above < 1.0) {
                    return Err(range(
                        format!("{of}.{name}.above"),
                        &tier.above.to_string(),
                        "between 0 and 1",
                    ));
                }
            }
            if !(usage.warning.above < usage.critical.above && usage.critical.above < usage.emergency.above) {
                return Err(range(of.to_string(), "its tiers", "in order: warning, critical, emergency"));
            }
        }
        let positive = [
            ("leak.hours", self.leak.hours),
            ("leak.hours_new_ground", self.leak.hours_new_ground),
            ("leak.minutes", self.leak.minutes),
            ("leak.days", self.leak.days),
            ("pressure.stalled_above", self.pressure.stalled_above),
            ("pressure.used_above", self.pressure.used_above),
            ("pressure.refaults_above", self.pressure.refaults_above),
            ("cost.node_month", self.cost.node_month),
            ("cost.memory_gib_hour", self.cost.memory_gib_hour),
        ];
        if let Some((key, value)) = positive.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Err(range((*key).to_string(), &value.to_string(), "a number above 0"));
        }
        self.check_durations()
    }

    fn check_durations(&self) -> Result<(), SettingsError> {
        let mut durations = vec![("interval".to_string(), &self.interval)];
        for (of, usage) in [("usage", &self.usage), ("builds", &self.builds)] {
            for (name, tier) in
                [("warning", &usage.warning), ("critical", &usage.critical), ("emergency", &usage.emergency)]
            {
                durations.push((format!("{of}.{name}.for"), &tier.hold));
                durations.push((format!("{of}.{name}.keep_firing_for"), &tier.keep_firing_for));
            }
        }
        for (of, hold, keep) in [
            ("leak", &self.leak.hold, &self.leak.keep_firing_for),
            ("pressure", &self.pressure.hold, &self.pressure.keep_firing_for),
        ] {
            durations.push((format!("{of}.for"), hold));
            durations.push((format!("{of}.keep_firing_for"), keep));
        }
        match durations.into_iter().find(|(_, text)| !is_duration(text)) {
            Some((key, text)) => Err(SettingsError::Range {
                key,
                value: format!("{text:?}"),
                range: "a duration like 30s, 5m or 1h30m",
            }),
            None => Ok(()),
        }
    }
}

/// Whether text is label matchers and nothing else: a brace or a comment in it would change the query around it.
fn check_selector(selector: &str) -> Result<(), String> {
    if selector.len() > SELECTOR_MAX_BYTES {
        return Err(format!("longer than {SELECTOR_MAX_BYTES} bytes"));
    }
    let query = format!("metric{{{selector}}}");
    match parser::parse(&query) {
        // What the parser takes for the selector must be all of the text: written again and parsed, it is the same.
        Ok(parser::Expr::VectorSelector(of))
            if of.offset.is_none() && of.at.is_none() && of.name.as_deref() == Some("metric") =>
        {
            let ends = query.trim_end().ends_with('}') && !selector.contains('#') && !selector.contains('\n');
            if ends { Ok(()) } else { Err("a comment or a line break is in it".to_string()) }
        }
        Ok(_) => Err("more than label matchers".to_string()),
        Err(why) => Err(why),
    }
}

fn is_label(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_')
        && text.len() <= 128
}

/// Prometheus' durations: numbers with units, the largest unit first, each once.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    let mut any = false;
    for unit in ["y", "w", "d", "h", "m", "s", "ms"] {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let Some(next) = after.strip_prefix(unit) else { continue };
        // `m` of `ms` is none.
        if digits == 0 || digits > 9 || number.is_empty() || (unit == "m" && next.starts_with('s')) {
            continue;
        }
        rest = next;
        any = true;
    }
    (any && rest.is_empty()) || text == "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_matchers_and_nothing_else() {
        let check = |selector: &str, is_right: bool| {
            let mut settings = Settings::default();
            settings.selectors.agent = selector.to_string();
            assert_eq!(settings.check().is_ok(), is_right, "{selector}: {:?}", settings.check());
        };
        check("", true);
        check(r#"job="agent""#, true);
        check(r#"job=~"a|b",namespace!="dev","#, true);
        check(r#"job="a}b""#, true);
        check("job=agent", false);
        check(r#"job="a"} or up{job="b""#, false);
        check(r#"job="a"}[5m"#, false);
        check(r#"job="a"} offset 5m #"#, false);
        check("job=\"a\" #", false);
        check(r#"job=~"(""#, false);
        check(&format!("job=\"{}\"", "x".repeat(2000)), false);
    }

    #[test]
    fn a_duration_is_prometheus_own() {
        let check = |text: &str, expect: bool| assert_eq!(is_duration(text), expect, "{text:?}");
        for right in ["0", "5m", "1h30m", "90s", "250ms", "1d", "1w2d", "1y"] {
            check(right, true);
        }
        for wrong in ["", "5", "m", "5 m", "5m5h", "5x", "-5m", "5m ", "1.5h"] {
            check(wrong, false);
        }
    }

    #[test]
    fn tiers_are_in_order_and_within_the_limit() {
        let check = |change: fn(&mut Settings), expect: &str| {
            let mut settings = Settings::default();
            change(&mut settings);
            let error = settings.check().unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        };
        check(|it| it.usage.critical.above = 0.5, "usage: its tiers");
        check(|it| it.builds.warning.above = 75.0, "builds.warning.above: 75 is not between 0 and 1");
        check(|it| it.usage.emergency.above = f64::NAN, "usage.emergency.above: NaN");
        check(|it| it.cost.node_month = 0.0, "cost.node_month: 0");
        check(|it| it.usage.warning.hold = "soon".to_string(), "usage.warning.for: \"soon\"");
        check(|it| it.cluster_label = "by (x)".to_string(), "cluster_label");
        assert_eq!(Settings::default().check(), Ok(()));
    }
}
