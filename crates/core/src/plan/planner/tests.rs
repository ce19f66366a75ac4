//! Plans for small inventories: each reason to leave something alone, and what sizes come out otherwise.

use super::*;
use crate::inventory::{Container, Hand, Kind};
use crate::plan::fixtures::*;
use crate::plan::{LeftAloneCode::*, check};

/// A Burstable workload `web` of two pods whose container `app` has 256Mi to 512Mi.
fn web() -> Workload {
    workload("web", 2, vec![container("app", "256Mi", "512Mi")])
}

fn with_hand(hand: Hand) -> Inventory {
    inventory([Workload { hands: vec![hand], ..web() }])
}

/// The plan, which its judge has nothing against.
fn planned(inventory: &Inventory, recommended: &[Recommended], way: Option<Way>) -> Plan {
    let plan = plan(inventory, recommended, &Settings { way, ..settings() });
    assert_eq!(check::check(&plan, inventory, 60_000, MADE_MS), Ok(()), "{plan:#?}");
    plan
}

#[test]
fn what_is_left_alone_and_why() {
    let half = || recommended("web", "128Mi", "256Mi", 200);
    let check = |inventory: Inventory, one: Recommended, way: Option<Way>, code, words: &[&str]| {
        let plan = planned(&inventory, &[one], way);
        let codes: Vec<_> = plan.left_alone.iter().map(|left| left.code).collect();
        assert_eq!((codes, plan.changes.len()), (vec![code], 0), "{plan:#?}");
        let reason = &plan.left_alone[0].reason;
        words.iter().for_each(|word| assert!(reason.contains(word), "{word}: {reason}"));
    };
    let rollout = Some(Way::Rollout);
    check(with_hand(by_memory("web-hpa", 80)), half(), None, MemoryAutoscaler, &["'web-hpa'"]);
    check(with_hand(Hand::VerticalAutoscaler("vpa".into())), half(), rollout, VerticalAutoscaler, &["'vpa'"]);
    check(with_hand(Hand::MemoryPolicy("follow".into())), half(), None, MemoryPolicy, &["'follow'"]);
    check(with_hand(Hand::Source("argo".into())), half(), rollout, SourceElsewhere, &["'argo'", "patch it"]);
    check(with_hand(Hand::Swap("n1".into())), half(), None, Swap, &["'n1'", "rollout"]);
    let hands = vec![Hand::StaticManager("n2".into())];
    let pinned = Workload { hands, ..workload("web", 1, vec![with_cpu("app", "512Mi", "512Mi")]) };
    check(inventory([pinned]), half(), None, StaticManager, &["'n2'", "rollout"]);
    check(inventory([Workload { is_settled: false, ..web() }]), half(), None, Unsettled, &["ready"]);
    check(inventory([web()]), recommended("web", "250Mi", "500Mi", 400), None, RightAsIs, &["16Mi"]);
    let split = workload("web", 2, vec![with_cpu("app", "100Mi", "105Mi")]);
    check(inventory([split]), recommended("web", "105Mi", "105Mi", 0), None, RightAsIs, &["16Mi"]);
    let ranged = |range| Inventory { limit_ranges: vec![range], ..inventory([web()]) };
    let low = limit_range(None, Some(192), None);
    check(ranged(low), half(), None, LimitRange, &["'bounds'", "200Mi"]);
    let none_fits = limit_range(Some(300), Some(250), None);
    check(ranged(none_fits), half(), None, LimitRange, &["'bounds'"]);
    let full = Inventory { quotas: vec![quota(None, Some((1100, 1024)))], ..inventory([web()]) };
    check(full, recommended("web", "256Mi", "600Mi", 550), None, Quota, &["'compute'", "76 MiB of limits"]);
    let bare = workload("web", 1, vec![container("app", "", "")]);
    check(inventory([bare]), half(), rollout, ClassWouldChange, &["BestEffort"]);
    let app = Container { cpu: (Some("1".into()), None), ..container("app", "", "") };
    check(inventory([Workload { containers: vec![app], ..web() }]), half(), None, NoWayBack, &["rollout"]);
    check(inventory([]), half(), None, NotThere, &["no such workload"]);
}

#[test]
fn what_is_not_recommended_is_left_alone() {
    let two = || Workload {
        containers: vec![container("app", "256Mi", "512Mi"), container("log", "64Mi", "")],
        ..web()
    };
    let check = |recommended: &[Recommended], expect: &[(Option<&str>, LeftAloneCode)]| {
        let plan = planned(&inventory([two()]), recommended, None);
        let left: Vec<_> =
            plan.left_alone.iter().map(|left| (left.container.as_deref(), left.code)).collect();
        assert_eq!(left, expect);
    };
    let app = recommended("web", "128Mi", "256Mi", 200);
    let gone = Recommended { container: "gone".into(), ..app.clone() };
    check(&[], &[(None, TooLittleHistory)]);
    check(std::slice::from_ref(&app), &[(Some("log"), TooLittleHistory)]);
    check(&[app, gone], &[(Some("gone"), NotThere), (Some("log"), TooLittleHistory)]);
}

#[test]
fn sizes_come_out_within_what_is_allowed() {
    let check =
        |containers: Vec<Container>, range: Option<_>, way, one: Recommended, expect: (&str, &str), why| {
            let limit_ranges = range.into_iter().collect();
            let inventory = Inventory { limit_ranges, ..inventory([Workload { containers, ..web() }]) };
            let plan = planned(&inventory, &[one], way);
            let changed = &plan.changes.first().unwrap_or_else(|| panic!("{plan:#?}")).containers[0];
            assert_eq!(changed.after, sizes(expect.0, expect.1), "{changed:?}");
            assert!(changed.evidence.contains(why), "{}", changed.evidence);
        };
    let usual = || vec![container("app", "256Mi", "512Mi")];
    let guaranteed = || vec![with_cpu("app", "512Mi", "512Mi")];
    let half = || recommended("web", "128Mi", "256Mi", 200);
    check(usual(), None, None, half(), ("128Mi", "256Mi"), "14 days");
    // As it was written.
    check(usual(), None, None, recommended("web", "0.1Gi", "300M", 200), ("0.1Gi", "300M"), "14 days");
    check(usual(), None, None, recommended("web", "128Mi", "256Mi", 300), ("128Mi", "300Mi"), "least");
    check(usual(), None, None, recommended("web", "128Mi", "", 300), ("128Mi", "512Mi"), "");
    // A limit of nothing is none.
    check(usual(), None, None, recommended("web", "128Mi", "0", 0), ("128Mi", "512Mi"), "");
    // A limit that is too low now grows, however little.
    check(usual(), None, None, recommended("web", "256Mi", "", 515), ("256Mi", "515Mi"), "least");
    check(usual(), None, None, recommended("web", "600Mi", "", 300), ("512Mi", "512Mi"), "not above");
    check(guaranteed(), None, None, half(), ("256Mi", "256Mi"), "stays Guaranteed");
    let nearly = vec![with_cpu("app", "256Mi", "512Mi")];
    check(nearly, None, None, recommended("web", "300Mi", "300Mi", 0), ("299Mi", "300Mi"), "stays Burstable");
    let unlimited = || vec![container("app", "256Mi", "")];
    check(unlimited(), None, None, half(), ("128Mi", ""), "taken away");
    check(unlimited(), None, Some(Way::Rollout), half(), ("128Mi", "256Mi"), "");
    let most = limit_range(None, Some(220), None);
    check(usual(), Some(most), None, half(), ("128Mi", "220Mi"), "'bounds'");
    let least = limit_range(Some(150), None, None);
    check(usual(), Some(least), None, half(), ("150Mi", "256Mi"), "'bounds'");
    let ratio = limit_range(None, None, Some(1.5));
    check(usual(), Some(ratio), None, half(), ("171Mi", "256Mi"), "'bounds'");
    check(guaranteed(), Some(limit_range(Some(300), None, None)), None, half(), ("300Mi", "300Mi"), "bounds");
}

#[test]
fn what_is_used_now_counts_too() {
    let mut inventory = inventory([web()]);
    inventory.pods.insert(("shop".into(), "web-1".into()), pod(&web(), Some(300 << 20)));
    let plan = planned(&inventory, &[recommended("web", "128Mi", "256Mi", 200)], None);
    assert_eq!(plan.changes[0].containers[0].after, sizes("128Mi", "330Mi"));
}

#[test]
fn the_way_is_in_place_where_the_server_can() {
    let check = |in_place, admission_policy, wished, expect, warns: bool| {
        let abilities = Abilities { in_place, admission_policy };
        let inventory = Inventory { abilities, ..inventory([web()]) };
        let plan = planned(&inventory, &[recommended("web", "128Mi", "256Mi", 200)], wished);
        assert_eq!((plan.changes[0].way, plan.changes[0].warnings.is_empty()), (expect, !warns));
    };
    check(true, true, None, Way::InPlace, false);
    check(true, true, Some(Way::InPlace), Way::InPlace, false);
    check(true, true, Some(Way::Rollout), Way::Rollout, false);
    check(true, false, None, Way::Rollout, false);
    check(false, true, None, Way::Rollout, false);
    check(false, true, Some(Way::InPlace), Way::Rollout, true);
}

#[test]
fn what_somebody_should_know_is_said() {
    let check = |container: Container, hands: Vec<Hand>, way, expect: &[&str]| {
        let inventory = inventory([Workload { containers: vec![container], hands, ..web() }]);
        let plan = planned(&inventory, &[recommended("web", "128Mi", "256Mi", 200)], way);
        let warnings = &plan.changes[0].warnings;
        assert_eq!(warnings.len(), expect.len(), "{warnings:?}");
        expect.iter().zip(warnings).for_each(|(word, said)| assert!(said.contains(word), "{said}"));
    };
    let app = || container("app", "256Mi", "512Mi");
    let restarts = || Container { restarts_on_resize: true, ..app() };
    let bounded = Container { fixed_bounds: vec!["GOMEMLIMIT=400MiB".into(), "-Xmx300m".into()], ..app() };
    check(app(), vec![], None, &[]);
    check(restarts(), vec![], None, &["'app' starts anew"]);
    check(restarts(), vec![], Some(Way::Rollout), &[]);
    check(bounded, vec![], None, &["GOMEMLIMIT=400MiB, -Xmx300m"]);
    check(app(), vec![Hand::Source("flux".into())], None, &["'flux' keeps its template, which stays"]);
}

#[test]
fn growth_comes_first_and_what_shrinks_makes_room() {
    let check = |limits: Option<(u64, u64)>, way, expect: &[&str], left: &[&str]| {
        let size = || vec![container("app", "100Mi", "200Mi")];
        let four = ["big", "calm", "less", "more"]
            .map(|name| workload(name, if name == "big" { 9 } else { 1 }, size()));
        let mut inventory = inventory(four);
        inventory.quotas = limits.map(|limits| quota(None, Some(limits))).into_iter().collect();
        let recommended = [
            recommended("big", "100Mi", "220Mi", 0),
            recommended("calm", "50Mi", "100Mi", 0),
            recommended("less", "50Mi", "150Mi", 0),
            recommended("more", "100Mi", "300Mi", 0),
        ];
        let plan = planned(&inventory, &recommended, way);
        let changed: Vec<_> = plan.changes.iter().map(|change| change.workload.name.as_str()).collect();
        let alone: Vec<_> = plan.left_alone.iter().map(|left| left.workload.name.as_str()).collect();
        assert_eq!((changed.as_slice(), alone.as_slice()), (expect, left));
    };
    let in_order = ["more", "big", "calm", "less"];
    check(None, None, &in_order, &[]);
    check(Some((2680, 2400)), None, &in_order, &[]);
    // 150Mi of room are made: `more` takes 100 of them, then 180 are too many for `big`.
    check(Some((2400, 2400)), None, &["calm", "less", "more"], &["big"]);
    // What grows now may wait for what shrinks.
    check(Some((2530, 2400)), None, &["more", "calm", "less", "big"], &[]);
    // One more pod of 300Mi at the time has no room either.
    check(Some((2400, 2400)), Some(Way::Rollout), &["calm", "less"], &["big", "more"]);
    check(Some((2000, 2400)), None, &["calm", "less"], &["big", "more"]);
}

#[test]
fn what_does_not_stand_in_the_way() {
    let check = |hand: Hand, kind, container, way| {
        let id = WorkloadId { kind, ..id("web") };
        let one = Workload { id: id.clone(), hands: vec![hand], ..workload("web", 1, vec![container]) };
        let full = Inventory { quotas: vec![quota(None, Some((612, 512)))], ..inventory([one]) };
        let more = Recommended { workload: id, ..recommended("web", "600Mi", "600Mi", 0) };
        assert_eq!(planned(&full, &[more], Some(way)).changes.len(), 1);
    };
    let pinned = || with_cpu("app", "512Mi", "512Mi");
    let burstable = || container("app", "256Mi", "512Mi");
    check(Hand::Source("argo".into()), Kind::Deployment, burstable(), Way::InPlace);
    check(Hand::StaticManager("n".into()), Kind::Deployment, burstable(), Way::InPlace);
    check(Hand::Swap("n".into()), Kind::Deployment, pinned(), Way::InPlace);
    // These roll out without a pod too many.
    check(Hand::StaticManager("n".into()), Kind::StatefulSet, pinned(), Way::Rollout);
    check(Hand::Swap("n".into()), Kind::DaemonSet, burstable(), Way::Rollout);
}

#[test]
fn pods_that_were_resized_before_count_as_they_are() {
    let mut inventory = inventory([web()]);
    let mut resized = pod(&web(), None);
    resized.containers[0].desired = sizes("128Mi", "256Mi");
    inventory.pods.insert(("shop".into(), "web-1".into()), resized);
    inventory.quotas = vec![quota(None, Some((300, 256)))];
    let check = |limit: &str, expect: usize| {
        let plan = planned(&inventory, &[recommended("web", "128Mi", limit, 0)], None);
        assert_eq!(plan.changes.len(), expect, "{limit}");
    };
    check("300Mi", 1);
    check("301Mi", 0);
}

#[test]
fn totals_are_over_all_pods() {
    let plan = planned(&inventory([web()]), &[recommended("web", "128Mi", "256Mi", 200)], None);
    let mib = [512, 256, 1024, 512].map(|mib: u64| mib << 20);
    let [request_before_bytes, request_after_bytes, limit_before_bytes, limit_after_bytes] = mib;
    assert_eq!(
        plan.totals,
        Totals { request_before_bytes, request_after_bytes, limit_before_bytes, limit_after_bytes }
    );
}
