//! Pressure: nodes that run short of memory, and pods that their kubelets end for it.
//!
//! A kubelet takes those first that use more than they request, so a smaller request is what a plan has to answer for;
//! and what is not requested any more is room for other pods.

use super::health::longest_ms;
use super::journal::{Journal, Look};
use super::order::Order;
use super::pods::{Todo, of_workload};
use super::sizes::{explicit, is_lower};
use super::strangers::home;
use super::waves::Share;
use super::{Baseline, health};
use crate::inventory::{Inventory, Sizes, WorkloadId};
use crate::plan::Change;
use std::collections::BTreeMap;

/// How long nodes are short of memory that were not when the wave began and that run pods of what was changed, by name, in
/// milliseconds.
pub(super) fn count(
    journal: &Journal,
    shares: &[Share],
    baseline: &Baseline,
    pressed_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
    look: Look,
) -> BTreeMap<String, i64> {
    let pods = answered_for(journal, shares).flat_map(|change| of_workload(seen, &change.workload));
    let nodes = pods.filter_map(|(_, pod)| pod.node.as_ref());
    let is_new = |node: &&String| is_pressed(seen, node) && !baseline.pressed.contains(*node);
    health::count(nodes.filter(is_new), pressed_ms, &journal.plan, look)
}

/// What pressure did to a workload that was changed, if it has to be taken back.
pub(super) fn trouble(
    journal: &Journal,
    shares: &[Share],
    baseline: &Baseline,
    pressed_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
) -> Option<String> {
    let evicted = answered_for(journal, shares).find_map(|change| {
        let of_it = seen.evicted.iter().filter(|(_, evicted)| evicted.workload == change.workload);
        let (_, evicted) = of_it.into_iter().find(|(uid, _)| !baseline.evicted.contains(*uid))?;
        let (pod, node, workload) = (&evicted.pod, &evicted.node, &evicted.workload);
        Some(format!("pod {pod} of {workload} was evicted: node {node} ran short of memory"))
    });
    let longest_ms = longest_ms(&journal.plan);
    evicted.or_else(|| {
        let (node, _) = pressed_ms.iter().find(|(_, ms)| **ms >= longest_ms)?;
        Some(format!("node {node} runs short of memory, which it did not before the wave"))
    })
}

/// Why a wave is not quiet though all is done.
pub(super) fn unquiet(pressed_ms: &BTreeMap<String, i64>) -> Option<String> {
    let (node, _) = pressed_ms.first_key_value()?;
    Some(format!("node {node} runs short of memory"))
}

/// What makes anything smaller waits: all of it while a node has become short of memory, else where one is. What was killed
/// for want of memory does not wait for it.
pub(super) fn hold_back(
    todo: &mut Todo,
    journal: &Journal,
    pressed_ms: &BTreeMap<String, i64>,
    seen: &Inventory,
) {
    let new = pressed_ms.keys().next();
    todo.hold(|order| shortage(order, new, journal, seen));
}

/// Why an order that makes something smaller waits for memory, if it has to.
fn shortage(order: &Order, new: Option<&String>, journal: &Journal, seen: &Inventory) -> Option<String> {
    let what = smaller(order, journal)?;
    let is_short = |node: &&String| is_pressed(seen, node);
    let here = match order {
        Order::SetTemplate { workload, .. } => {
            let mut nodes = of_workload(seen, workload).filter_map(|(_, pod)| pod.node.as_ref());
            nodes.find(is_short)
        }
        Order::ResizePod { namespace, pod, .. } => {
            let found = seen.pods.get(&(namespace.clone(), pod.clone()));
            found.and_then(|pod| pod.node.as_ref()).filter(is_short)
        }
        Order::SizeNewPods { .. } | Order::LeaveNewPods { .. } => None,
    };
    Some(format!("{what}: node {} runs short of memory", new.or(here)?))
}

/// What gets less of anything by an order, in words; `None` where nothing does.
pub(super) fn smaller(order: &Order, journal: &Journal) -> Option<String> {
    match order {
        Order::SizeNewPods { workload, .. } if lowers(journal, workload) => {
            Some(format!("new pods of {workload}"))
        }
        Order::SetTemplate { workload, .. } if lowers(journal, workload) => Some(workload.to_string()),
        Order::ResizePod { pod, from, containers, .. } if shrinks(from, containers) => {
            Some(format!("pod {pod}"))
        }
        _ => None,
    }
}

/// Changes that have begun and that pressure may come from. What has more reserved than before is further from being
/// evicted, and would be nearer to it again if it were taken back: no pressure does that.
fn answered_for<'a>(journal: &'a Journal, shares: &'a [Share]) -> impl Iterator<Item = &'a Change> {
    health::touched(&journal.plan, shares).filter_map(|(index, change)| {
        let known = journal.known.get(index)?;
        let before = change.containers.iter().map(|it| explicit(home(known, it)).requested_bytes());
        let after = change.containers.iter().map(|it| explicit(&it.after).requested_bytes());
        (after.sum::<u64>() <= before.sum::<u64>()).then_some(change)
    })
}

/// The plan gives a container of this workload less of anything.
fn lowers(journal: &Journal, id: &WorkloadId) -> bool {
    let changes = journal.plan.changes.iter().zip(&journal.known);
    let of_it = changes.filter(|(change, _)| change.workload == *id);
    of_it.into_iter().any(|(change, known)| {
        change.containers.iter().any(|container| is_smaller(&container.after, home(known, container)))
    })
}

/// Some container gets less of anything.
fn shrinks(from: &[(String, Sizes)], to: &[(String, Sizes)]) -> bool {
    let was = |name: &String| from.iter().find(|(also, _)| also == name).map(|(_, sizes)| sizes);
    to.iter().any(|(name, sizes)| was(name).is_some_and(|was| is_smaller(sizes, was)))
}

fn is_smaller(to: &Sizes, from: &Sizes) -> bool {
    is_lower(to, from) || explicit(to).requested_bytes() < explicit(from).requested_bytes()
}

fn is_pressed(seen: &Inventory, node: &str) -> bool {
    seen.nodes.get(node).is_some_and(|node| node.is_pressed)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::carry_out;
    use super::super::{Verdict, step};
    use super::*;
    use crate::inventory::{Evicted, Node, Pod};
    use crate::plan::{Plan, fixtures, planner};
    use crate::size::MIB;

    pub const SMALL: [&str; 2] = ["256Mi", "512Mi"];
    pub const BIG: [&str; 2] = ["512Mi", "1Gi"];

    /// `a` of one pod on `here` and `b` of two on `there`, from these sizes to those.
    pub fn two([request, limit]: [&str; 2], after: [&str; 2]) -> (Plan, Inventory) {
        let of =
            |name, pods| fixtures::workload(name, pods, vec![fixtures::container("app", request, limit)]);
        let mut seen = fixtures::inventory([of("a", 1), of("b", 2)]);
        for (name, workload, node) in [("a-1", "a", "here"), ("b-1", "b", "there"), ("b-2", "b", "there")] {
            let like = fixtures::pod(&seen.workloads[&fixtures::id(workload)], Some(100 * MIB));
            let pod = Pod { uid: name.into(), node: Some(node.into()), ..like };
            seen.pods.insert(("shop".into(), name.into()), pod);
        }
        let node = Node { allocatable_bytes: 8192 * MIB, is_ready: true, is_pressed: false };
        seen.nodes = ["here", "there"].map(|name| (name.into(), node.clone())).into();
        let wanted = ["a", "b"].map(|name| fixtures::recommended(name, after[0], after[1], 150));
        (planner::plan(&seen, &wanted, &fixtures::settings()), seen)
    }

    /// Carries a plan out look by look, each after 15 s, while this happens (at look 0 before it begins), until a verdict is
    /// more than to hold: in a word and its reason. And what was said on the way.
    pub fn verdict(of: (Plan, Inventory), happens: &dyn Fn(&mut Inventory, i64)) -> (String, Vec<String>) {
        let (plan, mut seen) = of;
        happens(&mut seen, 0);
        let mut journal = Journal::begin(plan, &seen, seen.as_of_ms);
        let mut said = Vec::new();
        for look in 1..100 {
            happens(&mut seen, look);
            seen.as_of_ms += 15_000;
            let next = step(&journal, &seen, seen.as_of_ms);
            match next.verdict {
                Verdict::Hold(why) => said.push(why),
                Verdict::Advance(why) => return (format!("advance: {why}"), said),
                Verdict::RollBack(why) => return (format!("roll back: {why}"), said),
                Verdict::Done(why) => return (format!("done: {why}"), said),
            }
            carry_out(&next.orders, &mut seen);
            journal = next.journal;
        }
        panic!("it goes on for ever: {said:?}");
    }

    pub const BORNE: &str = "advance: wave 1 of 2 was borne";

    #[test]
    fn what_is_evicted_in_a_wave_takes_it_back() {
        let check = |from: [&str; 2], to: [&str; 2], workload: &str, since: i64, expect: &str| {
            let evict = |seen: &mut Inventory, look: i64| {
                let (workload, pod, node) = (fixtures::id(workload), "old".into(), "here".into());
                if look >= since {
                    seen.evicted.insert("uid-old".into(), Evicted { workload, pod, node });
                }
            };
            assert_eq!(verdict(two(from, to), &evict).0, expect, "{from:?} {to:?} {workload} {since}");
        };
        let back = "roll back: pod old of shop/Deployment/a was evicted: node here ran short of memory";
        check(BIG, SMALL, "a", 1, back);
        check(BIG, SMALL, "a", 4, back);
        check(BIG, SMALL, "a", 0, BORNE);
        // The first wave does not touch it.
        check(BIG, SMALL, "b", 2, BORNE);
        // With more requested it is further from that than before; with a higher limit alone it is not.
        check(SMALL, BIG, "a", 2, BORNE);
        check(["256Mi", "512Mi"], ["256Mi", "1Gi"], "a", 2, back);
    }

    #[test]
    fn a_wave_waits_while_a_node_has_become_short_of_memory() {
        let check =
            |to: [[&str; 2]; 2], node: &str, looks: std::ops::Range<i64>, expect: &str, says: &str| {
                let press = |seen: &mut Inventory, look: i64| {
                    seen.nodes.get_mut(node).expect("it is there").is_pressed = looks.contains(&look);
                };
                let (found, said) = verdict(two(to[0], to[1]), &press);
                assert_eq!(found, expect, "{node} {looks:?}: {said:#?}");
                let is_said = said.iter().any(|why| why.contains("runs short of memory"));
                assert_eq!(is_said, !says.is_empty(), "{node} {looks:?}: {said:#?}");
                assert!(said.iter().any(|why| why.contains(says)), "{node} {looks:?}: {said:#?}");
            };
        let down = [BIG, SMALL];
        let new_first =
            "wave 1 of 2: new pods of shop/Deployment/a: node here runs short of memory (and 1 more)";
        let old_first = "wave 1 of 2: pod a-1: node here runs short of memory";
        // A moment passes; more than a watch (60 s) does not.
        check(down, "here", 1..4, BORNE, new_first);
        check(down, "here", 3..6, BORNE, "wave 1 of 2: node here runs short of memory");
        let back = "roll back: node here runs short of memory, which it did not before the wave";
        check(down, "here", 1..100, back, new_first);
        check(down, "here", 3..100, back, "wave 1 of 2: node here runs short of memory");
        // It runs nothing that was changed.
        check(down, "there", 1..100, BORNE, "");
        // It was short before: there nothing gets smaller, for as long as patience lasts.
        check(down, "here", 0..10, BORNE, old_first);
        let late = "roll back: wave 1 of 2 takes longer than patience lasts: pod a-1: node here runs short of memory";
        check(down, "here", 0..100, late, old_first);
        // What gets more does not wait for it.
        check([SMALL, BIG], "here", 0..100, BORNE, "");
        check([SMALL, BIG], "here", 1..100, BORNE, "");
    }
}
