//! Boards as files: Grafana's JSON, ConfigMaps that its sidecar takes, what provisions a folder of them, and the linter's `.lint`.
//!
//! The JSON is of the classic kind, which all Grafanas since 9 load; those that have a newer one migrate it.

mod options;
mod panel;

use super::layout::{Place, places};
use super::model::{Colour, Dashboard, EXCLUDED, TAG, Target, Values, Variable};
use crate::form::{metadata, yaml};
use serde_json::{Map, Value, json};

/// Grafana's number for this form of the JSON.
const SCHEMA_VERSION: u32 = 41;
/// The folder in Grafana.
const FOLDER: &str = "Plimsoll";
/// The name of the file that provisions boards.
pub const PROVIDER_FILE: &str = "plimsoll-dashboards.yaml";
/// What Grafana's dashboard-linter reads beside a board.
pub const LINT_FILE: &str = ".lint";

/// The name of a board's file.
pub fn file_name(board: &Dashboard) -> String {
    format!("{}.json", board.uid)
}

impl Dashboard {
    /// As Grafana imports it.
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(&self.value()).expect("what is made here can be written");
        text + "\n"
    }

    fn value(&self) -> Value {
        json!({
            "annotations": {"list": self.marks.iter().map(mark).collect::<Vec<_>>()},
            "description": self.description,
            "editable": false,
            "fiscalYearStartMonth": 0,
            // One cross-hair through all panels.
            "graphTooltip": 1,
            "id": null,
            "links": [links()],
            "panels": self.panel_values(),
            "refresh": "1m",
            "schemaVersion": SCHEMA_VERSION,
            "tags": [TAG],
            "templating": {"list": self.variables.iter().map(variable).collect::<Vec<_>>()},
            "time": {"from": format!("now-{}", self.range), "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "title": format!("Plimsoll / {}", self.title),
            "uid": self.uid,
            "version": 1,
        })
    }

    fn panel_values(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for (row, (heading, places)) in self.rows.iter().zip(places(&self.rows)) {
            all.push(json!({
                "collapsed": false,
                "gridPos": position(&heading),
                "id": all.len() + 1,
                "panels": [],
                "title": row.title,
                "type": "row",
            }));
            for (panel, place) in row.panels.iter().zip(places) {
                let id = all.len() + 1;
                all.push(panel::value(panel, &place, id));
            }
        }
        all
    }
}

/// A ConfigMap that Grafana's sidecar takes: by its label, into the folder of its annotation.
pub fn config_map(board: &Dashboard, namespace: Option<&str>, labels: &[(String, String)]) -> String {
    let mut all = vec![("grafana_dashboard".to_string(), "1".to_string())];
    all.extend_from_slice(labels);
    let mut metadata = metadata(&format!("{}-dashboard", board.uid), namespace, &all);
    metadata["annotations"] = json!({"grafana_folder": FOLDER});
    yaml(&json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {file_name(board): board.json()},
    }))
}

/// What goes to Grafana's `provisioning/dashboards`: boards are taken from the folder at this path.
pub fn provisioning(path: &str) -> String {
    yaml(&json!({
        "apiVersion": 1,
        "providers": [{
            "name": "plimsoll",
            "folder": FOLDER,
            "type": "file",
            "allowUiUpdates": false,
            "disableDeletion": false,
            "updateIntervalSeconds": 30,
            "options": {"path": path},
        }],
    }))
}

/// The rules of Grafana's dashboard-linter that do not hold, and why.
pub fn lint() -> String {
    let mut rules: Map<String, Value> = Map::new();
    for it in &EXCLUDED {
        let rule = rules.entry(it.rule).or_insert_with(|| json!({"reason": it.reason}));
        if !it.panel.is_empty() {
            let panels: Vec<Value> = EXCLUDED
                .iter()
                .filter(|other| other.rule == it.rule)
                .map(|other| json!({"panel": other.panel}))
                .collect();
            rule["entries"] = json!(panels);
        }
    }
    yaml(&json!({"exclusions": rules}))
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// A menu of all boards, which keeps what was chosen.
fn links() -> Value {
    json!({
        "asDropdown": true,
        "icon": "external link",
        "includeVars": true,
        "keepTime": true,
        "tags": [TAG],
        "targetBlank": false,
        "title": FOLDER,
        "tooltip": "",
        "type": "dashboards",
        "url": "",
    })
}

fn mark(target: &Target) -> Value {
    json!({
        "datasource": source(),
        "enable": true,
        "expr": target.expr,
        "iconColor": Colour::Bad.id(),
        "name": target.legend,
        "titleFormat": target.legend,
        "textFormat": "{{namespace}}/{{pod}} {{container}} {{cgroup}}",
    })
}

fn variable(of: &Variable) -> Value {
    match &of.values {
        Values::Sources => json!({
            // The default source, where that is a Prometheus, else the first that is.
            "current": {"selected": true, "text": "default", "value": "default"},
            "hide": 0,
            "includeAll": false,
            "label": of.label,
            "multi": false,
            "name": of.name,
            "options": [],
            "query": of.query(),
            "refresh": 1,
            "regex": "",
            "type": "datasource",
        }),
        Values::Label { .. } => json!({
            // What has no such label is part of all.
            "allValue": ".*",
            "current": {"selected": true, "text": ["All"], "value": ["$__all"]},
            "datasource": source(),
            "definition": of.query(),
            "hide": 0,
            "includeAll": true,
            "label": of.label,
            "multi": true,
            "name": of.name,
            "options": [],
            "query": of.query(),
            // With the time that is looked at.
            "refresh": 2,
            "regex": "",
            "sort": 1,
            "type": "query",
        }),
    }
}

fn position(place: &Place) -> Value {
    json!({"x": place.x, "y": place.y, "w": place.width, "h": place.height})
}
