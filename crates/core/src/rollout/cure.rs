//! The cure of a pod that is held to less than its containers have together (kubernetes#138760).
//!
//! A kubelet sets the limit of a pod only with that of a container that runs. Where a container was down while its limit was
//! raised it comes back with the new one, in a pod that has the old one, and dies of that again and again. Another resize
//! while a container runs sets both: so one gets a little more, and then what is meant. While none runs there is nothing to
//! do but wait, for its backoff to be over.

use super::budget::is_in_flight;
use super::pods;
use super::sizes::{Route, alike, explicit, is_tied};
use crate::inventory::quantity::Quantity;
use crate::inventory::{Pod, Running, Sizes};
use crate::size::MIB;

/// The least by which a limit is changed here: sizes are whole MiB.
pub(super) const NUDGE_BYTES: u64 = MIB;

/// A little more than this. What has as much requested as its limit keeps to that, for the class of service.
pub(super) fn nudged(sizes: &Sizes) -> Sizes {
    let sizes = explicit(sizes);
    let limit = sizes.limit_bytes().map(|bytes| Quantity::of_bytes(bytes.saturating_add(NUDGE_BYTES)));
    let request = if is_tied(&sizes) { limit.clone() } else { sizes.request };
    Sizes { request, limit }
}

/// What is to be resized of a held pod whose containers have what they should: one that runs; the limit of the pod becomes
/// that of all of them.
pub(super) fn nudge(pod: &Pod, routes: &[Route]) -> Option<(String, Sizes)> {
    let runs = |route: &&Route| pods::running(pod, route).is_some_and(|running| running.is_running);
    let route = routes.iter().find(runs).filter(|_| pods::is_held(pod))?;
    Some((route.name.clone(), nudged(&route.to)))
}

/// The kubelet has not yet given a container the little more: that would be called off by what is meant.
pub(super) fn is_at_it(pod: &Pod, route: &Route, running: &Running) -> bool {
    alike(&running.desired, &nudged(&route.to)) && is_in_flight(pod, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Inventory, Resize, ResizeState};
    use crate::plan::{fixtures, planner};
    use crate::rollout::{Journal, Order, Phase, step};

    const LIMITS: [(&str, u64); 2] = [("128Mi", 128), ("64Mi", 64)];

    /// One pod with a plan of these limits, in MiB.
    fn begin(before: &str, after: &str) -> (Journal, Inventory) {
        let one = fixtures::workload("a", 1, vec![fixtures::container("app", "32Mi", before)]);
        let mut seen = fixtures::inventory([one]);
        let pod = fixtures::pod(&seen.workloads[&fixtures::id("a")], Some(20 * MIB));
        seen.pods.insert(("shop".into(), "a-1".into()), pod);
        let plan =
            planner::plan(&seen, &[fixtures::recommended("a", "32Mi", after, 22)], &fixtures::settings());
        (Journal::begin(plan, &seen, seen.as_of_ms), seen)
    }

    /// What the orders say; the limits that a pod should have by them, in MiB.
    fn carry_out(orders: &[Order], seen: &mut Inventory) -> Vec<u64> {
        let mut given = Vec::new();
        for order in orders {
            match order {
                Order::ResizePod { containers, .. } => {
                    let pod = seen.pods.values_mut().next().expect("a pod");
                    (pod.containers[0].desired, pod.resize) = (containers[0].1.clone(), None);
                    given.push(containers[0].1.limit_bytes().expect("a limit") / MIB);
                }
                Order::SizeNewPods { workload, containers } => {
                    drop(seen.sized_on_admission.insert(workload.clone(), containers.clone()));
                }
                Order::LeaveNewPods { workload } => drop(seen.sized_on_admission.remove(workload)),
                Order::SetTemplate { .. } => panic!("{order:?}"),
            }
        }
        given
    }

    /// A forgetful kubelet gives a container what it should have, and its pod where the container runs.
    fn act(pod: &mut Pod, pod_bytes: &mut u64) {
        let running = &mut pod.containers[0];
        let limit_bytes = running.desired.limit_bytes().expect("a limit");
        if running.is_running && running.actual.as_ref() != Some(&running.desired) {
            *pod_bytes = limit_bytes;
        }
        running.actual = Some(running.desired.clone());
        let held = Resize { state: ResizeState::Held { limit_bytes: *pod_bytes }, message: String::new() };
        pod.resize = (*pod_bytes < limit_bytes).then_some(held);
    }

    /// Its container goes down, is raised, and runs again after a while. What it uses leaves no margin below what is meant, and
    /// its kubelet is not the fastest.
    #[test]
    fn a_held_pod_gets_a_little_more_and_then_what_is_meant() {
        let check = |is_back: bool| {
            let [(most, most_mib), (least, _)] = LIMITS;
            let (mut journal, mut seen) = if is_back { begin(most, least) } else { begin(least, most) };
            let mut pod_bytes = if is_back { most_mib } else { most_mib / 2 } * MIB;
            let (mut given, mut down_at) = (Vec::new(), (!is_back).then_some(0));
            for look in 0..500 {
                if is_back && down_at.is_none() && matches!(journal.phase, Phase::Applied { .. }) {
                    journal.roll_back("a test", seen.as_of_ms);
                    (down_at, given) = (Some(look), Vec::new());
                }
                let is_down = down_at.is_some_and(|at| (at..at + 12).contains(&look));
                let pod = seen.pods.values_mut().next().expect("a pod");
                pod.containers[0].is_running = !is_down;
                let is_used = down_at.is_some() && !is_down;
                pod.containers[0].used_bytes = Some(if is_used { most_mib } else { 20 } * MIB);
                if look % 3 == 0 {
                    act(pod, &mut pod_bytes);
                }
                seen.as_of_ms += 5_000;
                let next = step(&journal, &seen, seen.as_of_ms);
                given.extend(carry_out(&next.orders, &mut seen));
                assert!(!is_down || given == [most_mib], "nothing helps while it is down: {given:?}");
                journal = next.journal;
                if journal.is_over() && down_at.is_some() {
                    break;
                }
            }
            let expect = if is_back { "RolledBack" } else { "Applied" };
            assert!(format!("{:?}", journal.phase).starts_with(expect), "{:?}", journal.phase);
            assert_eq!(given, [most_mib, most_mib + 1, most_mib]);
            assert_eq!(pod_bytes, most_mib * MIB);
        };
        check(false);
        check(true);
    }

    #[test]
    fn what_is_requested_keeps_to_the_limit_only_where_it_did() {
        let check = |before: (&str, &str), expect: (&str, &str)| {
            assert!(nudged(&fixtures::sizes(before.0, before.1)).same(&fixtures::sizes(expect.0, expect.1)));
        };
        check(("64Mi", "128Mi"), ("64Mi", "129Mi"));
        check(("128Mi", "128Mi"), ("129Mi", "129Mi"));
        check(("", "128Mi"), ("129Mi", "129Mi"));
        check(("64Mi", ""), ("64Mi", ""));
    }
}
