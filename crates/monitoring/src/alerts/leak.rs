//! Memory that grows without end: told while there is time to do something.

use super::{About, CONTAINER};
use crate::names;
use crate::recording::leak::{DAYS, HOURS, MINUTES, NEW_GROUND};
use crate::recording::{Keys, braces};
use crate::rule::{Alert, Severity};
use crate::settings::Settings;

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let keys = Keys::of(settings);
    let leak = &settings.leak;
    let within = |evidence: &str, hours: f64| {
        let matcher = format!("evidence=\"{evidence}\"");
        format!(
            "{} < {}",
            braces(names::TIME_TO_LIMIT, &[&settings.selectors.containers, &matcher]),
            hours * 3600.0
        )
    };
    let near = [
        within(HOURS, leak.hours),
        within(NEW_GROUND, leak.hours_new_ground),
        within(MINUTES, leak.minutes),
        within(DAYS, leak.days),
    ];
    // A job's memory may grow until it is over.
    let jobs =
        format!("{}{{workload_kind=~\"Job|CronJob\"}} or {}{{ci_job!=\"\"}}", names::OWNER, names::OWNER);
    let both = format!("min by ({}) (\n  {}\n)", keys.all, near.join("\n  or "));
    vec![
        About {
            alert: "MemoryLeakSuspected",
            severity: Severity::Warning,
            tier: "leak",
            hold: leak.hold.clone(),
            keep_firing_for: leak.keep_firing_for.clone(),
            summary: "A container's memory grows without end and will reach its limit.",
            description: format!(
                "{CONTAINER} reaches its memory limit in about {{{{ $value | humanizeDuration }}}}, if it goes on growing as it does."
            ),
        }
        .when(settings, format!("{both}\nunless on ({}) ({jobs})", keys.all)),
    ]
}
