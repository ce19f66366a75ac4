//! Stalls: containers that wait for memory, by what the kernel tells of them (PSI).
//!
//! A program whose files do not fit beside what it holds reads them again and again: it does not work, and neither dies, nor restarts,
//! nor has to be unready. Only this shows it.

use super::health::{self, Baseline, longest_ms};
use super::journal::{Journal, Look};
use super::order::Order;
use super::pods::{Todo, of_workload};
use super::pressure::smaller;
use super::sizes::is_lower;
use super::strangers::home;
use super::waves::Share;
use crate::inventory::pressure::{PERCENT, percent};
use crate::inventory::{Inventory, Pod, Running, Sizes, WorkloadId};
use crate::plan::{Change, Plan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A limit does not go down while its container waits for so much of the time. Buck2, which holds builds back by the same figure
/// (`full`), lets go where it has fallen below this.
const WAITS_PERMILLE: u32 = 5 * PERCENT;
/// So much more of the time than before the wave is too much: there Buck2 begins to hold back. A livelock has 15 % and more
/// ([`stall`](crate::stall): 21 measured).
const WORSE_PERMILLE: u32 = 10 * PERCENT;
/// Where nobody knows how it was before: what is this bad by nature hardly works. Endless OS, which ends programs by it, had to go
/// from 10 % to 30 and 40 to spare those that do; systemd-oomd begins at 60.
const BAD_PERMILLE: u32 = 40 * PERCENT;
/// For so long, in milliseconds, as systemd-oomd has it. The kernel's averages have their own minute before that.
const LASTS_MS: i64 = 30_000;

/// How much containers waited for memory when a wave began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stalls {
    /// The share of time in tenths of a percent, by `uid/name`. What is neither here nor there did not wait.
    pub permille: BTreeMap<String, u32>,
    /// Containers of which it was not known, likewise.
    pub unknown: BTreeSet<String>,
}

impl Stalls {
    /// From what is seen; `None` where nothing is known of any.
    pub(super) fn of(plan: &Plan, seen: &Inventory) -> Option<Stalls> {
        let (mut stalls, mut is_known) = (Stalls::default(), false);
        for (_, pod) in plan.changes.iter().flat_map(|change| of_workload(seen, &change.workload)) {
            for running in &pod.containers {
                is_known |= running.pressure.is_some();
                let key = health::key(pod, running);
                match running.pressure.map(|pressure| pressure.highest()) {
                    None => drop(stalls.unknown.insert(key)),
                    Some(0) => {}
                    Some(permille) => drop(stalls.permille.insert(key, permille)),
                }
            }
        }
        is_known.then_some(stalls)
    }

    /// What had less before this wave already is held to what it waited before that.
    pub(super) fn after(mut self, earlier: &Stalls) -> Stalls {
        for (key, permille) in &mut self.permille {
            *permille = earlier.before(key).map_or(*permille, |before| before.min(*permille));
        }
        self.permille.retain(|_, permille| *permille > 0);
        self
    }

    fn before(&self, key: &str) -> Option<u32> {
        let known = || self.permille.get(key).copied().unwrap_or(0);
        (!self.unknown.contains(key)).then(known)
    }
}

/// A container that has less than before, and waits for memory much more.
#[derive(Debug, Clone)]
pub(super) struct Worse {
    key: String,
    /// It has for a while.
    is_lasting: bool,
    words: String,
}

/// Those of changes that have begun. What has as much as before, or more, is not ours to answer for.
pub(super) fn worse(
    journal: &Journal,
    shares: &[Share],
    baseline: &Baseline,
    seen: &Inventory,
) -> Vec<Worse> {
    let of_change = |(index, change): (usize, &Change)| {
        let known = &journal.known[index];
        let has_less = |running: &&Running| {
            let changed = change.containers.iter().find(|it| it.name == running.name);
            let before = changed.map(|it| home(known, it));
            before.zip(running.actual.as_ref()).is_some_and(|(before, actual)| is_lower(actual, before))
        };
        let of_pod = |(name, pod): (&str, &Pod)| {
            let ours = pod.containers.iter().filter(has_less);
            ours.filter_map(|running| one(&change.workload, name, pod, running, baseline)).collect::<Vec<_>>()
        };
        of_workload(seen, &change.workload).flat_map(of_pod).collect::<Vec<_>>()
    };
    health::touched(&journal.plan, shares).flat_map(of_change).collect()
}

fn one(
    workload: &WorkloadId,
    name: &str,
    pod: &Pod,
    running: &Running,
    baseline: &Baseline,
) -> Option<Worse> {
    let (pressure, key) = (running.pressure?, health::key(pod, running));
    let is_new = running.restarts > baseline.before(&key);
    let known = || baseline.stalls.as_ref()?.before(&key);
    let before = if is_new { Some(0) } else { known() };
    let most = before.map_or(BAD_PERMILLE, |before| before + WORSE_PERMILLE);
    let then = before.map_or("and nobody knows how it was".to_string(), |it| percent(it).to_string());
    let now = percent(pressure.highest());
    (pressure.highest() >= most).then(|| Worse {
        is_lasting: pressure.lasting() >= most,
        words: format!(
            "pod {name} of {workload}: container {} waits for memory {now} of the time, {then} before the wave",
            running.name
        ),
        key,
    })
}

/// For how long they have, in milliseconds.
pub(super) fn count(
    worse: &[Worse],
    stalled_ms: &BTreeMap<String, i64>,
    plan: &Plan,
    look: Look,
) -> BTreeMap<String, i64> {
    let lasting = worse.iter().filter(|worse| worse.is_lasting).map(|worse| &worse.key);
    health::count(lasting, stalled_ms, plan, look)
}

/// What has to be taken back, and why.
pub(super) fn trouble(worse: &[Worse], stalled_ms: &BTreeMap<String, i64>, plan: &Plan) -> Option<String> {
    let lasts_ms = longest_ms(plan).min(LASTS_MS);
    let found = worse.iter().find(|worse| stalled_ms.get(&worse.key).is_some_and(|ms| *ms >= lasts_ms))?;
    Some(found.words.clone())
}

/// Why a wave is not quiet though all is done.
pub(super) fn unquiet(worse: &[Worse]) -> Option<String> {
    Some(worse.first()?.words.clone())
}

/// What makes anything smaller waits: all of it while a container is worse for it, else where one waits for memory.
pub(super) fn hold_back(todo: &mut Todo, journal: &Journal, worse: &[Worse], seen: &Inventory) {
    let new = worse.first().map(|worse| worse.words.as_str());
    todo.hold(|order| {
        let what = smaller(order, journal)?;
        Some(format!("{what}: {}", new.map(str::to_string).or_else(|| stall(order, journal, seen))?))
    });
}

/// A container that would get a lower limit and waits for memory.
fn stall(order: &Order, journal: &Journal, seen: &Inventory) -> Option<String> {
    match order {
        Order::ResizePod { namespace, pod, from, containers, .. } => {
            let found = seen.pods.get(&(namespace.clone(), pod.clone()))?;
            let was = |name: &str| from.iter().find(|(also, _)| also == name).map(|(_, sizes)| sizes);
            let is_down = |name: &str, to: &Sizes| was(name).is_some_and(|from| is_lower(to, from));
            found.containers.iter().find_map(|running| {
                let to = containers.iter().find(|(name, _)| *name == running.name)?;
                waits(running).filter(|_| is_down(&to.0, &to.1))
            })
        }
        Order::SizeNewPods { workload, .. } | Order::SetTemplate { workload, .. } => {
            let is_down = |running: &&Running| is_lowered(journal, workload, &running.name);
            of_workload(seen, workload).find_map(|(name, pod)| {
                let words = pod.containers.iter().filter(is_down).find_map(waits)?;
                Some(format!("pod {name}: {words}"))
            })
        }
        Order::LeaveNewPods { .. } => None,
    }
}

fn waits(running: &Running) -> Option<String> {
    let permille = running.pressure?.highest();
    let words = || format!("container {} waits for memory {} of the time", running.name, percent(permille));
    (permille >= WAITS_PERMILLE).then(words)
}

/// The plan gives this container a lower limit.
fn is_lowered(journal: &Journal, workload: &WorkloadId, name: &str) -> bool {
    let changes = journal.plan.changes.iter().zip(&journal.known);
    changes.filter(|(change, _)| change.workload == *workload).any(|(change, known)| {
        let changed = change.containers.iter().find(|it| it.name == name);
        changed.is_some_and(|it| is_lower(&it.after, home(known, it)))
    })
}

#[cfg(test)]
mod tests;
