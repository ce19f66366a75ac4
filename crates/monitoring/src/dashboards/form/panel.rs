//! One panel: what it asks, and how its values look.

use super::{options, position, source};
use crate::dashboards::layout::Place;
use crate::dashboards::model::{Column, Kind, Link, Look, Panel, Target, Threshold};
use serde_json::{Map, Value, json};

/// The shortest step that is asked for: series are scraped each 15 to 30 seconds. `$__rate_interval` is four of these, or more.
const STEP: &str = "30s";

pub(super) fn value(panel: &Panel, place: &Place, id: usize) -> Value {
    let (kind, options) = options::of(panel);
    let mut value = json!({
        "datasource": source(),
        "description": panel.description,
        "fieldConfig": {"defaults": defaults(panel), "overrides": overrides(panel)},
        "gridPos": position(place),
        "id": id,
        "options": options,
        "targets": panel.targets.iter().enumerate().map(|(at, it)| target(panel, it, at)).collect::<Vec<_>>(),
        "title": panel.title,
        "type": kind,
    });
    if let Kind::Table { labels } = &panel.kind {
        value["transformations"] = in_one_table(panel, labels);
    }
    if !panel.links.is_empty() {
        value["links"] = panel.links.iter().map(link).collect();
    }
    value
}

/// Rows of all targets with the same labels become one, and columns get their titles.
fn in_one_table(panel: &Panel, labels: &[Column]) -> Value {
    let values =
        panel.targets.iter().enumerate().map(|(at, it)| (format!("Value #{}", letter(at)), &*it.legend));
    let columns: Vec<(String, &str)> =
        labels.iter().map(|it| (it.label.clone(), it.title)).chain(values).collect();
    let order: Map<String, Value> =
        columns.iter().enumerate().map(|(at, (name, _))| (name.clone(), json!(at))).collect();
    let titles: Map<String, Value> = columns.into_iter().map(|(name, title)| (name, json!(title))).collect();
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": true},
            "indexByName": order,
            "renameByName": titles,
        }},
    ])
}

fn link(of: &Link) -> Value {
    let variables = "${datasource:queryparam}&${cluster:queryparam}&${__url_time_range}";
    // All of a board's link has to be there, though an address is enough for this one.
    json!({
        "asDropdown": false,
        "icon": "external link",
        "includeVars": false,
        "keepTime": false,
        "tags": [],
        "targetBlank": false,
        "title": of.title,
        "tooltip": "",
        "type": "link",
        "url": format!("/d/{}?{variables}", of.uid),
    })
}

fn letter(at: usize) -> char {
    char::from(b'A' + u8::try_from(at).expect("a panel has a few targets"))
}

fn target(panel: &Panel, of: &Target, at: usize) -> Value {
    let is_over_time = matches!(panel.kind, Kind::Lines(_));
    let format = if matches!(panel.kind, Kind::Table { .. }) { "table" } else { "time_series" };
    json!({
        "datasource": source(),
        "editorMode": "code",
        "expr": of.expr,
        "format": format,
        "instant": !is_over_time,
        "interval": STEP,
        "legendFormat": of.legend,
        "range": is_over_time,
        "refId": letter(at).to_string(),
    })
}

fn defaults(panel: &Panel) -> Value {
    let palette = matches!(panel.kind, Kind::Lines(_));
    let mut defaults = json!({
        "color": {"mode": if palette { "palette-classic" } else { "thresholds" }},
        "noValue": panel.absent,
        "thresholds": {"mode": "absolute", "steps": panel.thresholds.iter().map(step).collect::<Vec<_>>()},
        "unit": panel.unit.id(),
    });
    if let Kind::Lines(look) = panel.kind {
        defaults["custom"] = drawn(look, panel.thresholds.len() > 1);
    }
    if let Some(digits) = panel.decimals {
        defaults["decimals"] = json!(digits);
    }
    if let Some(most) = panel.most {
        defaults["min"] = json!(0);
        defaults["max"] = json!(most);
    }
    defaults
}

fn step(of: &Threshold) -> Value {
    json!({"color": of.colour.id(), "value": of.from})
}

fn drawn(look: Look, has_thresholds: bool) -> Value {
    let (style, fill, stacking) = match look {
        Look::Lines | Look::Band => ("line", 0, "none"),
        Look::Stacked => ("line", 40, "normal"),
        Look::Columns => ("bars", 80, "normal"),
    };
    json!({
        "drawStyle": style,
        "fillOpacity": fill,
        "lineWidth": 1,
        "showPoints": "auto",
        "spanNulls": false,
        "stacking": {"group": "A", "mode": stacking},
        "thresholdsStyle": {"mode": if has_thresholds { "line" } else { "off" }},
    })
}

/// What differs between the series of a panel: columns of a table have units of their own, the ends of a band are filled between.
fn overrides(panel: &Panel) -> Value {
    let by_name = |name: &str, properties: Value| json!({"matcher": {"id": "byName", "options": name}, "properties": properties});
    let property = |id: &str, value: Value| json!({"id": id, "value": value});
    match &panel.kind {
        Kind::Table { .. } => panel
            .targets
            .iter()
            .filter_map(|it| Some(by_name(&it.legend, json!([property("unit", json!(it.unit?.id()))]))))
            .collect(),
        Kind::Lines(Look::Band) => {
            let thin = property("custom.lineWidth", json!(0));
            match panel.targets.as_slice() {
                [upper, lower, ..] => json!([
                    by_name(
                        &upper.legend,
                        json!([
                            property("custom.fillBelowTo", json!(lower.legend)),
                            property("custom.fillOpacity", json!(20)),
                            thin
                        ])
                    ),
                    by_name(&lower.legend, json!([thin])),
                ]),
                _ => json!([]),
            }
        }
        Kind::Lines(_) | Kind::Number | Kind::Dial | Kind::Bars => json!([]),
    }
}
