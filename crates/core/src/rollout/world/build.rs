//! What a world is like at first.

use super::*;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Kind, Workload};
use crate::plan::{Budget, Change, ContainerChange, SCHEMA, Totals, Way};
use crate::size::MIB;

fn sizes(request_mib: u64, limit_mib: u64) -> Sizes {
    let quantity = |mib: u64| Some(Quantity::of_bytes(mib * MIB));
    Sizes { request: quantity(request_mib), limit: quantity(limit_mib) }
}

impl World {
    pub fn build(seed: u64, nature: Nature) -> World {
        let mut chance = Chance(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5eed);
        let budget = Budget {
            canary_pods: chance.between(1, 2) as u32,
            resizes_at_once: chance.between(1, 4) as u32,
            mib_per_minute: chance.between(512, 20_000),
            shrink_step_percent: chance.between(10, 100) as u32,
            watch_ms: chance.between(10_000, 60_000) as i64,
            patience_ms: if nature == Nature::Kind {
                600_000
            } else {
                chance.between(60_000, 200_000) as i64
            },
        };
        let mut world = World {
            seed,
            // Of its own, so that what else happens with this seed does not depend on it.
            weather: Chance(!seed.wrapping_mul(0x9e6c_63d0_876a_9a47)),
            thirst: Chance(seed.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ 0x7415),
            nature,
            tick: 0,
            calm_tick: chance.between(60, 300),
            skew_ms: 0,
            nodes: BTreeMap::new(),
            sites: Vec::new(),
            pods: BTreeMap::new(),
            evicted: BTreeMap::new(),
            objects: BTreeMap::new(),
            first_objects: BTreeMap::new(),
            limit_ranges: Vec::new(),
            born: 0,
            plan: Plan {
                schema: SCHEMA.to_string(),
                id: format!("seed-{seed}"),
                parent: None,
                made_ms: 0,
                evidence_ms: 0,
                changes: Vec::new(),
                left_alone: Vec::new(),
                totals: Totals::default(),
                budget,
            },
            course: Vec::new(),
            was_stale: false,
            seen_tick: 0,
            chance,
        };
        world.build_nodes();
        for index in 0..world.chance.between(1, 4) {
            world.build_site(index);
        }
        world.first_objects = world.objects.clone();
        for _ in 0..12 {
            world.run_cluster();
            world.tick += 1;
        }
        world.calm_tick += world.tick;
        world
    }

    fn build_nodes(&mut self) {
        for index in 0..self.chance.between(2, 4) {
            let is_wild = self.nature == Nature::Wild;
            let mib = if is_wild { self.chance.between(6_000, 20_000) } else { 40_000 };
            let is_stubborn = is_wild && self.chance.happens(40);
            let is_full = is_wild && self.chance.happens(150);
            let is_full_until = if is_full { self.chance.between(20, 400) } else { 0 };
            let is_forgetful = self.chance.happens(500);
            let node = SimNode {
                allocatable_bytes: mib * MIB,
                is_stubborn,
                is_forgetful,
                is_full_until,
                is_pressed_until: 0,
                is_silent_until: if self.thirst.happens(200) { u64::MAX } else { 0 },
            };
            self.nodes.insert(format!("node-{index}"), node);
        }
    }

    fn build_site(&mut self, index: u64) {
        let chance = &mut self.chance;
        let way = if chance.happens(600) { Way::InPlace } else { Way::Rollout };
        let id = WorkloadId {
            namespace: "shop".to_string(),
            kind: Kind::Deployment,
            name: format!("site-{index}"),
        };
        let limit_mib = chance.between(200, 1_000);
        let before = match chance.below(3) {
            0 => sizes(limit_mib, limit_mib),
            1 => Sizes { request: None, ..sizes(limit_mib, limit_mib) },
            _ => sizes(limit_mib / 2, limit_mib),
        };
        // Now and then a plan gives more, or too little.
        let use_mib = limit_mib * chance.between(20, 70) / 100;
        let after_mib = match chance.below(10) {
            0 | 1 => limit_mib * 3 / 2,
            2 if self.nature == Nature::Wild => use_mib,
            _ => (use_mib * 13 / 10).min(limit_mib),
        };
        let is_tied = before.request.is_none() || before.limit == before.request;
        let after = if is_tied { sizes(after_mib, after_mib) } else { sizes(after_mib / 2, after_mib) };
        let names = ["app", "proxy"];
        let count = chance.between(1, 2) as usize;
        let restarts_on_resize = chance.happens(150);
        let container = |name: &&str| Container {
            name: name.to_string(),
            sizes: before.clone(),
            cpu: (None, None),
            restarts_on_resize,
            fixed_bounds: Vec::new(),
        };
        let workload = Workload {
            id: id.clone(),
            uid: format!("uid-{index}"),
            generation: chance.between(1, 9) as i64,
            template_hash: index,
            replicas: chance.between(1, 6) as u32,
            containers: names[..count].iter().map(container).collect(),
            hands: Vec::new(),
            max_unavailable: chance.between(1, 2) as u32,
            is_settled: true,
        };
        let changed = chance.between(1, count as u64) as usize;
        let change = |name: &&str| ContainerChange {
            name: name.to_string(),
            before: before.clone(),
            after: after.clone(),
            floor_bytes: (use_mib * 11 / 10).min(after_mib) * MIB,
            evidence: "seen".to_string(),
        };
        self.plan.changes.push(Change {
            workload: id.clone(),
            uid: workload.uid.clone(),
            generation: workload.generation,
            way,
            replicas: workload.replicas,
            containers: names[..changed].iter().map(change).collect(),
            warnings: names.iter().map(|name| format!("'{name}' has a resizePolicy")).collect(),
        });
        // A plan before this one may have sized it already.
        if way == Way::InPlace && chance.happens(250) {
            let sized = sizes(limit_mib * 9 / 10 / if is_tied { 1 } else { 2 }, limit_mib * 9 / 10);
            self.objects
                .insert(id, names[..count].iter().map(|name| (name.to_string(), sized.clone())).collect());
        }
        let use_bytes = use_mib * MIB;
        let is_thirsty = self.nature == Nature::Wild && self.thirst.happens(100);
        let files_bytes = if is_thirsty { use_bytes / 100 * self.thirst.between(20, 90) } else { 0 };
        self.sites.push(Site {
            inventory: workload,
            revision: 1,
            changed_tick: None,
            deployed_tick: None,
            theirs: None,
            use_bytes,
            files_bytes,
        });
    }
}
