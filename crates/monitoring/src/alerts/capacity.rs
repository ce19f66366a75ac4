//! Memory for people: promised and not there, or pods that were not made ready.

use super::About;
use crate::recording::braces;
use crate::recording::with;
use crate::rule::{Alert, Severity};
use crate::settings::{Capacity, Settings, Timing};

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let Capacity { degraded, nearly_full } = &settings.capacity;
    let service = &settings.selectors.service;
    let of = |metric: &str| format!("max by ({cluster}) ({})", with(metric, service));
    let booked = format!(
        "max by ({cluster}) ({})",
        braces("plimsoll_capacity_booked_bytes", &[service, r#"level="p95""#])
    );
    let lost = format!(
        "max by ({cluster}) ({})",
        braces("plimsoll_capacity_reservations", &[service, r#"state="degraded""#])
    );
    let total = of("plimsoll_capacity_total_bytes");
    let shortfall = |tier, severity, hold: &str, keep_firing_for: &str, description: &str| About {
        alert: "CapacityShortfall",
        severity,
        tier,
        hold: hold.to_string(),
        keep_firing_for: keep_firing_for.to_string(),
        summary: "People are promised memory that is not there, or hardly.",
        description: description.to_string(),
    };
    vec![
        shortfall(
            "degraded",
            Severity::Critical,
            &degraded.hold,
            &degraded.keep_firing_for,
            "{{ $value | humanize }} reservations were promised memory that is no longer there.",
        )
        .when(settings, format!("{lost} > 0")),
        shortfall(
            "nearly_full",
            Severity::Warning,
            &nearly_full.hold,
            &nearly_full.keep_firing_for,
            "{{ $value | humanizePercentage }} of the memory that there may be for people is promised now (of 100 times it is passed 5).",
        )
        .when(settings, format!("{booked} / on ({cluster}) ({total} > 0) > {}", nearly_full.above)),
        scaling(settings, cluster, service),
        autoscaler(settings, cluster),
    ]
}

fn about(tier: &'static str, timing: &Timing, description: String) -> About {
    About {
        alert: "ScalingFailure",
        severity: Severity::Critical,
        tier,
        hold: timing.hold.clone(),
        keep_firing_for: timing.keep_firing_for.clone(),
        summary: "Pods were to be scaled, and were not.",
        description,
    }
}

/// Ahead of the schedule.
fn scaling(settings: &Settings, cluster: &str, service: &str) -> Alert {
    let failed = braces("plimsoll_capacity_scaling_failing", &[service]);
    let why = "Region {{ $labels.region }} could not be scaled ahead of the schedule; GET /api/capacity/scaling says why.";
    about("ahead", &settings.scaling.ahead, why.to_string())
        .when(settings, format!("max by ({cluster}, region) ({failed}) > 0"))
}

/// A HorizontalPodAutoscaler that cannot.
fn autoscaler(settings: &Settings, cluster: &str) -> Alert {
    let condition = braces(
        "kube_horizontalpodautoscaler_status_condition",
        &[&settings.selectors.kube_state_metrics, r#"condition="AbleToScale",status="false""#],
    );
    let timing = &settings.scaling.autoscaler;
    let description = format!(
        "The autoscaler {{{{ $labels.namespace }}}}/{{{{ $labels.horizontalpodautoscaler }}}} has not been able to scale for {}.",
        timing.hold
    );
    about("autoscaler", timing, description)
        .when(settings, format!("max by ({cluster}, namespace, horizontalpodautoscaler) ({condition}) == 1"))
}
