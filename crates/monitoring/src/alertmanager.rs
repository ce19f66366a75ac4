//! An Alertmanager's configuration for these alerts: who is told of which tier, how alerts are put together, and which mute which.
//!
//! A stock configuration mutes by namespace and alert, so that one pod's `critical` mutes another pod's `warning`. Here the pod and
//! the container have to be the same. A label that neither alert has counts as the same: what is on hosts without pods is told apart
//! by `instance` and `cgroup`, which are among those that have to be equal.

use crate::form::{metadata, yaml};
use crate::settings::Settings;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who is told, by tier.
pub const RECEIVERS: [&str; 4] = ["emergency", "critical", "warning", "info"];

/// One alert mutes another. Its name stands before it as a comment: Alertmanager takes `name:` in these since 0.29 only.
struct Inhibit {
    name: &'static str,
    source: &'static [&'static str],
    target: &'static [&'static str],
    /// The alert has to be the same one too.
    is_same_alert: bool,
}

const INHIBIT: &[Inhibit] = &[
    Inhibit {
        name: "emergency-mutes-lower-tiers",
        source: &["tier=\"emergency\""],
        target: &["tier=~\"critical|warning\""],
        is_same_alert: true,
    },
    Inhibit {
        name: "critical-mutes-warning",
        source: &["tier=\"critical\""],
        target: &["tier=\"warning\""],
        is_same_alert: true,
    },
    Inhibit {
        name: "emergency-mutes-what-foretold-it",
        source: &[
            "tier=\"emergency\"",
            "alertname=~\"HighMemoryUsage|GitLabRunnerHighMemory|BuildProcessHighMemory\"",
        ],
        target: &["alertname=~\"MemoryLeakSuspected|HighMemoryPressure\""],
        is_same_alert: false,
    },
    Inhibit {
        name: "kill-mutes-usage",
        source: &["alertname=\"OOMKillDetected\"", "tier=\"pod_status\""],
        target: &["alertname=~\"HighMemoryUsage|HighMemoryPressure\""],
        is_same_alert: false,
    },
];

fn equal(settings: &Settings, inhibit: &Inhibit) -> Vec<String> {
    let alert = inhibit.is_same_alert.then_some("alertname");
    let labels = ["namespace", "pod", "container", "instance", "cgroup"];
    std::iter::once(settings.cluster_label.as_str()).chain(labels).chain(alert).map(str::to_string).collect()
}

/// Routes below the root: the matchers, the receiver, and how long alerts are gathered and not said again.
const ROUTES: [(&[&str], &str, &str, &str); 4] = [
    (&["tier=\"emergency\""], "emergency", "10s", "1h"),
    (&["severity=\"critical\""], "critical", "30s", "4h"),
    (&["severity=\"warning\""], "warning", "2m", "12h"),
    (&["severity=\"info\""], "info", "10m", "1d"),
];

/// `alertmanager.yml`; `webhooks` says where each receiver of [`RECEIVERS`] sends to, those that are not in it send nowhere yet.
pub fn plain(settings: &Settings, webhooks: &BTreeMap<String, String>) -> String {
    let routes: Vec<Value> = ROUTES
        .iter()
        .map(|(matchers, receiver, wait, repeat)| {
            json!({"matchers": matchers, "receiver": receiver, "group_wait": wait, "repeat_interval": repeat})
        })
        .collect();
    let receivers: Vec<Value> = RECEIVERS
        .iter()
        .map(|name| match webhooks.get(*name) {
            Some(url) => json!({"name": name, "webhook_configs": [{"url": url, "send_resolved": true}]}),
            None => json!({"name": name}),
        })
        .collect();
    let head = yaml(&json!({
        "route": {
            "receiver": "info",
            "group_by": [settings.cluster_label, "namespace", "alertname"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "receivers": receivers,
    }));
    let rules: String = INHIBIT
        .iter()
        .map(|it| {
            let rule = json!([{
                "source_matchers": it.source,
                "target_matchers": it.target,
                "equal": equal(settings, it),
            }]);
            format!("# {}\n{}", it.name, yaml(&rule))
        })
        .collect();
    format!("{head}inhibit_rules:\n{rules}")
}

/// The same as an AlertmanagerConfig of the Prometheus operator, which holds for the alerts of one namespace.
pub fn object(
    settings: &Settings,
    namespace: Option<&str>,
    labels: &[(String, String)],
    webhooks: &BTreeMap<String, String>,
) -> String {
    let routes: Vec<Value> = ROUTES
        .iter()
        .map(|(matchers, receiver, wait, repeat)| {
            json!({"matchers": matchers.iter().map(|it| matcher(it)).collect::<Vec<_>>(), "receiver": receiver, "groupWait": wait, "repeatInterval": repeat})
        })
        .collect();
    let receivers: Vec<Value> = RECEIVERS
        .iter()
        .map(|name| match webhooks.get(*name) {
            Some(url) => json!({"name": name, "webhookConfigs": [{"url": url, "sendResolved": true}]}),
            None => json!({"name": name}),
        })
        .collect();
    let inhibit: Vec<Value> = INHIBIT
        .iter()
        .map(|it| {
            json!({
                "sourceMatch": it.source.iter().map(|it| matcher(it)).collect::<Vec<_>>(),
                "targetMatch": it.target.iter().map(|it| matcher(it)).collect::<Vec<_>>(),
                "equal": equal(settings, it),
            })
        })
        .collect();
    yaml(&json!({
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": metadata("plimsoll", namespace, labels),
        "spec": {
            "route": {
                "receiver": "info",
                "groupBy": [settings.cluster_label, "namespace", "alertname"],
                "groupWait": "30s",
                "groupInterval": "5m",
                "repeatInterval": "12h",
                "routes": routes,
            },
            "receivers": receivers,
            "inhibitRules": inhibit,
        },
    }))
}

/// `name="value"` or `name=~"value"`, as the operator writes it.
fn matcher(text: &str) -> Value {
    let (name, rest) = text.split_once('=').unwrap_or((text, ""));
    let (kind, value) = rest.strip_prefix('~').map_or(("=", rest), |value| ("=~", value));
    json!({"name": name, "matchType": kind, "value": value.trim_matches('"')})
}
