//! Sizes that turned out too small.

use super::{About, CONTAINER};
use crate::names;
use crate::recording::{Keys, braces, with};
use crate::rule::{Alert, Severity};
use crate::settings::Settings;

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let keys = Keys::of(settings);
    let s = &settings.selectors;
    let events = braces(
        "plimsoll_controller_events_total",
        &[&s.controller, r#"reason=~"OutOfMemory|MemoryTakenBack""#],
    );
    let pods = braces("plimsoll_container_oom_kills_total", &[&s.agent, r#"pod!="""#]);
    let limit = with(names::LIMIT, &s.containers);
    let about = |tier, description: String| About {
        alert: "RightsizingRegressed",
        severity: Severity::Critical,
        tier,
        hold: "0s".to_string(),
        keep_firing_for: "15m".to_string(),
        summary: "A size that was lowered turned out too small.",
        description,
    };
    vec![
        about(
            "controller",
            "{{ $value | humanize }} times within fifteen minutes a workload that Plimsoll sizes was killed or had its size taken back ({{ $labels.reason }})."
                .to_string(),
        )
        .when(settings, format!("sum by ({cluster}, reason) (increase({events}[15m])) > 0")),
        about("limit", format!("{CONTAINER} was killed for want of memory within a day of its limit being lowered."))
            .when(
                settings,
                format!(
                    "max by ({pod}) (increase({pods}[15m])) > 0\nand on ({pod}) {limit} < 0.99 * max_over_time({limit}[1d])",
                    pod = keys.pod
                ),
            ),
    ]
}
