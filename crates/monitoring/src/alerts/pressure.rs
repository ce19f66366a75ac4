//! Pressure: all tasks of a container wait for memory, little is left, and what was let go is read back. Each alone is a false
//! alarm: stalls are many on hosts with memory to spare, a full limit is what page cache is for, and pages are read back by whatever
//! reads much.

use super::{About, CONTAINER};
use crate::names;
use crate::recording::{Keys, braces, with};
use crate::rule::{Alert, Severity};
use crate::settings::Settings;

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let keys = Keys::of(settings);
    let s = &settings.selectors;
    let p = &settings.pressure;
    let within = &p.within;
    let rate = |metric: &str, function: &str| {
        let (pods, hosts) =
            (format!("{function} by ({})", keys.pod), format!("{function} by ({})", keys.host));
        let of = |matcher: &str| braces(metric, &[&s.agent, matcher]);
        format!(
            "({pods} (rate({}[{within}])) or {hosts} (rate({}[{within}])))",
            of(r#"pod!="""#),
            of(r#"pod="""#)
        )
    };
    let stalled = rate("plimsoll_container_memory_pressure_stalled_seconds_total", "max");
    let refaults = rate("plimsoll_container_memory_refaults_total", "sum");
    let expr = format!(
        "{stalled} > {}\nand on ({all}) {} > {}\nand on ({all}) {refaults} > {}",
        p.stalled_above,
        with(names::WORKING_SET_USED, &s.containers),
        p.used_above,
        p.refaults_above,
        all = keys.all,
    );
    vec![
        About {
            alert: "HighMemoryPressure",
            severity: Severity::Warning,
            tier: "container",
            hold: p.hold.clone(),
            keep_firing_for: p.keep_firing_for.clone(),
            summary: "A container waits for memory more than it works.",
            description: format!(
                "All tasks of {CONTAINER} have waited for memory {{{{ $value | humanizePercentage }}}} of the time, with little left to its limit, and read back what was let go."
            ),
        }
        .when(settings, expr),
    ]
}
