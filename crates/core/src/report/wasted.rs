//! What was wasted: requested and not needed, by workload and by job.

use super::change::{Dangers, job_change};
use super::money::per_month;
use super::seen::{Cluster, Seen};
use super::{Finding, Severity, words};
use crate::rightsize::answer::{Answer, Container};
use crate::size::{GIB, MIB, human};
use std::collections::BTreeMap;

/// Less is no waste, in bytes of all pods, and as a share of what is requested: sizes want some room.
const BYTES_MIN: u64 = 32 * MIB;
const SHARE_MIN: f64 = 0.1;
/// From here on somebody should look.
const WARNED_BYTES: u64 = GIB;
const WARNED_SHARE: f64 = 0.5;

/// What a workload requests and does not need, in bytes of all its pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Waste {
    pub requested_bytes: u64,
    pub wasted_bytes: u64,
    pub pods: u32,
}

/// By namespace, workload and kind. What is in danger wastes nothing.
pub(super) fn by_workload<'a>(
    cluster: &'a Cluster,
    dangers: &Dangers,
) -> BTreeMap<(&'a str, &'a str, &'a str), Waste> {
    let mut all: BTreeMap<_, Waste> = BTreeMap::new();
    for (container, answer) in &cluster.judged {
        let id = &container.id;
        let waste = all.entry((id.namespace.as_str(), id.workload.as_str(), id.kind.as_str())).or_default();
        let pods = u64::from(container.pods);
        waste.requested_bytes += container.request_bytes.unwrap_or(0) * pods;
        waste.pods = waste.pods.max(container.pods);
        if dangers.of_container(id).is_none() {
            waste.wasted_bytes += saving(container, answer) * pods;
        }
    }
    all.retain(|_, waste| {
        let share = waste.wasted_bytes as f64 / waste.requested_bytes.max(1) as f64;
        waste.wasted_bytes >= BYTES_MIN && share >= SHARE_MIN
    });
    all
}

/// What each pod could request less, in bytes.
pub(super) fn saving(container: &Container, answer: &Answer) -> u64 {
    container.request_bytes.map_or(0, |request| request.saturating_sub(answer.request_bytes))
}

pub(super) fn findings(seen: &Seen, dangers: &Dangers) -> Vec<Finding> {
    let mut all = Vec::new();
    if let Some(cluster) = seen.cluster.read() {
        for ((namespace, workload, _), waste) in by_workload(cluster, dangers) {
            all.push(of_workload((namespace, workload), &waste, cluster, seen.cluster.from()));
        }
    }
    all.extend(seen.builds.read().into_iter().flatten().filter_map(|profile| {
        let change = job_change(profile, seen.period).filter(|change| !change.is_in_danger())?;
        let wasted = change.limit_now_bytes.saturating_sub(change.size.limit_bytes);
        Some(Finding {
            severity: Severity::Info,
            subject: words::job(&profile.project, &profile.job),
            what: format!("{} of {} are not needed in a run", human(wasted), human(change.limit_now_bytes)),
            evidence: change.size.reason.clone(),
            next: format!(
                "plimsoll jobs show {} --store {}",
                words::quoted(&profile.job),
                words::quoted(seen.builds.from())
            ),
            bytes: Some(wasted),
            // A build holds its memory for minutes: what a month of that costs, nobody can say by its size.
            per_month: None,
            kills: None,
        })
    }));
    all
}

fn of_workload(
    (namespace, workload): (&str, &str),
    waste: &Waste,
    cluster: &Cluster,
    source: &str,
) -> Finding {
    let share = waste.wasted_bytes as f64 / waste.requested_bytes.max(1) as f64;
    let is_much = waste.wasted_bytes >= WARNED_BYTES && share >= WARNED_SHARE;
    let pods = words::count(waste.pods.into(), "pod", "pods");
    Finding {
        severity: if is_much { Severity::Warning } else { Severity::Info },
        subject: words::workload(namespace, workload),
        what: format!(
            "{} of {} that {pods} request",
            human(waste.wasted_bytes),
            human(waste.requested_bytes)
        ),
        evidence: format!("{} are above what nine days of ten need", words::percent(share)),
        next: words::plan(source, namespace),
        bytes: Some(waste.wasted_bytes),
        per_month: Some(per_month(waste.wasted_bytes, &cluster.price)),
        kills: None,
    }
}
