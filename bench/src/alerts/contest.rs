//! The alerts that are compared: what people write today, and ours.

use plimsoll_monitoring::form;
use plimsoll_monitoring::rule::{Alert, Rule};
use plimsoll_monitoring::settings::Settings;
use std::collections::BTreeMap;

/// A contestant: the name of the alert, its tier where it has several, and how it is called in the table.
pub struct Contestant {
    pub alert: &'static str,
    pub tier: &'static str,
    pub title: &'static str,
    /// It is one of ours.
    pub is_ours: bool,
}

const fn other(alert: &'static str, title: &'static str) -> Contestant {
    Contestant { alert, tier: "", title, is_ours: false }
}

const fn ours(alert: &'static str, tier: &'static str, title: &'static str) -> Contestant {
    Contestant { alert, tier, title, is_ours: true }
}

/// In the order of the table.
pub const CONTESTANTS: [Contestant; 11] = [
    other("WorkingSet75", "working set > 75 %, 15m"),
    other("WorkingSet85", "working set > 85 %, 5m"),
    other("WorkingSet95", "working set > 95 %, 1m"),
    other("Predict1h", "predict_linear[1h], 4h, 15m"),
    other("Predict6h", "predict_linear[6h], 4h, 15m"),
    other("Predict1hHigh", "predict_linear[1h], now > 70 %"),
    ours("HighMemoryUsage", "warning", "HighMemoryUsage 75 %"),
    ours("HighMemoryUsage", "critical", "HighMemoryUsage 85 %"),
    ours("HighMemoryUsage", "emergency", "HighMemoryUsage 95 %"),
    ours("MemoryLeakSuspected", "leak", "MemoryLeakSuspected"),
    ours("MemoryLeakSuspected or 95 %", "", "leak or 95 %"),
];

/// What is counted for the last of them: either of two.
pub const EITHER: [(&str, &str); 2] = [("MemoryLeakSuspected", "leak"), ("HighMemoryUsage", "emergency")];

/// What people write, on the working set; `for` in minutes.
const OTHERS: [(&str, &str, &str); 6] = [
    ("WorkingSet75", "15m", "W / L > 0.75"),
    ("WorkingSet85", "5m", "W / L > 0.85"),
    ("WorkingSet95", "1m", "W / L > 0.95"),
    ("Predict1h", "15m", "predict_linear(W[1h], 4 * 3600) > L"),
    ("Predict6h", "15m", "predict_linear(W[6h], 4 * 3600) > L"),
    ("Predict1hHigh", "15m", "predict_linear(W[1h], 4 * 3600) > L and W / L > 0.7"),
];

/// The rules of all, in the order of their evaluation: ours as they are rendered, as far as they decide here.
pub fn rules() -> Vec<Rule> {
    let files = form::files(&Settings::default()).expect("the defaults are right");
    let wanted = [
        "plimsoll.containers.rules",
        "plimsoll.leaks.rules",
        "plimsoll.usage.alerts",
        "plimsoll.leaks.alerts",
    ];
    let groups = files.into_iter().flat_map(|(_, groups)| groups);
    let ours = groups.filter(|group| wanted.contains(&group.name.as_str())).flat_map(|group| group.rules);
    let decides = |rule: &Rule| !["GitLabRunnerHighMemory", "BuildProcessHighMemory"].contains(&rule.name());
    let others = OTHERS.iter().map(|(alert, hold, expr)| {
        let expr = expr
            .replace('W', "plimsoll_container_memory_working_set_bytes")
            .replace('L', "plimsoll_container_memory_limit_bytes");
        Rule::Alert(Alert {
            alert: (*alert).to_string(),
            expr,
            hold: (*hold).to_string(),
            keep_firing_for: "0m".to_string(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        })
    });
    ours.filter(decides).chain(others).collect()
}
