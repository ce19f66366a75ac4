//! A simulated cluster and who carries a plan out in it, for tests: all of its chance comes from one seed.
//!
//! Time goes in ticks of five seconds. Until calm comes there are strangers, full nodes, kills, API errors, clocks that
//! jump and executors that die between any two actions; after that only what is so by nature goes on.

mod build;
mod check;
mod cluster;
mod executor;
mod kubelet;
mod pressure;
mod stalls;
mod strangers;

use super::{Journal, Phase};
use crate::inventory::{self, Container, Evicted, Inventory, LimitRange, Resize, Running, Sizes, WorkloadId};
use crate::plan::Plan;
use executor::Executor;
use std::collections::BTreeMap;

/// A world that is not over by then never will be.
const LAST_TICK: u64 = 6_000;
const TICK_MS: i64 = 5_000;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// True so many times in a thousand.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }
}

/// What kind of world it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Only who carries out is in trouble: it dies, its clock jumps, its calls fail.
    Kind,
    /// Everything may happen.
    Wild,
}

#[derive(Debug, Clone)]
pub struct Site {
    pub inventory: inventory::Workload,
    /// Of the template; pods of others are replaced.
    pub revision: u32,
    /// When somebody else last changed it, and the sizes that they set.
    pub changed_tick: Option<u64>,
    /// When somebody else last deployed it.
    pub deployed_tick: Option<u64>,
    pub theirs: Option<Vec<Sizes>>,
    /// What each of its containers uses by nature.
    pub use_bytes: u64,
    /// What they read again and again beside that: where it does not fit they wait for memory.
    pub files_bytes: u64,
}

#[derive(Debug, Clone)]
pub struct SimPod {
    pub site: usize,
    pub uid: String,
    pub revision: u32,
    pub node: Option<String>,
    pub ready_tick: u64,
    pub leaves_tick: Option<u64>,
    pub containers: Vec<Running>,
    pub resize: Option<Resize>,
    /// When its kubelet looks at what it should have.
    pub look_tick: u64,
    /// Somebody else resized it to this.
    pub theirs: Option<Sizes>,
    /// A resize started it anew, and it is not ready for that until then.
    pub restarting_tick: u64,
    pub killed_tick: u64,
    /// The limit of the pod as a whole.
    pub limit_bytes: u64,
    /// When containers that are down run again, and when one last started.
    pub up_tick: u64,
    pub started_tick: u64,
    /// When its kubelet was last through with a resize, and whether the next was ordered without knowing.
    pub through_tick: u64,
    pub is_crossed: bool,
    /// Its kubelet has refused, not for a moment only, since it was last told.
    pub has_waited: bool,
}

#[derive(Debug, Clone, Default)]
pub struct SimNode {
    pub allocatable_bytes: u64,
    pub is_stubborn: bool,
    /// Its kubelet forgets the limit of a pod whose containers are down (kubernetes#138760).
    pub is_forgetful: bool,
    pub is_full_until: u64,
    pub is_pressed_until: u64,
    /// Its kubelet says nothing of what containers wait.
    pub is_silent_until: u64,
}

#[derive(Debug)]
pub struct World {
    pub seed: u64,
    pub chance: Chance,
    /// Of nodes that run short of memory.
    pub weather: Chance,
    /// Of programs whose files do not fit.
    pub thirst: Chance,
    pub nature: Nature,
    pub tick: u64,
    pub calm_tick: u64,
    pub skew_ms: i64,
    pub nodes: BTreeMap<String, SimNode>,
    pub sites: Vec<Site>,
    pub pods: BTreeMap<String, SimPod>,
    /// Pods that nodes ended for want of memory, by uid.
    pub evicted: BTreeMap<String, Evicted>,
    pub objects: BTreeMap<WorkloadId, Vec<(String, Sizes)>>,
    /// What they said at first.
    pub first_objects: BTreeMap<WorkloadId, Vec<(String, Sizes)>>,
    /// Bounds that somebody else has set.
    pub limit_ranges: Vec<LimitRange>,
    pub born: u64,
    pub plan: Plan,
    pub course: Vec<String>,
    /// Who carries out once went by an older journal than the last.
    pub was_stale: bool,
    /// When who carries out last looked.
    pub seen_tick: u64,
}

/// How a world ended.
#[derive(Debug, Clone)]
pub struct End {
    pub journal: Journal,
    pub course: Vec<String>,
}

impl World {
    /// Lets it run to its end, and checks what must hold on the way and there.
    pub fn run(seed: u64, nature: Nature) -> End {
        let mut world = World::build(seed, nature);
        let mut executor = Executor::default();
        while world.tick < LAST_TICK {
            world.advance();
            executor.act(&mut world);
            if let Some(journal) = executor.stored.clone().filter(Journal::is_over) {
                world.check_end(&journal, executor.seen_tick);
                return End { journal, course: world.course };
            }
        }
        world.fail(&format!(
            "is not over: {:?}",
            executor.stored.map(|journal| (journal.phase, journal.known))
        ));
    }

    pub fn is_calm(&self) -> bool {
        self.tick >= self.calm_tick
    }

    pub fn is_wild(&self) -> bool {
        self.nature == Nature::Wild && !self.is_calm()
    }

    /// By the clock of who carries out.
    pub fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.tick as i64 * TICK_MS + self.skew_ms
    }

    pub fn say(&mut self, what: String) {
        self.course.push(format!("{}: {what}", self.tick));
    }

    /// Ends the test with the seed, all pods, and what happened last.
    pub fn fail(&self, what: &str) -> ! {
        let sizes = |it: &Running| {
            let actual = it.actual.as_ref().map_or("?".to_string(), Sizes::to_string);
            format!("{} {actual}, should {}, uses {:?}", it.name, it.desired, it.used_bytes)
        };
        for (name, pod) in &self.pods {
            let containers: Vec<String> = pod.containers.iter().map(sizes).collect();
            let (node, ready) = (pod.node.as_deref().unwrap_or("nowhere"), self.is_ready(pod));
            eprintln!("{name} on {node}, ready {ready}: {containers:?} {:?}", pod.resize);
        }
        let last = self.course.len().saturating_sub(100);
        panic!("seed {} ({:?}): {what}\n{}", self.seed, self.nature, self.course[last..].join("\n"));
    }

    pub fn pods_of(&self, site: usize) -> impl Iterator<Item = (&String, &SimPod)> {
        self.pods.iter().filter(move |(_, pod)| pod.site == site && pod.leaves_tick.is_none())
    }

    pub fn is_ready(&self, pod: &SimPod) -> bool {
        pod.node.is_some() && self.tick >= pod.ready_tick
    }

    pub fn ready(&self, site: usize) -> u32 {
        self.pods_of(site).filter(|(_, pod)| self.is_ready(pod)).count() as u32
    }

    /// What there is to see.
    pub fn observe(&self) -> Inventory {
        let pod = |(name, pod): (&String, &SimPod)| {
            let seen = inventory::Pod {
                workload: Some(self.sites[pod.site].inventory.id.clone()),
                uid: pod.uid.clone(),
                node: pod.node.clone(),
                is_ready: self.is_ready(pod),
                is_leaving: pod.leaves_tick.is_some(),
                containers: self.told(pod),
                resize: pod.resize.clone(),
            };
            (("shop".to_string(), name.clone()), seen)
        };
        let workload = |(index, site): (usize, &Site)| {
            let pods: Vec<_> = self.pods_of(index).collect();
            let all_new = pods.iter().all(|(_, pod)| pod.revision == site.revision && self.is_ready(pod));
            let is_settled = all_new && pods.len() as u32 == site.inventory.replicas;
            let seen = inventory::Workload { is_settled, ..site.inventory.clone() };
            (site.inventory.id.clone(), seen)
        };
        let node = |(name, node): (&String, &SimNode)| {
            let (allocatable_bytes, is_pressed) = (node.allocatable_bytes, self.is_pressed(node));
            (name.clone(), inventory::Node { allocatable_bytes, is_ready: true, is_pressed })
        };
        Inventory {
            as_of_ms: self.now_ms(),
            abilities: inventory::Abilities { in_place: true, admission_policy: true },
            workloads: self.sites.iter().enumerate().map(workload).collect(),
            pods: self.pods.iter().map(pod).collect(),
            evicted: self.evicted.clone(),
            nodes: self.nodes.iter().map(node).collect(),
            sized_on_admission: self.objects.clone(),
            limit_ranges: self.limit_ranges.clone(),
            ..Inventory::default()
        }
    }
}

/// A container of a template as it begins in a pod.
pub fn begins(container: &Container, sizes: &Sizes) -> Running {
    Running {
        name: container.name.clone(),
        desired: super::sizes::explicit(sizes),
        actual: None,
        restarts: 0,
        is_running: false,
        oom_kills: Vec::new(),
        used_bytes: None,
        pressure: None,
    }
}

/// How many were taken back for this, among other words.
pub fn count_rolled_back(ends: &[End], why: &str) -> usize {
    let is_so =
        |end: &&End| matches!(&end.journal.phase, Phase::RolledBack { reason, .. } if reason.contains(why));
    ends.iter().filter(is_so).count()
}

/// How many ended applied.
pub fn count_applied(ends: &[End]) -> usize {
    ends.iter().filter(|end| matches!(end.journal.phase, Phase::Applied { .. })).count()
}
