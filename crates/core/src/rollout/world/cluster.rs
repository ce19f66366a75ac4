//! What a cluster does by itself: controllers, the scheduler, kubelets, and programs that use memory.

use super::*;
use crate::inventory::ResizeState;
use crate::rollout::sizes::{alike, is_lower};

impl World {
    /// A tick of everything but who carries out.
    pub fn advance(&mut self) {
        self.tick += 1;
        if !self.is_calm() && self.chance.happens(8) {
            let far = self.chance.happens(500);
            let most = if far { 900_000_000 } else { 600_000 };
            self.skew_ms += self.chance.below(2 * most) as i64 - most as i64;
            self.say("the clock jumps".to_string());
        }
        if self.is_wild() {
            self.strangers();
            self.press();
        }
        self.run_cluster();
    }

    pub fn run_cluster(&mut self) {
        for site in 0..self.sites.len() {
            self.control(site);
        }
        let tick = self.tick;
        self.pods.retain(|_, pod| pod.leaves_tick.is_none_or(|leaves| tick < leaves));
        self.schedule();
        let names: Vec<String> = self.pods.keys().cloned().collect();
        for name in names {
            let Some(mut pod) = self.pods.remove(&name) else { continue };
            self.kubelet(&name, &mut pod);
            self.work(&name, &mut pod);
            self.pods.insert(name, pod);
        }
    }

    /// A workload has as many pods as it should, and replaces those of older templates as its strategy allows.
    fn control(&mut self, site: usize) {
        let replicas = self.sites[site].inventory.replicas as usize;
        let names: Vec<String> = self.pods_of(site).map(|(name, _)| name.clone()).collect();
        for name in names.iter().skip(replicas) {
            self.delete(name);
        }
        for _ in names.len()..replicas {
            self.create(site);
        }
        let revision = self.sites[site].revision;
        let least = (replicas as u32).saturating_sub(self.sites[site].inventory.max_unavailable);
        let old: Vec<String> = self
            .pods_of(site)
            .filter(|(_, pod)| pod.revision != revision)
            .map(|(name, _)| name.clone())
            .collect();
        for name in old {
            let is_ready = self.is_ready(&self.pods[&name]);
            if !is_ready || self.ready(site) > least {
                self.delete(&name);
            }
        }
    }

    fn delete(&mut self, name: &str) {
        let leaves = self.tick + self.chance.between(1, 3);
        if let Some(pod) = self.pods.get_mut(name) {
            pod.leaves_tick = Some(leaves);
        }
    }

    fn create(&mut self, site: usize) {
        self.born += 1;
        let workload = &self.sites[site].inventory;
        let said = self.objects.get(&workload.id);
        let container = |container: &Container| {
            let sized = said.and_then(|said| said.iter().find(|(name, _)| *name == container.name));
            begins(container, sized.map_or(&container.sizes, |(_, sizes)| sizes))
        };
        let pod = SimPod {
            site,
            uid: format!("pod-uid-{}", self.born),
            revision: self.sites[site].revision,
            node: None,
            ready_tick: u64::MAX,
            leaves_tick: None,
            containers: workload.containers.iter().map(container).collect(),
            resize: None,
            look_tick: 0,
            theirs: None,
            restarting_tick: 0,
            killed_tick: 0,
            through_tick: 0,
            is_crossed: false,
            has_waited: false,
        };
        self.pods.insert(format!("{}-{:05}", workload.id.name, self.born), pod);
    }

    fn schedule(&mut self) {
        let pending: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.node.is_none()).map(|(name, _)| name.clone()).collect();
        for name in pending {
            let needs = counted(&self.pods[&name]);
            let free = |node: &String| self.free_bytes(node, "") >= needs as i64;
            let Some(node) = self.nodes.keys().find(|node| free(node)).cloned() else { continue };
            let ready_tick = self.tick + self.chance.between(1, 4);
            if let Some(pod) = self.pods.get_mut(&name) {
                (pod.node, pod.ready_tick) = (Some(node), ready_tick);
            }
        }
    }

    /// Without the pod of that name.
    fn free_bytes(&self, node: &str, but: &str) -> i64 {
        let on_it = self.pods.iter().filter(|(name, pod)| pod.node.as_deref() == Some(node) && *name != but);
        let taken: u64 = on_it.map(|(_, pod)| counted(pod)).sum();
        self.nodes[node].allocatable_bytes as i64 - taken as i64
    }

    /// Starts containers, and brings them to what they should have, sooner or later or not at all.
    fn kubelet(&mut self, name: &str, pod: &mut SimPod) {
        let Some(node) = pod.node.clone() else { return };
        if self.tick < pod.ready_tick && pod.containers.iter().all(|it| it.actual.is_none()) {
            if self.tick + 1 >= pod.ready_tick {
                for running in &mut pod.containers {
                    running.actual = Some(running.desired.clone());
                    running.used_bytes = Some(0);
                }
            }
            return;
        }
        let differs = |it: &Running| it.actual.as_ref().is_some_and(|actual| !alike(actual, &it.desired));
        if !pod.containers.iter().any(differs) {
            pod.resize = None;
            return;
        }
        if self.tick < pod.look_tick {
            return;
        }
        if let Some((state, message)) = self.refusal(&node, name, pod) {
            pod.has_waited |= state == ResizeState::Deferred;
            pod.resize = Some(Resize { state, message: message.to_string() });
            return;
        }
        // One that was just killed was missing when its resize was ordered; when one that waited for room gets it is the
        // node's doing.
        let was_ready = self.is_ready(pod) && self.tick > pod.killed_tick + 15 && !pod.has_waited;
        let restarts = self.sites[pod.site].inventory.containers.iter().any(|it| it.restarts_on_resize);
        for running in pod.containers.iter_mut().filter(|it| differs(it)) {
            running.actual = Some(running.desired.clone());
            if restarts && pod.theirs.is_none() {
                running.restarts += 1;
                running.oom_killed = false;
                running.used_bytes = Some(0);
                pod.restarting_tick = if was_ready { self.tick + 3 } else { pod.restarting_tick };
                pod.ready_tick = pod.ready_tick.max(self.tick + 3);
            }
        }
        (pod.resize, pod.through_tick) = (None, self.tick);
        self.say(format!("{name} has what it should"));
        self.check_restarting(pod);
    }

    /// Why a kubelet does not do what it should, if it does not.
    fn refusal(&mut self, node: &str, name: &str, pod: &SimPod) -> Option<(ResizeState, &'static str)> {
        let asks: u64 = pod.containers.iter().map(|it| it.desired.requested_bytes()).sum();
        let has: u64 =
            pod.containers.iter().map(|it| it.actual.as_ref().map_or(0, Sizes::requested_bytes)).sum();
        let found = &self.nodes[node];
        if found.is_stubborn {
            return Some((ResizeState::Infeasible, "static policy"));
        }
        if asks > has && (self.tick < found.is_full_until || self.free_bytes(node, name) < asks as i64) {
            return Some((ResizeState::Deferred, "no room"));
        }
        let is_over = |it: &Running| {
            let actual = it.actual.as_ref().unwrap_or(&it.desired);
            is_lower(&it.desired, actual) && it.used_bytes > it.desired.limit_bytes()
        };
        if pod.containers.iter().any(is_over) {
            return Some((ResizeState::Error, "below current usage"));
        }
        (self.is_wild() && self.chance.happens(100)).then_some((ResizeState::Error, "the runtime is busy"))
    }

    /// Programs use memory, and are killed over their limits.
    fn work(&mut self, name: &str, pod: &mut SimPod) {
        let nature = self.sites[pod.site].use_bytes;
        let is_wild = self.is_wild();
        let mut killed = None;
        for running in &mut pod.containers {
            let (Some(used), Some(actual)) = (running.used_bytes, running.actual.clone()) else { continue };
            let spike = if is_wild && self.chance.happens(4) { nature / 2 } else { 0 };
            let noise = self.chance.below(nature / 100);
            let used = (used * 3 + nature) / 4 + spike + noise;
            running.used_bytes = Some(used);
            let limit = actual.limit_bytes().unwrap_or(u64::MAX);
            if used > limit {
                running.restarts += 1;
                running.oom_killed = true;
                running.used_bytes = Some(0);
                killed = Some(running.name.clone());
            }
        }
        if let Some(container) = killed {
            (pod.ready_tick, pod.killed_tick) = (self.tick + 3, self.tick);
            self.say(format!("{name}: {container} is killed"));
        }
    }
}

/// What the scheduler counts for a pod.
fn counted(pod: &SimPod) -> u64 {
    let of = |it: &Running| {
        let actual = it.actual.as_ref().map_or(0, Sizes::requested_bytes);
        actual.max(it.desired.requested_bytes())
    };
    pod.containers.iter().map(of).sum()
}
