//! Kills for want of memory, by the best evidence there is: the agent's counter, which outlives pods; else what a pod's status
//! tells of its last end; else the host's counter, which does not say whose.

use super::About;
use crate::recording::{Keys, braces, with};
use crate::rule::{Alert, Severity};
use crate::settings::{Kills, Settings};

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let cluster = &settings.cluster_label;
    let s = &settings.selectors;
    let Kills { within, keep_firing_for } = &settings.kills;
    let away = Kills::AWAY;
    let owner =
        format!("{cluster}, namespace, workload_kind, workload, container, ci_project, ci_job, ci_stage");
    let kills = with("plimsoll_oom_kills_total", &s.agent);
    // A counter may begin with its first kill: `increase` does not see that. It is no news where it was before, though an agent
    // was away meanwhile; and who begins to watch only now does not tell of what was before.
    let watched =
        format!("group by ({cluster}) ({} offset {within})", with("plimsoll_agent_cgroups", &s.agent));
    let counted = format!(
        "sum by ({owner}) (increase({kills}[{within}])) > 0\nor\n(sum by ({owner}) ({kills}) > 0 unless on ({owner}) sum by ({owner}) (max_over_time({kills}[{away}] offset {within}))\n  and on ({cluster}) {watched})",
    );
    let pod = Keys::of(settings).pod;
    let known = with("plimsoll_container_info", &s.agent);
    let restarts = with("kube_pod_container_status_restarts_total", &s.kube_state_metrics);
    let told = format!(
        "max by ({pod}) ({}) == 1\nand on ({pod}) max by ({pod}) (increase({restarts}[{within}])) > 0\nunless on ({pod}) max by ({pod}) ({known})",
        braces(
            "kube_pod_container_status_last_terminated_reason",
            &[&s.kube_state_metrics, r#"reason="OOMKilled""#]
        ),
    );
    let host = format!(
        "max by ({cluster}, instance) (increase({}[{within}])) > 0",
        with("node_vmstat_oom_kill", &s.node_exporter)
    );
    let about = |tier, severity, description: String| About {
        alert: "OOMKillDetected",
        severity,
        tier,
        hold: "0s".to_string(),
        keep_firing_for: keep_firing_for.clone(),
        summary: "The kernel killed a process for want of memory.",
        description,
    };
    vec![
        about(
            "counted",
            Severity::Critical,
            format!("{WHOSE}, container {{{{ $labels.container }}}}: {{{{ $value | humanize }}}} processes killed within {within}."),
        )
        .when(settings, counted),
        about(
            "pod_status",
            Severity::Critical,
            "{{ $labels.namespace }}/{{ $labels.pod }}, container {{ $labels.container }}, was killed at its memory limit and started again."
                .to_string(),
        )
        .when(settings, told),
        about(
            "host",
            Severity::Info,
            format!(
                "{{{{ $value | humanize }}}} processes were killed on {{{{ $labels.instance }}}} within {within}; the host's counter does not say whose."
            ),
        )
        .when(settings, host),
    ]
}

/// Names what was counted in a description, a job or a workload.
const WHOSE: &str = "{{ if $labels.ci_job }}Job {{ $labels.ci_job }} ({{ $labels.ci_project }}){{ else }}{{ $labels.namespace }}/{{ $labels.workload }}{{ end }}";
