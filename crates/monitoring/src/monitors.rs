//! How a Prometheus finds what Plimsoll shows: objects of the Prometheus operator, or `scrape_configs`.

use crate::form::{metadata, yaml};
use serde_json::{Value, json};

/// A part of Plimsoll that shows metrics, as the chart calls it.
struct Part {
    /// Of `app.kubernetes.io/component`.
    component: &'static str,
    job: &'static str,
    /// Where it listens by default.
    address: &'static str,
    interval: &'static str,
}

/// The port's name in all of them.
const PORT: &str = "http";
const SERVE: &str = "serve";

const PARTS: [Part; 3] = [
    Part { component: SERVE, job: "plimsoll", address: "127.0.0.1:7676", interval: "30s" },
    Part { component: "agent", job: "plimsoll-agent", address: "127.0.0.1:9677", interval: "15s" },
    Part { component: "controller", job: "plimsoll-controller", address: "127.0.0.1:9477", interval: "30s" },
];

/// A ServiceMonitor for what is a Service, a PodMonitor for each of the others.
///
/// `labels` are what the Prometheus' selectors want: with kube-prometheus-stack `release: NAME OF ITS RELEASE`, unless
/// `serviceMonitorSelectorNilUsesHelmValues` is false there.
pub fn objects(namespace: Option<&str>, labels: &[(String, String)]) -> String {
    let texts: Vec<String> = PARTS.iter().map(|part| yaml(&object(part, namespace, labels))).collect();
    texts.join("---\n")
}

fn object(part: &Part, namespace: Option<&str>, labels: &[(String, String)]) -> Value {
    let selector = json!({"matchLabels": {
        "app.kubernetes.io/name": "plimsoll",
        "app.kubernetes.io/component": part.component,
    }});
    // The job is the part's own, whatever the Service is called.
    let relabelings = json!([{"targetLabel": "job", "replacement": part.job}]);
    // What agent and controller show is about other pods, whose namespace is not to give way to their own.
    let is_about_others = part.component != SERVE;
    let endpoints = json!([{
        "port": PORT,
        "interval": part.interval,
        "honorLabels": is_about_others,
        "relabelings": relabelings,
    }]);
    let (kind, key) =
        if is_about_others { ("PodMonitor", "podMetricsEndpoints") } else { ("ServiceMonitor", "endpoints") };
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": kind,
        "metadata": metadata(part.job, namespace, labels),
        "spec": {"selector": selector, key: endpoints},
    })
}

/// `scrape_configs`, of what listens on this machine.
pub fn plain() -> String {
    let configs: Vec<Value> = PARTS
        .iter()
        .map(|part| {
            json!({
                "job_name": part.job,
                "scrape_interval": part.interval,
                "static_configs": [{"targets": [part.address]}],
            })
        })
        .collect();
    yaml(&json!({"scrape_configs": configs}))
}
