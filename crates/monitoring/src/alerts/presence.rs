//! Whoever watches has to be there.

use super::About;
use crate::recording::braces;
use crate::rule::{Alert, Severity};
use crate::settings::Settings;

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let ours = braces("up", &[&settings.selectors.ours]);
    let about = |tier, severity, hold: &str, description: &str| About {
        alert: "PlimsollDown",
        severity,
        tier,
        hold: hold.to_string(),
        keep_firing_for: "2m".to_string(),
        summary: "A part of Plimsoll does not answer.",
        description: description.to_string(),
    };
    vec![
        about(
            "target",
            Severity::Warning,
            "5m",
            "{{ $labels.job }} at {{ $labels.instance }} has not been scraped for five minutes.",
        )
        .when(settings, format!("max by ({cluster}, job, instance) ({ours}) == 0")),
        about("absent", Severity::Critical, "15m", "No part of Plimsoll is known to this Prometheus.")
            .when(settings, format!("absent({ours})")),
    ]
}
