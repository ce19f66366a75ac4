//! Whether rules can be made of what is set: what people write stands in every query.

use super::duration::parse_millis;
use super::{Kills, Settings, Tier};
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
        if !is_label(&self.cluster_label) {
            return Err(out_of(
                "cluster_label".to_string(),
                self.cluster_label.clone(),
                "the name of a label",
            ));
        }
        if let Some(name) = self.labels.keys().find(|name| !is_label(name)) {
            return Err(out_of("labels".to_string(), name.clone(), "the name of a label"));
        }
        for (key, tier) in self.tiers() {
            check_share(format!("{key}.above"), tier.above)?;
        }
        check_share("sizing.lowered_below".to_string(), self.sizing.lowered_below)?;
        for (of, usage) in [("usage", &self.usage), ("builds", &self.builds)] {
            if !(usage.warning.above < usage.critical.above && usage.critical.above < usage.emergency.above) {
                return Err(out_of(
                    of.to_string(),
                    "its tiers".to_string(),
                    "in order: warning, critical, emergency",
                ));
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
            return Err(out_of((*key).to_string(), value.to_string(), "a number above 0"));
        }
        self.check_durations()?;
        self.check_windows()
    }

    /// All tiers, by their key.
    fn tiers(&self) -> Vec<(String, &Tier)> {
        let mut all = vec![("capacity.nearly_full".to_string(), &self.capacity.nearly_full)];
        for (of, usage) in [("usage", &self.usage), ("builds", &self.builds)] {
            all.extend(usage.tiers().map(|(name, tier)| (format!("{of}.{name}"), tier)));
        }
        all
    }

    /// How long alerts wait and go on.
    fn check_durations(&self) -> Result<(), SettingsError> {
        let tiers = self.tiers();
        let tiers = tiers.iter().map(|(key, tier)| (key.as_str(), &tier.hold, &tier.keep_firing_for));
        let timings = [
            ("capacity.degraded", &self.capacity.degraded),
            ("scaling.ahead", &self.scaling.ahead),
            ("scaling.autoscaler", &self.scaling.autoscaler),
            ("presence.target", &self.presence.target),
            ("presence.absent", &self.presence.absent),
        ];
        let timings = timings.into_iter().map(|(key, it)| (key, &it.hold, &it.keep_firing_for));
        let others = [
            ("leak", &self.leak.hold, &self.leak.keep_firing_for),
            ("pressure", &self.pressure.hold, &self.pressure.keep_firing_for),
        ];
        for (key, hold, keep_firing_for) in tiers.chain(timings).chain(others) {
            check_duration(format!("{key}.for"), hold)?;
            check_duration(format!("{key}.keep_firing_for"), keep_firing_for)?;
        }
        for (key, text) in [
            ("interval", &self.interval),
            ("kills.keep_firing_for", &self.kills.keep_firing_for),
            ("sizing.keep_firing_for", &self.sizing.keep_firing_for),
        ] {
            check_duration(key.to_string(), text)?;
        }
        Ok(())
    }

    /// How far back alerts look.
    fn check_windows(&self) -> Result<(), SettingsError> {
        for (key, text) in [
            ("pressure.within", &self.pressure.within),
            ("kills.within", &self.kills.within),
            ("sizing.within", &self.sizing.within),
            ("sizing.lowered_within", &self.sizing.lowered_within),
        ] {
            if check_duration(key.to_string(), text)? == 0 {
                return Err(out_of(key.to_string(), format!("{text:?}"), "longer than 0"));
            }
        }
        let within = &self.kills.within;
        if parse_millis(within) > parse_millis(Kills::AWAY) {
            return Err(out_of("kills.within".to_string(), format!("{within:?}"), "at most 1h"));
        }
        Ok(())
    }
}

fn out_of(key: String, value: String, range: &'static str) -> SettingsError {
    SettingsError::Range { key, value, range }
}

/// A share that is neither none nor all.
fn check_share(key: String, share: f64) -> Result<(), SettingsError> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(out_of(key, share.to_string(), "between 0 and 1"))
}

/// Its milliseconds.
fn check_duration(key: String, text: &str) -> Result<u64, SettingsError> {
    parse_millis(text).ok_or_else(|| out_of(key, format!("{text:?}"), "a duration like 30s, 5m or 1h30m"))
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
        check(
            |it| it.capacity.nearly_full.above = 1.0,
            "capacity.nearly_full.above: 1 is not between 0 and 1",
        );
        check(|it| it.sizing.lowered_below = 0.0, "sizing.lowered_below: 0 is not between 0 and 1");
        check(|it| it.sizing.lowered_below = f64::NAN, "sizing.lowered_below: NaN");
        check(|it| it.kills.within = "61m".to_string(), "kills.within: \"61m\" is not at most 1h");
        check(|it| it.cluster_label = "by (x)".to_string(), "cluster_label");
        assert_eq!(Settings::default().check(), Ok(()));
    }
}
