//! Whoever watches has to be there.

use super::About;
use crate::recording::braces;
use crate::rule::{Alert, Severity};
use crate::settings::{Settings, Timing};

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let ours = braces("up", &[&settings.selectors.ours]);
    let times = &settings.presence;
    let about = |tier, severity, timing: &Timing, description: String| About {
        alert: "PlimsollDown",
        severity,
        tier,
        hold: timing.hold.clone(),
        keep_firing_for: timing.keep_firing_for.clone(),
        summary: "A part of Plimsoll does not answer.",
        description,
    };
    vec![
        about(
            "target",
            Severity::Warning,
            &times.target,
            format!(
                "{{{{ $labels.job }}}} at {{{{ $labels.instance }}}} has not been scraped for {}.",
                times.target.hold
            ),
        )
        .when(settings, format!("max by ({cluster}, job, instance) ({ours}) == 0")),
        about(
            "absent",
            Severity::Critical,
            &times.absent,
            "No part of Plimsoll is known to this Prometheus.".to_string(),
        )
        .when(settings, format!("absent({ours})")),
    ]
}
