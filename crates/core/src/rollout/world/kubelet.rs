//! What nodes do: kubelets start containers and resize them, programs use memory, kernels kill.

use super::*;
use crate::inventory::ResizeState;
use crate::rollout::sizes::{alike, is_lower};

/// For so long after a container has started a kubelet does not know what it uses, and lowers nothing.
const UNKNOWN_TICKS: u64 = 20;
/// It passes in a moment.
const BUSY: &str = "the runtime is busy";

impl World {
    /// Starts containers, and brings them to what they should have, sooner or later or not at all.
    pub fn kubelet(&mut self, name: &str, pod: &mut SimPod) {
        let Some(node) = pod.node.clone() else { return };
        if self.tick < pod.ready_tick && pod.containers.iter().all(|it| it.actual.is_none()) {
            if self.tick + 1 >= pod.ready_tick {
                for running in &mut pod.containers {
                    running.actual = Some(running.desired.clone());
                    running.used_bytes = Some(0);
                    running.is_running = true;
                }
                (pod.limit_bytes, pod.started_tick) = (together(pod), self.tick);
            }
            return;
        }
        if self.tick == pod.up_tick {
            pod.containers.iter_mut().for_each(|running| running.is_running = true);
            pod.started_tick = self.tick;
        }
        let differs = |it: &Running| it.actual.as_ref().is_some_and(|actual| !alike(actual, &it.desired));
        if !pod.containers.iter().any(differs) {
            pod.resize = held(pod);
            return;
        }
        if self.tick < pod.look_tick {
            return;
        }
        if let Some((state, message)) = self.refusal(&node, name, pod) {
            pod.has_waited |= message != BUSY;
            pod.resize = Some(Resize { state, message: message.to_string() });
            return;
        }
        // One that was just killed was missing when its resize was ordered; when one gets it that had to wait, for room or because
        // of what it uses, is the node's doing.
        let was_ready = self.is_ready(pod) && self.tick > pod.killed_tick + 15 && !pod.has_waited;
        let restarts = self.sites[pod.site].inventory.containers.iter().any(|it| it.restarts_on_resize);
        let reaches_pod = pod.containers.iter().any(|it| differs(it) && it.is_running);
        for running in pod.containers.iter_mut().filter(|it| differs(it)) {
            running.actual = Some(running.desired.clone());
            if restarts && pod.theirs.is_none() {
                running.restarts += 1;
                running.oom_kills.clear();
                running.used_bytes = Some(0);
                pod.started_tick = self.tick;
                pod.restarting_tick = if was_ready { self.tick + 3 } else { pod.restarting_tick };
                pod.ready_tick = pod.ready_tick.max(self.tick + 3);
            }
        }
        if reaches_pod || !self.nodes[&node].is_forgetful {
            pod.limit_bytes = together(pod);
        }
        (pod.resize, pod.through_tick) = (held(pod), self.tick);
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
        let gets_less =
            |it: &&Running| it.is_running && is_lower(&it.desired, it.actual.as_ref().unwrap_or(&it.desired));
        if pod.containers.iter().filter(gets_less).any(|it| it.used_bytes > it.desired.limit_bytes()) {
            return Some((ResizeState::Error, "below current usage"));
        }
        if pod.containers.iter().any(|it| gets_less(&it)) && self.tick < pod.started_tick + UNKNOWN_TICKS {
            return Some((ResizeState::Error, "missing container memory usage"));
        }
        (self.is_wild() && self.chance.happens(100)).then_some((ResizeState::Error, BUSY))
    }

    /// Programs use memory, and are killed over their limits.
    pub fn work(&mut self, name: &str, pod: &mut SimPod) {
        let nature = self.sites[pod.site].use_bytes;
        let is_wild = self.is_wild();
        let down_ticks = self.chance.between(1, 4);
        let mut killed = None;
        let uid = pod.uid.clone();
        for running in pod.containers.iter_mut().filter(|running| running.is_running) {
            let (Some(used), Some(actual)) = (running.used_bytes, running.actual.clone()) else { continue };
            let spike = if is_wild && self.chance.happens(4) { nature / 2 } else { 0 };
            let noise = self.chance.below(nature / 100);
            let used = (used * 3 + nature) / 4 + spike + noise;
            running.used_bytes = Some(used);
            let limit = actual.limit_bytes().unwrap_or(u64::MAX);
            if used > limit {
                killed = Some(running.name.clone());
            }
        }
        let used: u64 = pod.containers.iter().filter_map(|running| running.used_bytes).sum();
        if used > pod.limit_bytes {
            let most = pod.containers.iter().max_by_key(|running| running.used_bytes);
            killed = killed.or(most.map(|running| running.name.clone()));
        }
        let Some(container) = killed else { return };
        for running in pod.containers.iter_mut().filter(|running| running.name == container) {
            running.restarts += 1;
            running.oom_kills = vec![format!("{uid}/{container}/{}", running.restarts)];
            (running.used_bytes, running.is_running) = (Some(0), false);
        }
        (pod.ready_tick, pod.killed_tick, pod.up_tick) = (self.tick + 3, self.tick, self.tick + down_ticks);
        self.say(format!("{name}: {container} is killed"));
    }
}

/// The limits of a pod's containers together; 0 before they were started.
fn together(pod: &SimPod) -> u64 {
    pod.containers.iter().filter_map(|it| it.actual.as_ref()?.limit_bytes()).sum()
}

/// As its kubelet tells it.
pub fn held(pod: &SimPod) -> Option<Resize> {
    let state = ResizeState::Held { limit_bytes: pod.limit_bytes };
    (pod.limit_bytes < together(pod)).then(|| Resize { state, message: String::new() })
}
