//! What must hold in worlds of every seed (see `world/check.rs`), and the single rules behind it.

use super::journal::LOOKS;
use super::sizes::{Next, Route, alike};
use super::waves::{Share, count, shares};
use super::world::{End, Nature, World, count_applied, count_rolled_back};
use super::*;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Hand, Pod, Resize, ResizeState, Running, Sizes, Workload};
use crate::plan::{ContainerChange, Plan, Way, fixtures, planner};
use crate::size::MIB;

fn run(nature: Nature, seeds: std::ops::Range<u64>) -> Vec<End> {
    seeds.map(|seed| World::run(seed, nature)).collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// `SEED=42` runs that world alone, `WORLDS=100000` more of them than usual.
#[test]
fn wild_worlds_end_applied_or_rolled_back() {
    if let Some(seed) = number("SEED") {
        World::run(seed, Nature::Wild);
        return;
    }
    let ends = run(Nature::Wild, 0..number("WORLDS").unwrap_or(3_000));
    // If either were rare, little would be proved.
    let applied = count_applied(&ends);
    assert!((ends.len() / 10..ends.len() * 9 / 10).contains(&applied), "{applied}");
    for why in ["was evicted: node", "runs short of memory, which", "waits for memory"] {
        let count = count_rolled_back(&ends, why);
        assert!(count > ends.len() / 500, "{count} times: {why}");
    }
}

/// Found by more worlds than are tried each time: somebody else's pods that stood in line kept our size when patience was over
/// (24883, 88516), and what the worlds themselves had wrong of a pod that was evicted between a look and its step (79614, 79772), and of one
/// that had to wait until just before (190037, 14382); 9751 and 43445 went wrong in worlds of before.
#[test]
fn worlds_that_went_wrong_once_do_not_again() {
    for seed in [9_751, 24_883, 43_445, 79_614, 79_772, 88_516, 190_037, 14_382, 128_000] {
        World::run(seed, Nature::Wild);
    }
}

#[test]
fn kind_worlds_end_applied() {
    let ends = run(Nature::Kind, 0..1_000);
    assert_eq!(count_applied(&ends), ends.len());
}

#[test]
fn a_seed_is_a_course() {
    for seed in 0..50 {
        let courses = [(); 2].map(|()| World::run(seed, Nature::Wild).course);
        assert_eq!(courses[0], courses[1], "seed {seed}");
    }
}

#[test]
fn a_journal_survives_being_written() {
    for end in run(Nature::Wild, 0..20) {
        let text = serde_json::to_string(&end.journal).expect("a journal");
        assert_eq!(serde_json::from_str::<Journal>(&text).expect("a journal"), end.journal);
    }
}

#[test]
fn waves_grow_and_end() {
    let check = |ways: &[(Way, u32)], canary_pods: u32, expect: &[&[Share]]| {
        let mut plan = World::build(0, Nature::Kind).plan;
        plan.budget.canary_pods = canary_pods;
        let change = plan.changes[0].clone();
        let of = |(way, replicas): &(Way, u32)| crate::plan::Change {
            way: *way,
            replicas: *replicas,
            ..change.clone()
        };
        plan.changes = ways.iter().map(of).collect();
        let all: Vec<Vec<Share>> = (0..count(&plan)).map(|wave| shares(&plan, wave)).collect();
        assert_eq!(all, expect, "{ways:?}");
    };
    let (place, roll, all, none) = (Way::InPlace, Way::Rollout, Share::All, Share::None);
    check(&[], 1, &[&[]]);
    check(&[(place, 0)], 1, &[&[all]]);
    check(&[(place, 1)], 1, &[&[all]]);
    check(&[(place, 6)], 1, &[&[Share::Pods(1)], &[Share::Pods(5)], &[all]]);
    check(&[(place, 2), (place, 9)], 2, &[&[all, none], &[all, Share::Pods(8)], &[all, all]]);
    check(&[(roll, 9), (place, 9)], 1, &[&[all, none], &[all, Share::Pods(4)], &[all, all]]);
    check(&[(place, 1), (roll, 9)], 1, &[&[all, none], &[all, all]]);
}

fn sizes(request_mib: u64, limit_mib: u64) -> Sizes {
    let quantity = |mib: u64| Some(Quantity::of_bytes(mib * MIB));
    Sizes { request: quantity(request_mib), limit: quantity(limit_mib) }
}

#[test]
fn sizes_go_down_by_steps_while_there_is_room_and_up_at_once() {
    let check = |before: (u64, u64), after: (u64, u64), now: (u64, u64), used_mib: u64, expect| {
        let (before, after, now) = (sizes(before.0, before.1), sizes(after.0, after.1), sizes(now.0, now.1));
        let change = ContainerChange {
            name: "app".to_string(),
            before: before.clone(),
            after,
            floor_bytes: 0,
            evidence: String::new(),
        };
        let running = Running {
            name: "app".to_string(),
            desired: now.clone(),
            actual: Some(now.clone()),
            restarts: 0,
            is_running: true,
            oom_kills: Vec::new(),
            used_bytes: Some(used_mib * MIB),
            pressure: None,
        };
        let known = Known { on_admission: vec![("app".to_string(), before)], ..Known::default() };
        let route = Route::forward(&change, &known, 50);
        let found = match route.next(&running, true, false) {
            Next::Go(next) => {
                assert!(route.knows(&next), "{next:?} would pass for somebody else's");
                Some(next)
            }
            Next::There => Some(now),
            Next::Wait(_) => None,
        };
        let expect: Option<(u64, u64)> = expect;
        let same = match (&found, expect) {
            (Some(found), Some((request, limit))) => alike(found, &sizes(request, limit)),
            (found, expect) => found.is_none() && expect.is_none(),
        };
        assert!(same, "{found:?}, not {expect:?}");
    };
    check((1000, 1000), (200, 200), (1000, 1000), 100, Some((500, 500)));
    check((1000, 1000), (200, 200), (500, 500), 100, Some((250, 250)));
    check((1000, 1000), (200, 200), (250, 250), 100, Some((200, 200)));
    check((1000, 1000), (200, 200), (200, 200), 100, Some((200, 200)));
    check((1000, 1000), (200, 200), (500, 500), 240, None);
    check((800, 1000), (100, 200), (800, 1000), 100, Some((100, 500)));
    check((100, 100), (400, 400), (100, 100), 100, Some((400, 400)));
    check((500, 1000), (100, 1000), (500, 1000), 990, Some((100, 1000)));
}

/// Two that grow: `a` of one pod, `b` of four; nothing else is in the cluster.
fn growing() -> (Plan, Inventory) {
    let grow =
        |name: &str, pods| fixtures::workload(name, pods, vec![fixtures::container("app", "64Mi", "128Mi")]);
    let mut seen = fixtures::inventory([grow("a", 1), grow("b", 4)]);
    for (name, workload) in [("a-1", "a"), ("b-1", "b"), ("b-2", "b"), ("b-3", "b"), ("b-4", "b")] {
        let pod = Pod {
            uid: name.into(),
            ..fixtures::pod(&seen.workloads[&fixtures::id(workload)], Some(100 * MIB))
        };
        seen.pods.insert(("shop".into(), name.into()), pod);
    }
    let wanted = ["a", "b"].map(|name| fixtures::recommended(name, "64Mi", "256Mi", 150));
    (planner::plan(&seen, &wanted, &fixtures::settings()), seen)
}

/// What is ordered is there at the next look.
pub(super) fn carry_out(orders: &[Order], seen: &mut Inventory) {
    for order in orders {
        match order {
            Order::SizeNewPods { workload, containers } => {
                seen.sized_on_admission.insert(workload.clone(), containers.clone());
            }
            Order::ResizePod { namespace, pod, containers, .. } => {
                let pod = seen.pods.get_mut(&(namespace.clone(), pod.clone())).expect("it is there");
                let (running, (_, sizes)) = (&mut pod.containers[0], &containers[0]);
                (running.desired, running.actual) = (sizes.clone(), Some(sizes.clone()));
            }
            Order::LeaveNewPods { workload } => drop(seen.sized_on_admission.remove(workload)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_left_is_judged_before_each_wave() {
    // What somebody changes after the first wave has begun, and what becomes of the plan before the second.
    let check = |change: &dyn Fn(&mut Inventory, i64), expect: &dyn Fn(&Verdict) -> bool| {
        let (plan, mut seen) = growing();
        let mut journal = Journal::begin(plan, &seen, seen.as_of_ms);
        for look in 0i64.. {
            change(&mut seen, look);
            seen.as_of_ms += 15_000;
            let next = step(&journal, &seen, seen.as_of_ms);
            assert!(
                seen.pods[&("shop".into(), "b-2".into())].containers[0].desired
                    == fixtures::sizes("64Mi", "128Mi")
            );
            match next.verdict {
                Verdict::Hold(_) => carry_out(&next.orders, &mut seen),
                verdict => return assert!(expect(&verdict), "{verdict:?}"),
            }
            assert!(look < 1_000, "it goes on for ever: {:?}", next.verdict);
            journal = next.journal;
        }
    };
    let advances = |verdict: &Verdict| matches!(verdict, Verdict::Advance(_));
    let back = |words: &'static str| move |verdict: &Verdict| matches!(verdict, Verdict::RollBack(why) if why.contains(words));
    let b = |change: fn(&mut Workload)| {
        move |seen: &mut Inventory, _: i64| {
            change(seen.workloads.get_mut(&fixtures::id("b")).expect("it is there"))
        }
    };
    check(&|_, _| (), &advances);
    let low =
        |seen: &mut Inventory, _: i64| seen.limit_ranges = vec![fixtures::limit_range(None, Some(200), None)];
    check(&low, &back("before wave 2 of 2: shop/Deployment/b, container 'app' would be out of the bounds"));
    check(&b(|b| b.hands = vec![Hand::Swap("one".into())]), &back("the swap of node 'one'"));
    // What may pass is waited for, as long as patience lasts.
    let full = |until: i64| {
        move |seen: &mut Inventory, look: i64| {
            let most_mib = if look < until { 800 } else { 2_000 };
            seen.quotas = vec![fixtures::quota(None, Some((most_mib, 768)))];
        }
    };
    check(&full(20), &advances);
    check(
        &full(i64::MAX),
        &back("takes longer than patience lasts: shop/Deployment/b would bring the limits"),
    );
    check(
        &b(|b| b.is_settled = false),
        &back("longer than patience lasts: shop/Deployment/b is not settled"),
    );
    let busy = |used_mib: u64| {
        move |seen: &mut Inventory, _: i64| {
            let pod = seen.pods.get_mut(&("shop".into(), "b-4".into())).expect("it is there");
            pod.containers[0].used_bytes = Some(used_mib * MIB);
        }
    };
    // More than history had, and less than the limit.
    check(&busy(200), &advances);
    check(&busy(257), &back("longer than patience lasts: shop/Deployment/b, container 'app' uses"));
    // Others may change the number of pods meanwhile.
    check(&b(|b| (b.generation, b.replicas) = (4, 5)), &advances);
}

#[test]
fn what_a_node_will_never_do_is_said_with_what_to_do() {
    let check = |message: &str, expect: &str| {
        let resize = Resize { state: ResizeState::Infeasible, message: message.to_string() };
        let mut pod = fixtures::pod(&fixtures::workload("web", 1, Vec::new()), None);
        pod.resize = Some(resize);
        let said = pods::standing(&pod);
        assert!(said.starts_with(expect) && said.ends_with(message), "{said}");
    };
    check("In-place resize of containers with swap is not supported.", "it may swap, and its node");
    let pinned = "Resize is infeasible for Guaranteed Pods alongside Memory Manager policy \"Static\"";
    check(pinned, "its node pins its memory");
    check("Node didn't have enough capacity: memory", "its node will never have room: Node");
    check("", "its node will never have room");
}

#[test]
fn the_scheduler_counts_what_is_wanted_where_a_node_may_ever_give_it() {
    let check = |state: Option<ResizeState>, actual_mib: Option<u64>, expect_mib: u64| {
        let web = fixtures::workload("web", 1, vec![fixtures::container("app", "200Mi", "200Mi")]);
        let mut pod = fixtures::pod(&web, None);
        pod.containers[0].actual = actual_mib.map(|mib| sizes(mib, mib));
        pod.resize = state.map(|state| Resize { state, message: String::new() });
        assert_eq!(pod.counted_bytes(&pod.containers[0]), expect_mib * MIB, "{state:?} {actual_mib:?}");
    };
    check(None, None, 200);
    check(None, Some(300), 300);
    check(Some(ResizeState::Deferred), Some(100), 200);
    check(Some(ResizeState::Infeasible), Some(100), 100);
    check(Some(ResizeState::Infeasible), Some(300), 300);
}

#[test]
fn a_watch_takes_looks_however_late_it_seems() {
    let plan = World::build(0, Nature::Kind).plan;
    let check = |elapsed_ms: i64, expect: i64| {
        let mut watch = Watch::default();
        let look = journal::Look { now_ms: 0, elapsed_ms, is_new: true };
        let looks = (1..1_000).find(|_| {
            watch.push(look, 0, true, false, &plan);
            watch.is_over(&plan)
        });
        assert_eq!(looks, Some(expect), "{elapsed_ms}");
    };
    check(i64::MAX, LOOKS + 1);
    check(plan.budget.watch_ms, LOOKS + 1);
    check(plan.budget.watch_ms / 20 + 1, 21);
}
