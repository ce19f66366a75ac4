//! Memory that is high, in three tiers: of containers, of GitLab's runners, of builds. A container has one of the three names.
//!
//! What decides is memory that cannot be reclaimed. The working set is told beside it: it counts page cache in use, and alerts on
//! it are a known false alarm.

use super::{About, CONTAINER};
use crate::names;
use crate::recording::{Keys, with};
use crate::rule::{Alert, Severity};
use crate::settings::{Settings, Tier};

/// Whose containers.
enum Whose {
    All,
    Runners,
    Builds,
}

pub(super) fn alerts(settings: &Settings) -> Vec<Alert> {
    let mut all = Vec::new();
    for whose in [Whose::All, Whose::Runners, Whose::Builds] {
        let usage = match whose {
            Whose::All => &settings.usage,
            Whose::Runners | Whose::Builds => &settings.builds,
        };
        all.extend(usage.tiers().map(|(name, tier)| alert(settings, &whose, name, tier)));
    }
    all
}

fn alert(settings: &Settings, whose: &Whose, name: &'static str, tier: &Tier) -> Alert {
    let keys = Keys::of(settings);
    let (all, selected) = (&keys.all, with(names::USED, &settings.selectors.containers));
    // Those of a build are known by their owner; what belongs to a runner, by its pod.
    let builds = format!("{}{{ci_job!=\"\"}}", names::OWNER);
    let runners = with(names::USED, &settings.selectors.runner_pods);
    let high = format!("{selected} > {}", tier.above);
    let (alert, summary, expr) = match whose {
        Whose::All => (
            "HighMemoryUsage",
            "A container has used most of its memory limit.",
            format!("({high})\nunless on ({all}) {runners}\nunless on ({all}) {builds}"),
        ),
        Whose::Runners => (
            "GitLabRunnerHighMemory",
            "A container of a GitLab runner has used most of its memory limit.",
            format!("({high})\nand on ({all}) {runners}\nunless on ({all}) {builds}"),
        ),
        Whose::Builds => (
            "BuildProcessHighMemory",
            "A build has used most of its memory limit.",
            format!("({high})\n* on ({all}) group_left (ci_project, ci_job, ci_stage)\n{builds}"),
        ),
    };
    let build = match whose {
        Whose::Builds => " of job {{ $labels.ci_job }} ({{ $labels.ci_project }})",
        Whose::All | Whose::Runners => "",
    };
    About {
        alert,
        severity: if name == "warning" { Severity::Warning } else { Severity::Critical },
        tier: name,
        hold: tier.hold.clone(),
        keep_firing_for: tier.keep_firing_for.clone(),
        summary,
        description: format!(
            "{CONTAINER}{build} uses {{{{ $value | humanizePercentage }}}} of its memory limit, page cache left out{}.",
            working_set(&settings.cluster_label),
        ),
    }
    .when(settings, expr)
}

/// The working set, asked for when the alert is written.
fn working_set(cluster: &str) -> String {
    let matchers = ["namespace", "pod", "container", "instance", "cgroup"];
    let format: Vec<String> =
        std::iter::once(cluster).chain(matchers).map(|name| format!("{name}=%q")).collect();
    let values: Vec<String> =
        std::iter::once(cluster).chain(matchers).map(|name| format!("(or $labels.{name} \"\")")).collect();
    format!(
        "{{{{ with printf `{}{{{}}}` {} | query }}}} (working set {{{{ . | first | value | humanizePercentage }}}}){{{{ end }}}}",
        names::WORKING_SET_USED,
        format.join(","),
        values.join(" "),
    )
}
