//! Health: how the pods of a plan fare, against how they fared when the wave began.

use super::journal::{Journal, Known, LOOKS, Look};
use super::pods::of_workload;
use super::sizes::is_lower;
use super::stalls::Stalls;
use super::strangers::home;
use super::waves::Share;
use crate::inventory::{Inventory, Pod, Running};
use crate::plan::{Change, ContainerChange, Plan, Way};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How the pods of a plan were when a wave began; what is not in it had never restarted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// Ready pods of each change's workload, in the plan's order.
    pub ready: Vec<u32>,
    /// Pods that were pending, by their uid.
    pub pending: BTreeSet<String>,
    /// Starts after the first of containers that had any, by `uid/name`.
    pub restarts: BTreeMap<String, u32>,
    /// Kills for want of memory that were known, by the ids of the containers.
    pub oom_kills: BTreeSet<String>,
    /// Pods of its workloads that had been evicted because their nodes ran short of memory, by their uid.
    #[serde(default)]
    pub evicted: BTreeSet<String>,
    /// Nodes that were short of memory.
    #[serde(default)]
    pub pressed: BTreeSet<String>,
    /// What its containers waited for memory; `None` where nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalls: Option<Stalls>,
}

impl Baseline {
    /// From what is seen.
    pub fn of(plan: &Plan, seen: &Inventory) -> Baseline {
        let pressed = seen.nodes.iter().filter(|(_, node)| node.is_pressed);
        let mut baseline = Baseline {
            pressed: pressed.map(|(name, _)| name.clone()).collect(),
            stalls: Stalls::of(plan, seen),
            ..Baseline::default()
        };
        for change in &plan.changes {
            let evicted = seen.evicted.iter().filter(|(_, evicted)| evicted.workload == change.workload);
            baseline.evicted.extend(evicted.map(|(uid, _)| uid.clone()));
            baseline.ready.push(ready(change, seen));
            for (_, pod) in of_workload(seen, &change.workload) {
                if pod.node.is_none() {
                    baseline.pending.insert(pod.uid.clone());
                }
                for running in &pod.containers {
                    let key = key(pod, running);
                    baseline.oom_kills.extend(running.oom_kills.iter().cloned());
                    if running.restarts > 0 {
                        baseline.restarts.insert(key, running.restarts);
                    }
                }
            }
        }
        baseline
    }

    /// That of the wave after another.
    pub(super) fn after(mut self, earlier: &Baseline) -> Baseline {
        self.stalls = match (self.stalls, &earlier.stalls) {
            (Some(stalls), Some(earlier)) => Some(stalls.after(earlier)),
            (stalls, _) => stalls,
        };
        self
    }

    /// A container was killed for want of memory since.
    pub(super) fn is_newly_killed(&self, running: &Running) -> bool {
        running.oom_kills.iter().any(|id| !self.oom_kills.contains(id))
    }

    /// How often it had restarted.
    pub(super) fn before(&self, key: &str) -> u32 {
        self.restarts.get(key).copied().unwrap_or(0)
    }
}

/// How a container is known again.
pub(super) fn key(pod: &Pod, running: &Running) -> String {
    format!("{}/{}", pod.uid, running.name)
}

fn ready(change: &Change, seen: &Inventory) -> u32 {
    let count = of_workload(seen, &change.workload).filter(|(_, pod)| pod.is_ready).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What happened to a workload that was changed, if it has to be taken back.
pub(super) fn trouble(
    journal: &Journal,
    shares: &[Share],
    baseline: &Baseline,
    pending_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
) -> Option<String> {
    touched(&journal.plan, shares).find_map(|(index, change)| {
        let known = &journal.known[index];
        let ended = of_workload(seen, &change.workload).find_map(|(name, pod)| {
            let ended = |running| ended(change, known, baseline, pod, running, seen);
            let why = pod.containers.iter().find_map(ended)?;
            Some(format!("pod {name} of {}: {why}", change.workload))
        });
        ended
            .or_else(|| missing(index, change, baseline, seen))
            .filter(|_| !gives(change, known))
            .or_else(|| pending(&journal.plan, change, pending_ms, seen))
    })
}

/// Changes that have begun.
pub(super) fn touched<'a>(plan: &'a Plan, shares: &'a [Share]) -> impl Iterator<Item = (usize, &'a Change)> {
    let all = plan.changes.iter().zip(shares).enumerate();
    all.filter(|(_, (_, share))| **share != Share::None).map(|(index, (change, _))| (index, change))
}

/// A kill, or another end, that the change may have caused. What the plan gives more to is not taken back for a kill:
/// it would have less again.
fn ended(
    change: &Change,
    known: &Known,
    baseline: &Baseline,
    pod: &Pod,
    running: &Running,
    seen: &Inventory,
) -> Option<String> {
    let name = &running.name;
    let killed = baseline.is_newly_killed(running);
    let before = baseline.before(&key(pod, running));
    if killed {
        let excused = change.containers.iter().any(|it| it.name == *name && raises(known, it));
        return (!excused).then(|| format!("container {name} was killed for want of memory"));
    }
    let workload = seen.workloads.get(&change.workload);
    let restarts_on_resize = workload.is_some_and(|workload| {
        workload.containers.iter().any(|container| container.name == *name && container.restarts_on_resize)
    });
    let is_changed = change.containers.iter().any(|container| container.name == *name);
    let ours = restarts_on_resize && is_changed;
    (running.restarts > before && !ours).then(|| {
        format!("container {name} has restarted {} times, {before} before the wave", running.restarts)
    })
}

/// A container that the plan gives more to was killed for want of memory since.
pub(super) fn is_starved(change: &Change, known: &Known, baseline: &Baseline, pod: &Pod) -> bool {
    change.containers.iter().filter(|container| raises(known, container)).any(|container| {
        let found = pod.containers.iter().find(|running| running.name == container.name);
        found.is_some_and(|running| baseline.is_newly_killed(running))
    })
}

/// Nothing of the plan takes anything from pods that run.
pub(super) fn gives_all(journal: &Journal) -> bool {
    journal.plan.changes.iter().zip(&journal.known).all(|(change, known)| gives(change, known))
}

/// It takes nothing from pods that run: what they do then they would have done without it, and sooner.
fn gives(change: &Change, known: &Known) -> bool {
    change.way == Way::InPlace && change.containers.iter().all(|container| raises(known, container))
}

/// The plan gives a container more memory than it had when the rollout began, or as much.
fn raises(known: &Known, container: &ContainerChange) -> bool {
    !is_lower(&container.after, home(known, container))
}

fn missing(index: usize, change: &Change, baseline: &Baseline, seen: &Inventory) -> Option<String> {
    let workload = seen.workloads.get(&change.workload)?;
    let expected = expected_ready(index, baseline, workload.replicas);
    let ready = ready(change, seen);
    (ready < expected.saturating_sub(workload.max_unavailable)).then(|| {
        let may = workload.max_unavailable;
        format!(
            "{ready} pods of {} are ready, {expected} before the wave; {may} may be missing",
            change.workload
        )
    })
}

/// Ready pods there should be; when their number was changed meanwhile, not more than that.
fn expected_ready(index: usize, baseline: &Baseline, replicas: u32) -> u32 {
    baseline.ready.get(index).copied().unwrap_or(0).min(replicas)
}

fn pending(
    plan: &Plan,
    change: &Change,
    pending_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
) -> Option<String> {
    let longest_ms = longest_ms(plan);
    let late = |pod: &Pod| pending_ms.get(&pod.uid).is_some_and(|ms| *ms >= longest_ms);
    let (name, _) = of_workload(seen, &change.workload).find(|(_, pod)| late(pod))?;
    Some(format!("pod {name} of {} finds no node", change.workload))
}

/// How long pods are pending that were not when the wave began.
pub(super) fn count_pending(
    plan: &Plan,
    baseline: &Baseline,
    pending_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
    look: Look,
) -> BTreeMap<String, i64> {
    let pods = plan.changes.iter().flat_map(|change| of_workload(seen, &change.workload));
    let is_new = |pod: &Pod| pod.node.is_none() && !baseline.pending.contains(&pod.uid);
    count(pods.filter(|(_, pod)| is_new(pod)).map(|(_, pod)| &pod.uid), pending_ms, plan, look)
}

/// For how long these are as they are, by how long they were at the look before, in milliseconds.
pub(super) fn count<'a>(
    these: impl Iterator<Item = &'a String>,
    before_ms: &BTreeMap<String, i64>,
    plan: &Plan,
    look: Look,
) -> BTreeMap<String, i64> {
    let part_ms = look.elapsed_ms.min(longest_ms(plan) / LOOKS);
    these.map(|key| (key.clone(), before_ms.get(key).map_or(0, |ms| ms + part_ms))).collect()
}

/// What is worse than before the wave for so long does not pass by itself, in milliseconds.
pub(super) fn longest_ms(plan: &Plan) -> i64 {
    plan.budget.watch_ms.max(LOOKS) / LOOKS * LOOKS
}

/// Why nothing more should be changed of a workload now, if it should not: it is not as well as when the wave began.
pub(super) fn is_short(
    index: usize,
    change: &Change,
    baseline: &Baseline,
    seen: &Inventory,
) -> Option<String> {
    let replicas = seen.workloads.get(&change.workload)?.replicas;
    let (expected, ready) = (expected_ready(index, baseline, replicas), ready(change, seen));
    (ready < expected).then(|| format!("{}: {ready} of {expected} pods are ready", change.workload))
}

/// Why a wave is not quiet though all is done.
pub(super) fn unquiet(
    plan: &Plan,
    shares: &[Share],
    baseline: &Baseline,
    pending_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
) -> Option<String> {
    touched(plan, shares).find_map(|(index, change)| {
        let waits = of_workload(seen, &change.workload).find(|(_, pod)| pending_ms.contains_key(&pod.uid));
        is_short(index, change, baseline, seen)
            .or_else(|| waits.map(|(name, _)| format!("pod {name} of {} is pending", change.workload)))
    })
}
