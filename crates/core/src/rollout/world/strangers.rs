//! Somebody else, who deploys, scales and resizes as if nothing were under way.

use super::*;
use crate::inventory::quantity::Quantity;

/// Only somebody else's sizes are an odd number of bytes.
pub fn is_odd(sizes: &Sizes) -> bool {
    sizes.limit_bytes().is_some_and(|bytes| bytes % 2 == 1)
}

impl World {
    pub fn strangers(&mut self) {
        if !self.chance.happens(8) {
            return;
        }
        let site = self.chance.below(self.sites.len() as u64) as usize;
        match self.chance.below(6) {
            0 => self.deploy(site, true),
            1 => self.deploy(site, false),
            2 => self.scale(site),
            3 => {
                self.deploy(site, false);
                self.scale(site);
            }
            4 => self.bound(site),
            _ => self.resize_one(site),
        }
    }

    /// Sizes that nobody else would choose.
    fn odd_sizes(&mut self) -> Sizes {
        let bytes = Quantity::of_bytes(900_000_000 + self.chance.below(100_000_000) * 2 + 1);
        Sizes { request: Some(bytes.clone()), limit: Some(bytes) }
    }

    fn deploy(&mut self, index: usize, with_sizes: bool) {
        let sizes = self.odd_sizes();
        let site = &mut self.sites[index];
        site.inventory.generation += 1;
        site.inventory.template_hash += 1_000;
        site.revision += 1;
        (site.changed_tick, site.deployed_tick) = (Some(self.tick), Some(self.tick));
        if with_sizes {
            let containers = &mut site.inventory.containers;
            containers.iter_mut().for_each(|container| container.sizes = sizes.clone());
            site.theirs = Some(containers.iter().map(|container| container.sizes.clone()).collect());
        }
        self.say(format!("somebody deploys site-{index}, its sizes too: {with_sizes}"));
    }

    fn scale(&mut self, index: usize) {
        let replicas = self.chance.between(1, 7) as u32;
        let site = &mut self.sites[index];
        if site.inventory.replicas != replicas {
            site.inventory.replicas = replicas;
            site.inventory.generation += 1;
            site.changed_tick = Some(self.tick);
            self.say(format!("site-{index} is scaled to {replicas}"));
        }
    }

    /// Bounds the namespace below what the plan would give to a workload.
    fn bound(&mut self, index: usize) {
        let after = self.plan.changes[index].containers[0].after.limit_bytes();
        let max_bytes = after.map(|bytes| bytes - 1);
        let (namespace, name) = ("shop".to_string(), "bounds".to_string());
        self.limit_ranges = vec![LimitRange { namespace, name, max_bytes, ..LimitRange::default() }];
        self.say(format!("somebody bounds containers to {max_bytes:?} bytes"));
    }

    fn resize_one(&mut self, index: usize) {
        let sizes = self.odd_sizes();
        let tick = self.tick;
        let Some(name) = self.pods_of(index).map(|(name, _)| name.clone()).next() else { return };
        let Some(pod) = self.pods.get_mut(&name) else { return };
        pod.containers.iter_mut().for_each(|running| running.desired = sizes.clone());
        pod.theirs = Some(sizes);
        pod.resize = None;
        pod.look_tick = tick + 1;
        self.say(format!("somebody resizes {name}"));
    }
}
