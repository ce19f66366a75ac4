//! Kills for want of memory, by the best evidence there is: the agent's counter, which outlives pods; else what a pod's status
//! tells of its last end; else the host's counter, which does not say whose.

use super::About;
use crate::recording::{Keys, braces, with};
use crate::rule::{Alert, Severity};
use crate::settings::Settings;

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let s = &settings.selectors;
    let owner =
        format!("{cluster}, namespace, workload_kind, workload, container, ci_project, ci_job, ci_stage");
    let kills = with("plimsoll_oom_kills_total", &s.agent);
    // A counter may begin with its first kill: `increase` does not see that. The hour is for an agent that was away, and who
    // begins to watch only now does not tell of what was before.
    let watched = format!("group by ({cluster}) ({} offset 10m)", with("plimsoll_agent_cgroups", &s.agent));
    let counted = format!(
        "sum by ({owner}) (increase({kills}[10m])) > 0\nor\n(sum by ({owner}) ({kills}) > 0 unless on ({owner}) sum by ({owner}) (max_over_time({kills}[1h] offset 10m))\n  and on ({cluster}) {watched})",
    );
    let pod = Keys::of(settings).pod;
    let known = with("plimsoll_container_info", &s.agent);
    let restarts = with("kube_pod_container_status_restarts_total", &s.kube_state_metrics);
    let told = format!(
        "max by ({pod}) ({}) == 1\nand on ({pod}) max by ({pod}) (increase({restarts}[10m])) > 0\nunless on ({pod}) max by ({pod}) ({known})",
        braces(
            "kube_pod_container_status_last_terminated_reason",
            &[&s.kube_state_metrics, r#"reason="OOMKilled""#]
        ),
    );
    let host = format!(
        "max by ({cluster}, instance) (increase({}[10m])) > 0",
        with("node_vmstat_oom_kill", &s.node_exporter)
    );
    let about = |tier, severity, description: &str| About {
        alert: "OOMKillDetected",
        severity,
        tier,
        hold: "0s".to_string(),
        keep_firing_for: "10m".to_string(),
        summary: "The kernel killed a process for want of memory.",
        description: description.to_string(),
    };
    vec![
        about(
            "counted",
            Severity::Critical,
            "{{ if $labels.ci_job }}Job {{ $labels.ci_job }} ({{ $labels.ci_project }}){{ else }}{{ $labels.namespace }}/{{ $labels.workload }}{{ end }}, container {{ $labels.container }}: {{ $value | humanize }} processes killed within ten minutes.",
        )
        .when(settings, counted),
        about(
            "pod_status",
            Severity::Critical,
            "{{ $labels.namespace }}/{{ $labels.pod }}, container {{ $labels.container }}, was killed at its memory limit and started again.",
        )
        .when(settings, told),
        about(
            "host",
            Severity::Info,
            "{{ $value | humanize }} processes were killed on {{ $labels.instance }} within ten minutes; the host's counter does not say whose.",
        )
        .when(settings, host),
    ]
}
