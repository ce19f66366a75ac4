//! The files that hold rules: Prometheus' own, and the operator's object.

use crate::rule::Group;
use crate::settings::{Settings, SettingsError};
use crate::{alerts, recording};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// All rules of a kind each, by the name of the file they go to.
pub fn files(settings: &Settings) -> Result<Vec<(&'static str, Vec<Group>)>, SettingsError> {
    settings.check()?;
    Ok(vec![("recording", recording::groups(settings)), ("alerts", alerts::groups(settings))])
}

/// A file that `rule_files` of a Prometheus names, and `promtool check rules` takes.
pub fn plain(groups: &[Group]) -> String {
    yaml(&json!({ "groups": groups }))
}

/// A PrometheusRule of the Prometheus operator, with the labels that its `ruleSelector` wants.
pub fn prometheus_rule(
    name: &str,
    namespace: Option<&str>,
    labels: &[(String, String)],
    groups: &[Group],
) -> String {
    yaml(&json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata(name, namespace, labels),
        "spec": { "groups": groups },
    }))
}

/// Metadata of all objects that are written here.
pub(crate) fn metadata(name: &str, namespace: Option<&str>, labels: &[(String, String)]) -> Value {
    let mut all = Map::new();
    all.insert("app.kubernetes.io/name".to_string(), json!("plimsoll"));
    all.insert("app.kubernetes.io/part-of".to_string(), json!("plimsoll"));
    all.extend(labels.iter().map(|(name, value)| (name.clone(), json!(value))));
    let mut metadata = json!({ "name": name, "labels": all });
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    metadata
}

/// As YAML, with queries of several lines as blocks.
pub(crate) fn yaml(of: &impl Serialize) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: true };
    serde_saphyr::to_string_with_options(of, options).expect("what is made here can be written")
}
