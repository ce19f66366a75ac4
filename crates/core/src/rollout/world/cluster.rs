//! What a cluster does by itself: controllers, the scheduler; what nodes do is in [`kubelet`](super::kubelet).

use super::*;

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
            self.silence();
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
            self.read_files(&mut pod);
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
            limit_bytes: 0,
            up_tick: 0,
            started_tick: 0,
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
    pub fn free_bytes(&self, node: &str, but: &str) -> i64 {
        let on_it = self.pods.iter().filter(|(name, pod)| pod.node.as_deref() == Some(node) && *name != but);
        let taken: u64 = on_it.map(|(_, pod)| counted(pod)).sum();
        self.nodes[node].allocatable_bytes as i64 - taken as i64
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
