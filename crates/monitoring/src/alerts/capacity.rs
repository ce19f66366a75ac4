//! Memory for people: promised and not there, or pods that were not made ready.

use super::About;
use crate::recording::braces;
use crate::recording::with;
use crate::rule::{Alert, Severity};
use crate::settings::Settings;

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let service = &settings.selectors.service;
    let of = |metric: &str| format!("max by ({cluster}) ({})", with(metric, service));
    let booked = format!(
        "max by ({cluster}) ({})",
        braces("plimsoll_capacity_booked_bytes", &[service, r#"level="p95""#])
    );
    let degraded = format!(
        "max by ({cluster}) ({})",
        braces("plimsoll_capacity_reservations", &[service, r#"state="degraded""#])
    );
    let total = of("plimsoll_capacity_total_bytes");
    let shortfall = |tier, severity, hold: &str, description: &str| About {
        alert: "CapacityShortfall",
        severity,
        tier,
        hold: hold.to_string(),
        keep_firing_for: "5m".to_string(),
        summary: "People are promised memory that is not there, or hardly.",
        description: description.to_string(),
    };
    vec![
        shortfall(
            "degraded",
            Severity::Critical,
            "1m",
            "{{ $value | humanize }} reservations were promised memory that is no longer there.",
        )
        .when(settings, format!("{degraded} > 0")),
        shortfall(
            "nearly_full",
            Severity::Warning,
            "10m",
            "{{ $value | humanizePercentage }} of the memory that there may be for people is promised now (of 100 times it is passed 5).",
        )
        .when(settings, format!("{booked} / on ({cluster}) ({total} > 0) > 0.9")),
        scaling(settings, cluster, service),
        autoscaler(settings, cluster),
    ]
}

fn about(tier: &'static str, hold: &str, description: &str) -> About {
    About {
        alert: "ScalingFailure",
        severity: Severity::Critical,
        tier,
        hold: hold.to_string(),
        keep_firing_for: "5m".to_string(),
        summary: "Pods were to be scaled, and were not.",
        description: description.to_string(),
    }
}

/// Ahead of the schedule.
fn scaling(settings: &Settings, cluster: &str, service: &str) -> Alert {
    let failed = braces("plimsoll_capacity_scaling_failing", &[service]);
    about("ahead", "2m", "Region {{ $labels.region }} could not be scaled ahead of the schedule; GET /api/capacity/scaling says why.")
        .when(settings, format!("max by ({cluster}, region) ({failed}) > 0"))
}

/// A HorizontalPodAutoscaler that cannot.
fn autoscaler(settings: &Settings, cluster: &str) -> Alert {
    let condition = braces(
        "kube_horizontalpodautoscaler_status_condition",
        &[&settings.selectors.kube_state_metrics, r#"condition="AbleToScale",status="false""#],
    );
    about("autoscaler", "10m", "The autoscaler {{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} has not been able to scale for ten minutes.")
        .when(settings, format!("max by ({cluster}, namespace, horizontalpodautoscaler) ({condition}) == 1"))
}
