//! Programs read files again and again, and wait for memory where those do not fit below their limits; and what must hold then.

use super::*;
use crate::inventory::Pressure;
use crate::rollout::sizes::is_lower;
use crate::rollout::strangers::home;
use crate::rollout::waves::{Share, shares};
use crate::rollout::{Order, Step};

/// By how much a tick moves the kernel's averages of ten seconds and of a minute, in hundredths.
const TEN_PERCENT: u32 = 39;
const MINUTE_PERCENT: u32 = 8;

impl World {
    /// Kubelets do not answer now and then.
    pub fn silence(&mut self) {
        for node in self.nodes.values_mut() {
            if self.thirst.happens(5) {
                node.is_silent_until = node.is_silent_until.max(self.tick + self.thirst.between(1, 20));
            }
        }
    }

    /// All that does not run waits for none.
    pub fn read_files(&self, pod: &mut SimPod) {
        let files_bytes = self.sites[pod.site].files_bytes;
        for running in &mut pod.containers {
            let limit = running.actual.as_ref().and_then(Sizes::limit_bytes).unwrap_or(u64::MAX);
            let wanted = running.used_bytes.unwrap_or(0).saturating_add(files_bytes);
            let missing = wanted.saturating_sub(limit).min(files_bytes);
            let share = (missing * 900).checked_div(files_bytes).unwrap_or(0) as u32;
            running.pressure = running.is_running.then(|| {
                let before = running.pressure.unwrap_or_default();
                let moved = |average: u32, percent: u32| (average * (100 - percent) + share * percent) / 100;
                Pressure {
                    last_10s_permille: moved(before.last_10s_permille, TEN_PERCENT),
                    last_60s_permille: moved(before.last_60s_permille, MINUTE_PERCENT),
                }
            });
        }
    }

    /// The containers of a pod, as far as its kubelet tells what they wait.
    pub fn told(&self, pod: &SimPod) -> Vec<Running> {
        let node = pod.node.as_ref().map(|node| &self.nodes[node]);
        let is_told = node.is_some_and(|node| self.tick >= node.is_silent_until);
        let told =
            |running: &Running| Running { pressure: running.pressure.filter(|_| is_told), ..running.clone() };
        pod.containers.iter().map(told).collect()
    }

    /// No limit goes down while its container waits for memory. No wave is borne while one that has less than before waits for
    /// much of the time, and did not before; and nothing is taken back for what none does.
    pub fn check_stalls(&self, journal: &Journal, seen: &Inventory, decided: &Step) {
        let Phase::Applying { wave, baseline, .. } = &journal.phase else { return };
        let (goes_on, is_wave_over) = match &decided.journal.phase {
            Phase::Applying { wave: now, .. } => (true, now > wave),
            Phase::Applied { .. } => (true, true),
            _ => (false, false),
        };
        let permille = |running: &Running| {
            running.pressure.map_or(0, |it| it.last_10s_permille.max(it.last_60s_permille))
        };
        let mut is_any_worse = false;
        for (index, share) in shares(&journal.plan, *wave).into_iter().enumerate() {
            let (change, known) = (&journal.plan.changes[index], &journal.known[index]);
            let pods = seen
                .pods
                .values()
                .filter(|pod| pod.workload.as_ref() == Some(&change.workload) && !pod.is_leaving);
            for (pod, running) in
                pods.flat_map(|pod| pod.containers.iter().map(move |running| (pod, running)))
            {
                let Some(changed) = change.containers.iter().find(|it| it.name == running.name) else {
                    continue;
                };
                let has_less = running.actual.as_ref().is_some_and(|now| is_lower(now, home(known, changed)));
                let then = baseline
                    .stalls
                    .as_ref()
                    .and_then(|stalls| stalls.permille.get(&format!("{}/{}", pod.uid, running.name)));
                let most = 500.max(then.map_or(0, |then| then + 100));
                is_any_worse |= has_less && permille(running) >= 100;
                if is_wave_over && share != Share::None && has_less && permille(running) >= most {
                    self.fail(&format!(
                        "the wave is over, though {} of {} waits for memory",
                        running.name, pod.uid
                    ));
                }
            }
        }
        if let Phase::RolledBack { reason, .. } | Phase::RollingBack { reason, .. } = &decided.journal.phase
            && reason.starts_with("pod ")
            && reason.contains("waits for memory")
            && !is_any_worse
        {
            self.fail(&format!("taken back for nothing: {reason}"));
        }
        for order in decided.orders.iter().filter(|_| goes_on) {
            let Order::ResizePod { namespace, pod, from, containers, .. } = order else { continue };
            let found = &seen.pods[&(namespace.clone(), pod.clone())];
            let was_killed = found.containers.iter().any(Running::was_oom_killed);
            let is_down = |name: &String| {
                from.iter().zip(containers).any(|((one, from), (_, to))| one == name && is_lower(to, from))
            };
            let waits = found.containers.iter().find(|it| permille(it) >= 50 && is_down(&it.name));
            if let (Some(running), false) = (waits, was_killed) {
                self.fail(&format!("{pod}: {} waits for memory, gets {containers:?}", running.name));
            }
        }
    }
}
