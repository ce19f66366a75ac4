//! Supply: the pods that there are and that there may be, in their regions, and what each of them holds.

use super::demand::Need;
use crate::capacity::load::Load;
use serde::{Deserialize, Serialize};

/// Of all regions together; what is above it is not used.
pub const MOST_PODS: u32 = 1_000;

/// What memory can be promised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supply {
    /// All pods are of this shape.
    pub pod: PodShape,
    /// In the order in which they are filled; each name once.
    pub regions: Vec<Region>,
}

/// What one pod has, and what fits into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PodShape {
    /// Its memory limit, in bytes.
    pub limit_bytes: u64,
    /// What its process takes with nobody in it.
    pub base: Load,
    /// Rooms in it, at most.
    #[serde(default)]
    pub max_rooms: Option<u64>,
    /// People of any role in it, at most.
    #[serde(default)]
    pub max_participants: Option<u64>,
}

/// Pods in one place. A pod keeps its number: fewer pods are those with the lower numbers, as in a StatefulSet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its name; empty where there is one only.
    #[serde(default)]
    pub name: String,
    /// Pods now.
    pub pods_now: u32,
    /// Pods it may be scaled to.
    pub pods_most: u32,
    /// The nodes they run on; without, pods are not limited by nodes.
    #[serde(default)]
    pub nodes: Option<Nodes>,
}

/// Nodes of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// Now.
    pub now: u32,
    /// They may be scaled to.
    pub most: u32,
    /// What one has for these pods, in bytes.
    pub bytes: u64,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodId {
    /// Where.
    pub region: String,
    /// Its number there, from 0.
    pub ordinal: u32,
}

impl PodShape {
    /// What is left for people, in bytes.
    pub fn usable_bytes(&self) -> u64 {
        self.limit_bytes.saturating_sub(self.base_need().mean_bytes())
    }

    /// The base, as a need.
    pub fn base_need(&self) -> Need {
        Need::certain(self.base)
    }

    /// These people in so many rooms fit into one pod, `z` standard deviations above the mean. A pod with nobody in it
    /// always does.
    pub fn holds(&self, need: Need, rooms: u64, people: u64, z: f64) -> bool {
        let fits = self.base_need().plus(need).at_z_bytes(z) <= self.limit_bytes;
        let is_empty = need == Need::NONE && rooms == 0 && people == 0;
        let within = |most: Option<u64>, count| most.is_none_or(|most| count <= most);
        is_empty || (fits && within(self.max_rooms, rooms) && within(self.max_participants, people))
    }
}

impl Region {
    /// Pods there may be, by their number and by nodes.
    pub fn pods(&self, shape: &PodShape) -> u32 {
        self.pods_most.max(self.pods_now).min(self.on_nodes(shape, |nodes| nodes.most.max(nodes.now)))
    }

    /// Pods that are there and have a node.
    pub fn ready(&self, shape: &PodShape) -> u32 {
        self.pods_now.min(self.on_nodes(shape, |nodes| nodes.now))
    }

    fn on_nodes(&self, shape: &PodShape, count: impl Fn(&Nodes) -> u32) -> u32 {
        let Some(nodes) = &self.nodes else { return u32::MAX };
        let per_node = nodes.bytes / shape.limit_bytes.max(1);
        u32::try_from(per_node.saturating_mul(u64::from(count(nodes)))).unwrap_or(u32::MAX)
    }
}

impl Supply {
    /// All pods there may be, region by region, up to [`MOST_PODS`], and whether each is ready now.
    pub fn pods(&self) -> Vec<(PodId, bool)> {
        let of = |region: &Region| {
            let (most, ready) = (region.pods(&self.pod).min(MOST_PODS), region.ready(&self.pod));
            let name = region.name.clone();
            (0..most).map(move |ordinal| (PodId { region: name.clone(), ordinal }, ordinal < ready))
        };
        self.regions.iter().flat_map(of).take(MOST_PODS as usize).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> PodShape {
        let base = Load { mean_bytes: 100e6, variance_bytes2: 0.0 };
        PodShape { limit_bytes: 500_000_000, base, max_rooms: Some(2), max_participants: Some(30) }
    }

    #[test]
    fn pods_are_limited_by_their_number_and_by_nodes() {
        let check = |now, most, nodes: Option<(u32, u32, u64)>, expect: (u32, u32)| {
            let nodes = nodes.map(|(now, most, bytes)| Nodes { now, most, bytes });
            let region = Region { name: String::new(), pods_now: now, pods_most: most, nodes };
            assert_eq!((region.ready(&shape()), region.pods(&shape())), expect, "{region:?}");
        };
        check(2, 10, None, (2, 10));
        check(2, 0, None, (2, 2));
        check(2, 10, Some((1, 3, 1_700_000_000)), (2, 9));
        check(4, 10, Some((1, 3, 1_700_000_000)), (3, 9));
        check(4, 10, Some((0, 0, 1_700_000_000)), (0, 0));
        check(4, 10, Some((9, 9, 499_999_999)), (0, 0));
    }

    #[test]
    fn pods_have_an_order_and_a_bound() {
        let region =
            |name: &str, now, most| Region { name: name.into(), pods_now: now, pods_most: most, nodes: None };
        let supply = Supply { pod: shape(), regions: vec![region("fra", 1, 2), region("ams", 0, 5_000_000)] };
        let pods = supply.pods();
        assert_eq!(pods.len(), 1_000);
        assert_eq!(pods[1], (PodId { region: "fra".into(), ordinal: 1 }, false));
        assert_eq!(pods[2], (PodId { region: "ams".into(), ordinal: 0 }, false));
    }

    #[test]
    fn what_a_pod_holds() {
        let check = |mb: u64, rooms, people, expect| {
            let load = Load { mean_bytes: 1e6, variance_bytes2: 0.0 };
            let need = Need::certain(load).times(mb);
            assert_eq!(shape().holds(need, rooms, people, 1.64), expect, "{mb} MB {rooms} {people}");
        };
        check(0, 0, 0, true);
        check(400, 2, 30, true);
        check(401, 1, 1, false);
        check(1, 3, 1, false);
        check(1, 1, 31, false);
        assert_eq!(shape().usable_bytes(), 400_000_000);
    }
}
