//! Sizes that turned out too small.

use super::{About, CONTAINER};
use crate::names;
use crate::recording::{Keys, braces, with};
use crate::rule::{Alert, Severity};
use crate::settings::{Settings, Sizing};

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let keys = Keys::of(settings);
    let s = &settings.selectors;
    let Sizing { within, lowered_below, lowered_within, keep_firing_for } = &settings.sizing;
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
        keep_firing_for: keep_firing_for.clone(),
        summary: "A size that was lowered turned out too small.",
        description,
    };
    vec![
        about(
            "controller",
            format!(
                "{{{{ $value | humanize }}}} times within {within} a workload that Plimsoll sizes was killed or had its size taken back ({{{{ $labels.reason }}}})."
            ),
        )
        .when(settings, format!("sum by ({cluster}, reason) (increase({events}[{within}])) > 0")),
        about("limit", format!("{CONTAINER} was killed for want of memory within {lowered_within} of its limit being lowered."))
            .when(
                settings,
                format!(
                    "max by ({pod}) (increase({pods}[{within}])) > 0\nand on ({pod}) {limit} < {lowered_below} * max_over_time({limit}[{lowered_within}])",
                    pod = keys.pod
                ),
            ),
    ]
}
