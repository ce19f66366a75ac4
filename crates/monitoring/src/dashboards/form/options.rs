//! What each kind of picture has of its own. Grafana's JSON schemas name all of these as required.

use crate::dashboards::model::{Kind, Panel};
use serde_json::{Value, json};

/// Grafana's name of the kind, and its options.
pub(super) fn of(panel: &Panel) -> (&'static str, Value) {
    let reduce = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    match &panel.kind {
        Kind::Lines(_) => (
            "timeseries",
            json!({
                "legend": {
                    "calcs": ["lastNotNull", "max"],
                    "displayMode": "table",
                    "placement": "bottom",
                    "showLegend": true,
                },
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
        ),
        Kind::Number => (
            "stat",
            json!({
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "percentChangeColorMode": "standard",
                "reduceOptions": reduce,
                "showPercentChange": false,
                "textMode": "auto",
                "wideLayout": true,
            }),
        ),
        Kind::Dial => (
            "gauge",
            json!({
                "minVizHeight": 75,
                "minVizWidth": 75,
                "orientation": "auto",
                "reduceOptions": reduce,
                "showThresholdLabels": false,
                "showThresholdMarkers": true,
                "sizing": "auto",
            }),
        ),
        Kind::Bars => (
            "bargauge",
            json!({
                "displayMode": "basic",
                "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": false},
                "maxVizHeight": 300,
                "minVizHeight": 16,
                "minVizWidth": 8,
                "namePlacement": "auto",
                "orientation": "horizontal",
                "reduceOptions": reduce,
                "showUnfilled": true,
                "sizing": "auto",
                "valueMode": "color",
            }),
        ),
        Kind::Table { .. } => ("table", json!({"cellHeight": "sm", "frameIndex": 0, "showHeader": true})),
    }
}
