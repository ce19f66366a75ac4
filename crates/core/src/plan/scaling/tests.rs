//! What is said of autoscalers whose pods use much without load, and of those of which that is not known.

use super::*;
use crate::inventory::Container;
use crate::plan::fixtures::{autoscaler, container, pod, recommended, workload};
use crate::size::MIB;

/// A workload of two pods whose containers `app` and `mesh` have these requests, in MiB; `app` is limited to 512Mi.
fn web(app_mib: u64, mesh_mib: u64) -> Workload {
    let of = |mib: u64| if mib == 0 { String::new() } else { format!("{mib}Mi") };
    let containers: [Container; 2] =
        [container("app", &of(app_mib), "512Mi"), container("mesh", &of(mesh_mib), "")];
    workload("web", 2, containers.to_vec())
}

/// Advice for it, whose pods use so much in `app`, in MiB, and 20 MiB in `mesh`.
fn said(
    web: &Workload,
    scaler: &MemoryAutoscaler,
    used_mib: &[u64],
    wanted: &[Recommended],
) -> ScalingAdvice {
    let of = |mib: &u64| {
        let mut pod = pod(web, Some(20 * MIB));
        pod.containers[0].used_bytes = Some(mib * MIB);
        pod
    };
    let pods: Vec<Pod> = used_mib.iter().map(of).collect();
    let wanted = wanted.iter().map(|one| (one.container.as_str(), one)).collect();
    advice(web, &pods.iter().collect::<Vec<_>>(), scaler, &wanted).expect("it has a target")
}

fn by_app(amount: Amount) -> MemoryAutoscaler {
    let targets = vec![MemoryTarget { container: Some("app".into()), amount }];
    MemoryAutoscaler { targets, ..autoscaler("web", amount) }
}

fn mib(bytes: Option<u64>) -> Option<u64> {
    bytes.map(|bytes| bytes / MIB)
}

#[test]
fn what_it_comes_to() {
    use Outcome::*;
    let check = |scaler: MemoryAutoscaler, used_mib: &[u64], expect, resting, excess_mib: u64, least_mib| {
        let said = said(&web(200, 50), &scaler, used_mib, &[]);
        let found = (said.outcome, said.resting_replicas, said.excess_request_bytes / MIB);
        assert_eq!(
            (found, mib(said.least_target_bytes)),
            ((expect, resting, excess_mib), least_mib),
            "{said:?}"
        );
    };
    // Of a request of 250 MiB the target is 200; `mesh` uses 20 of what is used.
    let share = || autoscaler("web", Amount::Percent(80));
    check(share(), &[300, 203], PinsMax, Some(10), 8 * 250, Some(335));
    check(share(), &[300, 200], NeverShrinks, None, 8 * 250, Some(330));
    check(share(), &[160], NeverShrinks, None, 8 * 250, Some(270));
    check(share(), &[140], RestsAboveMin, Some(4), 2 * 250, Some(240));
    check(share(), &[113], Follows, Some(2), 0, Some(200));
    check(share(), &[], UseUnknown, None, 0, None);
    let amount = || autoscaler("web", Amount::Bytes(200 * MIB));
    check(amount(), &[201], PinsMax, Some(10), 8 * 250, Some(332));
    check(amount(), &[113], Follows, Some(2), 0, Some(200));
    // Of one container; what is too many are whole pods.
    check(by_app(Amount::Percent(80)), &[180], PinsMax, Some(10), 8 * 250, Some(270));
    check(by_app(Amount::Percent(80)), &[100], Follows, Some(2), 0, Some(150));
}

#[test]
fn requests_are_those_of_pods_where_there_are_some() {
    let unsized_mesh = web(200, 0);
    let check = |scaler: &MemoryAutoscaler, used_mib: &[u64], outcome, target_mib| {
        let said = said(&unsized_mesh, scaler, used_mib, &[]);
        assert_eq!((said.outcome, mib(said.target_bytes)), (outcome, target_mib), "{said:?}");
    };
    check(&autoscaler("web", Amount::Percent(80)), &[300], Outcome::NoRequest, None);
    check(&autoscaler("web", Amount::Percent(80)), &[], Outcome::NoRequest, None);
    check(&by_app(Amount::Percent(80)), &[300], Outcome::PinsMax, Some(160));
    check(&autoscaler("web", Amount::Bytes(100 * MIB)), &[300], Outcome::PinsMax, Some(100));
    let mut resized = pod(&web(200, 50), Some(100 * MIB));
    resized.containers[0].desired.request = Some(crate::plan::fixtures::quantity("350Mi"));
    let scaler = autoscaler("web", Amount::Percent(50));
    let said = advice(&web(200, 50), &[&resized], &scaler, &BTreeMap::new()).expect("advice");
    assert_eq!(mib(said.target_bytes), Some(200));
    resized.is_leaving = true;
    let said = advice(&web(200, 50), &[&resized], &scaler, &BTreeMap::new()).expect("advice");
    assert_eq!((mib(said.target_bytes), said.outcome), (Some(125), Outcome::UseUnknown));
}

#[test]
fn of_several_targets_the_one_that_wants_most_counts() {
    let both = MemoryAutoscaler {
        targets: [by_app(Amount::Bytes(300 * MIB)), autoscaler("web", Amount::Percent(80))]
            .into_iter()
            .flat_map(|scaler| scaler.targets)
            .collect(),
        ..autoscaler("web", Amount::Percent(1))
    };
    let said = said(&web(200, 50), &both, &[250], &[]);
    assert_eq!((said.container, said.target_percent, said.outcome), (None, Some(80), Outcome::PinsMax));
    let none = MemoryAutoscaler { targets: Vec::new(), ..both };
    assert_eq!(advice(&web(200, 50), &[], &none, &BTreeMap::new()), None);
}

/// A request that is right moves a target that is a share of it below the base.
#[test]
fn request_and_target_change_together() {
    let big = web(974, 50);
    let smaller = recommended("web", "226Mi", "", 0);
    let check = |scaler: &MemoryAutoscaler, expect: Resized| {
        let said = said(&big, scaler, &[300], std::slice::from_ref(&smaller));
        assert_eq!((said.outcome, said.resized), (Outcome::Follows, Some(expect)));
    };
    let expect = Resized {
        request_bytes: 276 * MIB,
        target_bytes: 276 * MIB * 80 / 100,
        outcome: Outcome::PinsMax,
        keep_target_bytes: 1024 * MIB * 80 / 100,
        keep_target_percent: Some(297),
    };
    check(&autoscaler("web", Amount::Percent(80)), expect.clone());
    let amount = Resized {
        target_bytes: 800 * MIB,
        outcome: Outcome::Follows,
        keep_target_bytes: 800 * MIB,
        keep_target_percent: None,
        ..expect
    };
    check(&autoscaler("web", Amount::Bytes(800 * MIB)), amount);
}
