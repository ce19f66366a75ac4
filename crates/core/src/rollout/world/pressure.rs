//! Nodes run short of memory now and then, and end pods for it; and what must hold then.

use super::*;
use crate::rollout::strangers::home;
use crate::rollout::waves::{Share, shares};
use crate::rollout::{Order, Step};

impl World {
    pub fn is_pressed(&self, node: &SimNode) -> bool {
        self.is_wild() && self.tick < node.is_pressed_until
    }

    pub fn press(&mut self) {
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        for name in names {
            if self.weather.happens(2) {
                let until = self.tick + self.weather.between(1, 60);
                self.nodes.get_mut(&name).expect("it is there").is_pressed_until = until;
                self.say(format!("{name} runs short of memory until {until}"));
            }
            if self.is_pressed(&self.nodes[&name]) && self.weather.happens(60) {
                self.evict(&name);
            }
        }
    }

    /// One of its pods.
    fn evict(&mut self, node: &str) {
        let on_it = self.pods.iter().filter(|(_, pod)| pod.node.as_deref() == Some(node));
        let names: Vec<String> = on_it.map(|(name, _)| name.clone()).collect();
        let at = self.weather.below(names.len() as u64) as usize;
        let Some((name, pod)) = names.get(at).and_then(|name| self.pods.remove_entry(name)) else { return };
        let workload = self.sites[pod.site].inventory.id.clone();
        self.say(format!("{name} is evicted"));
        self.evicted.insert(pod.uid, Evicted { workload, pod: name, node: node.to_string() });
    }

    /// What was evicted since a wave began takes it back. While a node has run short of memory since, the wave is not over, and
    /// nothing gets smaller; nor does it on a node that is short.
    pub fn check_pressure(&self, journal: &Journal, seen: &Inventory, decided: &Step) {
        let Phase::Applying { wave, baseline, .. } = &journal.phase else { return };
        let (goes_on, is_wave_over) = match decided.journal.phase {
            Phase::Applying { wave: now, .. } => (true, now > *wave),
            Phase::Applied { .. } => (true, true),
            _ => (false, false),
        };
        let mut is_new = false;
        for (index, share) in shares(&journal.plan, *wave).into_iter().enumerate() {
            if share == Share::None || reserves_more(journal, index) {
                continue;
            }
            let id = &journal.plan.changes[index].workload;
            let evicted = seen.evicted.iter().filter(|(uid, _)| !baseline.evicted.contains(*uid));
            let pod = evicted.map(|(_, evicted)| evicted).find(|evicted| evicted.workload == *id);
            if let (Some(pod), true) = (pod, goes_on) {
                self.fail(&format!("it goes on, though {} was evicted", pod.pod));
            }
            let pods = seen.pods.values().filter(|pod| pod.workload.as_ref() == Some(id) && !pod.is_leaving);
            let mut nodes = pods.filter_map(|pod| pod.node.as_ref());
            is_new |= nodes.any(|node| seen.nodes[node].is_pressed && !baseline.pressed.contains(node));
        }
        if is_new && is_wave_over {
            self.fail("the wave is over, though a node has run short of memory");
        }
        for order in decided.orders.iter().filter(|_| goes_on) {
            let Order::ResizePod { namespace, pod, from, containers, .. } = order else { continue };
            let found = &seen.pods[&(namespace.clone(), pod.clone())];
            let is_there = found.node.as_ref().is_some_and(|node| seen.nodes[node].is_pressed);
            let was_killed = found.containers.iter().any(|running| running.was_oom_killed());
            if (is_there || is_new) && !was_killed && is_less(from, containers) {
                self.fail(&format!("{pod} gets {containers:?} while memory is short"));
            }
        }
    }
}

/// The plan has more requested by the pods of this change than they did before.
fn reserves_more(journal: &Journal, index: usize) -> bool {
    let (change, known) = (&journal.plan.changes[index], &journal.known[index]);
    let each = change.containers.iter();
    let bytes = |more: i128, to: &Sizes| more + i128::from(to.requested_bytes());
    let after = each.clone().fold(0, |more, container| bytes(more, &container.after));
    after > each.fold(0, |more, container| bytes(more, home(known, container)))
}

/// Something is less than it was.
fn is_less(from: &[(String, Sizes)], to: &[(String, Sizes)]) -> bool {
    from.iter().zip(to).any(|((_, from), (_, to))| {
        to.requested_bytes() < from.requested_bytes() || to.limit_bytes() < from.limit_bytes()
    })
}
