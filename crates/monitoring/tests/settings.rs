//! Thresholds and times of every alert are set: what is changed shows in its rule, what is wrong is refused by its key, and no
//! time is left that is not set.

use plimsoll_monitoring::form;
use plimsoll_monitoring::rule::{Alert, Rule};
use plimsoll_monitoring::settings::{Settings, SettingsError};
use serde_json::{Value, json};

fn alerts(settings: &Settings) -> Result<Vec<Alert>, SettingsError> {
    let rules = form::files(settings)?.into_iter().flat_map(|(_, groups)| groups).flat_map(|it| it.rules);
    Ok(rules.filter_map(|rule| if let Rule::Alert(alert) = rule { Some(alert) } else { None }).collect())
}

/// The defaults with other values, each by its key.
fn changed<'a>(changes: impl IntoIterator<Item = (&'a str, Value)>) -> Settings {
    let mut all = json!(Settings::default());
    for (key, value) in changes {
        *all.pointer_mut(&format!("/{}", key.replace('.', "/"))).unwrap_or_else(|| panic!("{key}")) = value;
    }
    serde_json::from_value(all).unwrap()
}

/// All that can be set, by its key, with its default.
fn all() -> Vec<(String, Value)> {
    fn add(of: Value, key: &str, to: &mut Vec<(String, Value)>) {
        match of {
            Value::Object(all) => {
                all.into_iter().for_each(|(name, of)| add(of, &format!("{key}.{name}"), to))
            }
            _ => to.push((key.trim_start_matches('.').to_string(), of)),
        }
    }
    let mut all = Vec::new();
    add(json!(Settings::default()), "", &mut all);
    all
}

/// Keys of all times: no other text begins with a digit.
fn times() -> Vec<String> {
    let is_time = |of: &Value| of.as_str().is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    all().into_iter().filter(|(_, value)| is_time(value)).map(|(key, _)| key).collect()
}

/// Not of alerts' thresholds and times.
fn is_of_others(key: &str) -> bool {
    ["selectors.", "cost.", "runbooks_url", "cluster_label", "interval"].iter().any(|it| key.starts_with(it))
}

/// A setting, what it is changed to, in which tier of which alert and where that shows, and as what.
#[rustfmt::skip]
const SHOWN: [(&str, &str, &str, &str, &str); 64] = [
    ("usage.warning.above", "0.77", "HighMemoryUsage warning", "expr", "> 0.77"),
    ("usage.warning.for", "77s", "HighMemoryUsage warning", "for", "77s"),
    ("usage.warning.keep_firing_for", "77s", "HighMemoryUsage warning", "keep_firing_for", "77s"),
    ("usage.critical.above", "0.87", "HighMemoryUsage critical", "expr", "> 0.87"),
    ("usage.critical.for", "77s", "HighMemoryUsage critical", "for", "77s"),
    ("usage.critical.keep_firing_for", "77s", "HighMemoryUsage critical", "keep_firing_for", "77s"),
    ("usage.emergency.above", "0.97", "HighMemoryUsage emergency", "expr", "> 0.97"),
    ("usage.emergency.for", "77s", "HighMemoryUsage emergency", "for", "77s"),
    ("usage.emergency.keep_firing_for", "77s", "HighMemoryUsage emergency", "keep_firing_for", "77s"),
    ("builds.warning.above", "0.77", "BuildProcessHighMemory warning", "expr", "> 0.77"),
    ("builds.warning.for", "77s", "BuildProcessHighMemory warning", "for", "77s"),
    ("builds.warning.keep_firing_for", "77s", "BuildProcessHighMemory warning", "keep_firing_for", "77s"),
    ("builds.critical.above", "0.87", "BuildProcessHighMemory critical", "expr", "> 0.87"),
    ("builds.critical.for", "77s", "BuildProcessHighMemory critical", "for", "77s"),
    ("builds.critical.keep_firing_for", "77s", "BuildProcessHighMemory critical", "keep_firing_for", "77s"),
    ("builds.emergency.above", "0.97", "BuildProcessHighMemory emergency", "expr", "> 0.97"),
    ("builds.emergency.for", "77s", "BuildProcessHighMemory emergency", "for", "77s"),
    ("builds.emergency.keep_firing_for", "77s", "BuildProcessHighMemory emergency", "keep_firing_for", "77s"),
    ("leak.hours", "7", "MemoryLeakSuspected leak", "expr", "evidence=\"hours\"} < 25200"),
    ("leak.hours_new_ground", "7", "MemoryLeakSuspected leak", "expr", "evidence=\"new_ground\"} < 25200"),
    ("leak.minutes", "7", "MemoryLeakSuspected leak", "expr", "evidence=\"minutes\"} < 25200"),
    ("leak.days", "7", "MemoryLeakSuspected leak", "expr", "evidence=\"days\"} < 25200"),
    ("pressure.stalled_above", "0.7", "HighMemoryPressure container", "expr", "> 0.7\n"),
    ("pressure.used_above", "0.7", "HighMemoryPressure container", "expr", ":ratio > 0.7\n"),
    ("pressure.refaults_above", "77", "HighMemoryPressure container", "expr", "> 77"),
    ("pressure.within", "77s", "HighMemoryPressure container", "expr", "stalled_seconds_total{pod!=\"\"}[77s]"),
    ("pressure.within", "77s", "HighMemoryPressure container", "expr", "refaults_total{pod=\"\"}[77s]"),
    ("kills.within", "77s", "OOMKillDetected counted", "expr", "increase(plimsoll_oom_kills_total[77s])"),
    ("kills.within", "77s", "OOMKillDetected counted", "expr", "[1h] offset 77s"),
    ("kills.within", "77s", "OOMKillDetected counted", "expr", "plimsoll_agent_cgroups offset 77s"),
    ("kills.within", "77s", "OOMKillDetected counted", "description", "killed within 77s."),
    ("kills.within", "77s", "OOMKillDetected pod_status", "expr", "[77s]"),
    ("kills.within", "77s", "OOMKillDetected host", "expr", "[77s]"),
    ("kills.within", "77s", "OOMKillDetected host", "description", "within 77s;"),
    ("kills.keep_firing_for", "77s", "OOMKillDetected counted", "keep_firing_for", "77s"),
    ("kills.keep_firing_for", "77s", "OOMKillDetected pod_status", "keep_firing_for", "77s"),
    ("kills.keep_firing_for", "77s", "OOMKillDetected host", "keep_firing_for", "77s"),
    ("capacity.nearly_full.above", "0.77", "CapacityShortfall nearly_full", "expr", "> 0.77"),
    ("sizing.within", "77s", "RightsizingRegressed controller", "expr", "[77s]"),
    ("sizing.within", "77s", "RightsizingRegressed controller", "description", "within 77s a"),
    ("sizing.within", "77s", "RightsizingRegressed limit", "expr", "[77s])) > 0"),
    ("sizing.lowered_within", "77s", "RightsizingRegressed limit", "expr", "max_over_time(container:plimsoll_memory_limit_bytes:max[77s])"),
    ("sizing.lowered_within", "77s", "RightsizingRegressed limit", "description", "within 77s of its limit"),
    ("sizing.lowered_below", "0.77", "RightsizingRegressed limit", "expr", "< 0.77 * max"),
    ("sizing.keep_firing_for", "77s", "RightsizingRegressed controller", "keep_firing_for", "77s"),
    ("sizing.keep_firing_for", "77s", "RightsizingRegressed limit", "keep_firing_for", "77s"),
    ("leak.for", "77s", "MemoryLeakSuspected leak", "for", "77s"),
    ("leak.keep_firing_for", "77s", "MemoryLeakSuspected leak", "keep_firing_for", "77s"),
    ("pressure.for", "77s", "HighMemoryPressure container", "for", "77s"),
    ("pressure.keep_firing_for", "77s", "HighMemoryPressure container", "keep_firing_for", "77s"),
    ("capacity.degraded.for", "77s", "CapacityShortfall degraded", "for", "77s"),
    ("capacity.degraded.keep_firing_for", "77s", "CapacityShortfall degraded", "keep_firing_for", "77s"),
    ("capacity.nearly_full.for", "77s", "CapacityShortfall nearly_full", "for", "77s"),
    ("capacity.nearly_full.keep_firing_for", "77s", "CapacityShortfall nearly_full", "keep_firing_for", "77s"),
    ("scaling.ahead.for", "77s", "ScalingFailure ahead", "for", "77s"),
    ("scaling.ahead.keep_firing_for", "77s", "ScalingFailure ahead", "keep_firing_for", "77s"),
    ("scaling.autoscaler.for", "77s", "ScalingFailure autoscaler", "for", "77s"),
    ("scaling.autoscaler.keep_firing_for", "77s", "ScalingFailure autoscaler", "keep_firing_for", "77s"),
    ("presence.target.for", "77s", "PlimsollDown target", "for", "77s"),
    ("presence.target.keep_firing_for", "77s", "PlimsollDown target", "keep_firing_for", "77s"),
    ("presence.absent.for", "77s", "PlimsollDown absent", "for", "77s"),
    ("presence.absent.keep_firing_for", "77s", "PlimsollDown absent", "keep_firing_for", "77s"),
    ("scaling.autoscaler.for", "77s", "ScalingFailure autoscaler", "description", "to scale for 77s."),
    ("presence.target.for", "77s", "PlimsollDown target", "description", "scraped for 77s."),
];

#[test]
fn what_is_set_shows_in_its_rule() {
    for (key, value, at, field, text) in SHOWN {
        let text_of = |settings: &Settings| {
            let all = alerts(settings).unwrap();
            let alert = all.iter().find(|it| format!("{} {}", it.alert, it.labels["tier"]) == at).unwrap();
            let (fields, annotations) = (json!(alert), json!(alert.annotations));
            fields.get(field).or(annotations.get(field)).unwrap().as_str().unwrap().to_string()
        };
        let value = value.parse::<f64>().map_or(json!(value), |number| json!(number));
        let (before, after) = (text_of(&Settings::default()), text_of(&changed([(key, value)])));
        assert!(after.contains(text), "{key}: {after}");
        assert!(!before.contains(text), "{key}: {text} is said whatever is set");
    }
    let is_shown = |key: &String| SHOWN.iter().any(|it| it.0 == key);
    let missing: Vec<_> =
        all().into_iter().map(|it| it.0).filter(|key| !is_of_others(key) && !is_shown(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_alert_has_a_time_that_is_not_set() {
    let keys = times();
    let settings = changed(keys.iter().map(|key| (key.as_str(), json!("77s"))));
    for Alert { alert, expr, hold, keep_firing_for, annotations, .. } in alerts(&settings).unwrap() {
        let is_at_once = ["OOMKillDetected", "RightsizingRegressed"].contains(&alert.as_str());
        assert_eq!(hold, if is_at_once { "0s" } else { "77s" }, "{alert}");
        assert_eq!(keep_firing_for, "77s", "{alert}");
        let after = |mark, ends: &'static [char]| {
            expr.split(mark).skip(1).map(move |it: &str| it.split(ends).next().unwrap())
        };
        for time in after("[", &[']']).chain(after("offset ", &[')', ' '])) {
            // So long an agent may have been away.
            let is_kept = time == "1h" && alert == "OOMKillDetected";
            assert!(time == "77s" || is_kept, "{alert}: {time} in\n{expr}");
        }
        let said = &annotations["description"];
        let words = [" minute", " hour", " day", " second"];
        assert!(!words.iter().any(|word| said.contains(word)), "{alert}: {said}");
    }
}

#[test]
fn what_is_no_time_is_refused_by_its_key() {
    let check = |key: &str, value: &str, expect: Option<&str>| {
        let refused = alerts(&changed([(key, json!(value))])).err().map(|error| error.to_string());
        let first = refused.as_deref().and_then(|it| it.lines().next());
        assert_eq!(first, expect.map(|it| format!("{key}: {value:?} is not {it}")).as_deref(), "{key}");
    };
    for key in times() {
        for wrong in ["soon", "", "5", "-5m", "5m]", "300y", "5m\n"] {
            check(&key, wrong, Some("a duration like 30s, 5m or 1h30m"));
        }
        // Nothing can be looked for in no time; an alert may wait for none.
        let is_window = key.ends_with("within");
        for none in ["0", "0s", "0h0ms"] {
            check(&key, none, is_window.then_some("longer than 0"));
        }
        check(&key, "1h", None);
        check(&key, "1h1ms", (key == "kills.within").then_some("at most 1h"));
    }
}

#[test]
fn the_guide_shows_all_of_it_with_its_defaults() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/monitoring.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let shown = guide.split("```yaml\n").find(|it| it.starts_with("monitoring:")).unwrap();
    let shown: Value = serde_saphyr::from_str(shown.split("```").next().unwrap()).unwrap();
    let shown = &shown["monitoring"];
    let taken: Settings = serde_json::from_value(shown.clone()).unwrap();
    assert_eq!(taken.check(), Ok(()));
    let taken = json!(taken);
    for (key, default) in all().into_iter().filter(|(key, _)| !is_of_others(key)) {
        let at = format!("/{}", key.replace('.', "/"));
        assert!(shown.pointer(&at).is_some(), "{key} is not shown");
        assert_eq!(taken.pointer(&at), Some(&default), "{key}");
    }
}
