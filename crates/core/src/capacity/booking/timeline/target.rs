//! How many pods are wanted at a moment for all reservations together.
//!
//! One number for each region, from all that is in force, so that no two reservations ever fight over it: enough for the
//! highest pod that anybody has a room in. It falls only when nobody needs the pods, now or soon.

use super::Step;
use crate::capacity::booking::reservation::Reservation;
use crate::capacity::booking::span::{MINUTE_MS, Span};
use crate::capacity::booking::supply::{PodShape, Region, Supply};
use serde::Serialize;
use std::collections::BTreeMap;

/// Pods that are needed again within this time are not given back.
pub const LOOK_AHEAD_MS: i64 = 15 * MINUTE_MS;

/// What is wanted in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Which.
    pub region: String,
    /// Pods there should be.
    pub pods: u32,
    /// Nodes they need; none where nodes are not known.
    pub nodes: Option<u32>,
    /// Pods there are.
    pub pods_now: u32,
    /// Who needs the last of them, by id; nobody when it is the least there may be.
    pub for_ids: Vec<String>,
}

/// What is wanted now in each region, at least as many as `least_pods` has for it.
///
/// More is wanted at once. Less is wanted only when what is needed soon is less, too.
pub fn targets(
    supply: &Supply,
    reservations: &[Reservation],
    least_pods: &BTreeMap<String, u32>,
    now_ms: i64,
) -> Vec<Target> {
    let soon = Span { start_ms: now_ms, end_ms: now_ms.saturating_add(LOOK_AHEAD_MS) };
    let now = needed(reservations, &|it| in_force(it).contains(now_ms));
    let soon = needed(reservations, &|it| in_force(it).overlaps(&soon));
    let of = |region: &Region| {
        let pods_now = region.pods_now;
        let least = least_pods.get(&region.name).copied().unwrap_or(0);
        let pods_of = |needed: &Needed| needed.get(&region.name).map_or(0, |(pods, _)| *pods).max(least);
        // Up for those in force; down no further than to what is needed soon.
        let pods = pods_of(&now).max(pods_of(&soon).min(pods_now));
        let from = if pods_of(&now) == pods { &now } else { &soon };
        let ids = from.get(&region.name).filter(|(needed, _)| *needed == pods);
        Target {
            region: region.name.clone(),
            pods,
            nodes: nodes(region, &supply.pod, pods),
            pods_now,
            for_ids: ids.map(|(_, ids)| ids.clone()).unwrap_or_default(),
        }
    };
    supply.regions.iter().map(of).collect()
}

/// For each region the pods up to the highest that is used, and by whom that is.
type Needed = BTreeMap<String, (u32, Vec<String>)>;

fn needed(reservations: &[Reservation], is_meant: &dyn Fn(&Reservation) -> bool) -> Needed {
    let mut needed: Needed = BTreeMap::new();
    for it in reservations.iter().filter(|it| it.state.is_promised() && is_meant(it)) {
        for (region, pods) in pods_of(it) {
            let (most, ids) = needed.entry(region).or_default();
            if pods > *most {
                (*most, *ids) = (pods, Vec::new());
            }
            if pods == *most {
                ids.push(it.id.clone());
            }
        }
    }
    needed
}

/// Pods up to the highest that one has a room in, in each region.
pub fn pods_of(it: &Reservation) -> BTreeMap<String, u32> {
    let mut pods = BTreeMap::new();
    for placed in &it.placement {
        let most = pods.entry(placed.pod.region.clone()).or_insert(0);
        *most = placed.pod.ordinal.saturating_add(1).max(*most);
    }
    pods
}

/// From when pods are asked for it until its tail ends.
fn in_force(it: &Reservation) -> Span {
    Span { start_ms: Step::Scale.at_ms(it), end_ms: Step::ScaleDown.at_ms(it) }
}

fn nodes(region: &Region, shape: &PodShape, pods: u32) -> Option<u32> {
    let per_node = region.nodes.as_ref()?.bytes / shape.limit_bytes.max(1);
    u32::try_from(u64::from(pods).div_ceil(per_node.max(1))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::fixtures::{reservation, supply};
    use crate::capacity::booking::reservation::State;
    use crate::capacity::booking::rooms::Placed;
    use crate::capacity::booking::supply::{Nodes, PodId};

    /// Minutes, and the highest pod.
    fn placed(id: &str, minutes: (i64, i64), ordinal: u32) -> Reservation {
        let it = reservation(id, (minutes.0 * MINUTE_MS, minutes.1 * MINUTE_MS), 5);
        let at = |ordinal| Placed { lot: 0, pod: PodId { region: String::new(), ordinal }, copies: 1 };
        Reservation { state: State::Confirmed, placement: (0..=ordinal).map(at).collect(), ..it }
    }

    fn least(pods: u32) -> BTreeMap<String, u32> {
        [(String::new(), pods)].into()
    }

    #[test]
    fn pods_for_all_together() {
        let two = [placed("a", (100, 160), 1), placed("b", (200, 260), 3)];
        let check = |now_pods, minute: i64, pods, ids: &[&str]| {
            let found = targets(&supply(now_pods, 10), &two, &least(1), minute * MINUTE_MS).remove(0);
            assert_eq!((found.pods, found.pods_now), (pods, now_pods), "at {minute}: {found:?}");
            assert_eq!(found.for_ids, ids, "at {minute}");
        };
        check(1, 79, 1, &[]);
        // From 20 minutes before the start on.
        check(1, 80, 2, &["a"]);
        check(2, 170, 2, &["a"]);
        // The first one's tail is not over, and the second one's pods are asked for.
        check(2, 180, 4, &["b"]);
        check(4, 189, 4, &["b"]);
        check(4, 289, 4, &["b"]);
        check(4, 290, 1, &[]);
        // What is needed in a quarter of an hour is not taken away before, and not given before either.
        check(5, 166, 4, &["b"]);
        check(3, 166, 3, &[]);
        check(5, 164, 2, &["a"]);
    }

    #[test]
    fn others_do_not_count_and_nodes_follow() {
        let cancelled = Reservation { state: State::Cancelled, ..placed("a", (100, 160), 5) };
        let mut supply = supply(3, 10);
        supply.regions[0].nodes = Some(Nodes { now: 2, most: 5, bytes: 1_100_000_000 });
        let at = |all: &[Reservation]| targets(&supply, all, &least(2), 110 * MINUTE_MS).remove(0);
        assert_eq!((at(std::slice::from_ref(&cancelled)).pods, at(&[]).nodes), (2, Some(1)));
        let found = at(&[cancelled, placed("b", (100, 160), 4)]);
        assert_eq!((found.pods, found.nodes), (5, Some(3)));
    }
}
