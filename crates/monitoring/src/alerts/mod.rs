//! Alerts: who is told what, and where it says what to do. Each has a page in `docs/runbooks/`.

mod capacity;
mod kills;
mod leak;
mod presence;
mod pressure;
mod sizing;
mod usage;

use crate::rule::{Alert, Group, Rule, Severity};
use crate::settings::Settings;
use std::collections::BTreeMap;

/// All groups.
pub fn groups(settings: &Settings) -> Vec<Group> {
    let group = |name: &str, rules: Vec<Alert>| Group {
        name: format!("plimsoll.{name}.alerts"),
        interval: None,
        rules: rules.into_iter().map(Rule::Alert).collect(),
    };
    vec![
        group("usage", usage::alerts(settings)),
        group("kills", kills::alerts(settings)),
        group("pressure", pressure::alerts(settings)),
        group("leaks", leak::alerts(settings)),
        group("capacity", capacity::alerts(settings)),
        group("sizing", sizing::alerts(settings)),
        group("presence", presence::alerts(settings)),
    ]
}

/// What an alert is, apart from its query.
struct About {
    alert: &'static str,
    severity: Severity,
    /// Which of several of one name and severity.
    tier: &'static str,
    hold: String,
    keep_firing_for: String,
    /// The same for all: no labels in it.
    summary: &'static str,
    /// With labels and values.
    description: String,
}

impl About {
    fn when(self, settings: &Settings, expr: String) -> Alert {
        let mut labels = settings.labels.clone();
        labels.insert("severity".to_string(), self.severity.name().to_string());
        labels.insert("tier".to_string(), self.tier.to_string());
        let runbook = format!("{}{}.md", settings.runbooks_url, self.alert.to_lowercase());
        let annotations = BTreeMap::from([
            ("summary".to_string(), self.summary.to_string()),
            ("description".to_string(), self.description),
            ("runbook_url".to_string(), runbook),
        ]);
        Alert {
            alert: self.alert.to_string(),
            expr,
            hold: self.hold,
            keep_firing_for: self.keep_firing_for,
            labels,
            annotations,
        }
    }
}

/// Names a container in a description, of a pod or of a host.
const CONTAINER: &str = "{{ if $labels.pod }}{{ $labels.namespace }}/{{ $labels.pod }}/{{ $labels.container }}{{ else }}{{ $labels.container }} ({{ $labels.cgroup }} on {{ $labels.instance }}){{ end }}";
