//! Each reason to leave something alone, and what a plan says of what it changes.

use super::*;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Container, Hand, Kind, LimitRange, Quota, Sizes};

fn amount(text: &str) -> Option<Quantity> {
    Quantity::try_from(text.to_string()).ok()
}

fn id(name: &str) -> WorkloadId {
    WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: name.into() }
}

fn workload(name: &str, request: &str, limit: &str) -> Workload {
    let app = Container {
        name: "app".into(),
        sizes: Sizes { request: amount(request), limit: amount(limit) },
        cpu: (Some("100m".into()), None),
        restarts_on_resize: false,
        fixed_bounds: vec!["GOMEMLIMIT=400MiB".into()],
    };
    Workload {
        id: id(name),
        uid: "u".into(),
        generation: 3,
        replicas: 2,
        containers: vec![app],
        hands: Vec::new(),
        max_unavailable: 1,
        is_settled: true,
    }
}

fn inventory() -> Inventory {
    Inventory {
        abilities: Abilities { in_place: true, admission_policy: true },
        workloads: [(id("web"), workload("web", "512Mi", "1Gi"))].into(),
        ..Inventory::default()
    }
}

fn wanted(name: &str, request: &str, limit: &str, floor_mib: u64) -> Recommended {
    Recommended {
        workload: id(name),
        container: "app".into(),
        request: amount(request).expect("a request"),
        limit: amount(limit),
        floor_bytes: floor_mib << 20,
        evidence: "weekly peak of 180 MiB".into(),
    }
}

fn planned(inventory: &Inventory, recommended: &[Recommended], way: Option<Way>) -> Plan {
    let (id, parent, budget) = ("p2".into(), Some("p1".into()), Budget::default());
    plan(inventory, recommended, &Settings { id, parent, made_ms: 2, evidence_ms: 1, way, budget })
}

#[test]
fn what_changes_says_how_and_why_and_what_was() {
    let plan = planned(&inventory(), &[wanted("web", "200Mi", "256Mi", 180)], None);
    let change = &plan.changes[0];
    let one = &change.containers[0];
    assert_eq!((change.way, change.generation, change.replicas), (Way::InPlace, 3, 2));
    assert_eq!((one.before.limit.clone(), one.after.limit.clone()), (amount("1Gi"), amount("256Mi")));
    assert_eq!((one.evidence.as_str(), one.floor_bytes), ("weekly peak of 180 MiB", 180 << 20));
    assert_eq!((plan.totals.request_before_bytes, plan.totals.request_after_bytes), (1 << 30, 400 << 20));
    assert!(change.warnings[0].contains("GOMEMLIMIT=400MiB"), "{:?}", change.warnings);
    assert_eq!((plan.parent.as_deref(), plan.left_alone.is_empty()), (Some("p1"), true));
}

#[test]
fn a_limit_stays_above_what_is_needed() {
    let plan = planned(&inventory(), &[wanted("web", "100Mi", "128Mi", 180)], None);
    let limit = plan.changes[0].containers[0].after.limit_bytes();
    assert!(limit >= Some(180 << 20), "{limit:?}");
}

#[test]
fn where_the_server_cannot_the_template_changes() {
    let mut inventory = inventory();
    inventory.abilities.admission_policy = false;
    let plan = planned(&inventory, &[wanted("web", "200Mi", "256Mi", 180)], Some(Way::InPlace));
    assert_eq!(plan.changes[0].way, Way::Rollout);
    assert!(plan.changes[0].warnings[0].contains("cannot size pods in place"));
}

#[test]
fn each_reason_to_leave_it_alone() {
    let check =
        |what: &str, there: &dyn Fn(&mut Inventory), way: Option<Way>, expect: LeftAloneCode, says: &str| {
            let mut inventory = inventory();
            there(&mut inventory);
            let plan = planned(&inventory, &[wanted("web", "600Mi", "1200Mi", 180)], way);
            let left: Vec<_> = plan.left_alone.iter().map(|left| (left.code, left.reason.as_str())).collect();
            assert!(plan.changes.is_empty(), "{what}: {:?}", plan.changes);
            assert!(
                left.iter().any(|(code, reason)| *code == expect && reason.contains(says)),
                "{what}: {left:?}"
            );
        };
    let hand = |hand: Hand| {
        move |inventory: &mut Inventory| {
            inventory.workloads.values_mut().for_each(|workload| workload.hands.push(hand.clone()));
        }
    };
    let (rollout, either) = (Some(Way::Rollout), None);
    check("hpa", &hand(Hand::MemoryAutoscaler("h".into())), either, LeftAloneCode::MemoryAutoscaler, "'h'");
    check(
        "vpa",
        &hand(Hand::VerticalAutoscaler("v".into())),
        either,
        LeftAloneCode::VerticalAutoscaler,
        "Off",
    );
    check(
        "flux",
        &hand(Hand::Source("Flux (shop)".into())),
        rollout,
        LeftAloneCode::SourceElsewhere,
        "Flux (shop)",
    );
    check("swap", &hand(Hand::Swap("one".into())), either, LeftAloneCode::Swap, "rollout");
    check(
        "unsettled",
        &|inventory| inventory.workloads.values_mut().for_each(|workload| workload.is_settled = false),
        either,
        LeftAloneCode::Unsettled,
        "under way",
    );
    check(
        "quota",
        &|inventory| {
            let requests = Some((1100 << 20, 1024 << 20));
            inventory.quotas.push(Quota {
                namespace: "shop".into(),
                name: "q".into(),
                requests,
                limits: None,
            });
        },
        either,
        LeftAloneCode::Quota,
        "'q'",
    );
    check(
        "limit range",
        &|inventory| {
            let max_bytes = Some(100 << 20);
            let (namespace, name) = ("shop".into(), "r".into());
            inventory.limit_ranges.push(LimitRange { namespace, name, max_bytes, ..LimitRange::default() });
        },
        either,
        LeftAloneCode::LimitRange,
        "'r'",
    );
    check(
        "gone",
        &|inventory| inventory.workloads.clear(),
        either,
        LeftAloneCode::NotThere,
        "no such workload",
    );
}

#[test]
fn right_as_it_is_or_unknown() {
    let mut inventory = inventory();
    inventory.workloads.insert(id("api"), workload("api", "512Mi", "1Gi"));
    let plan = planned(&inventory, &[wanted("web", "500Mi", "1010Mi", 180)], None);
    let codes: Vec<LeftAloneCode> = plan.left_alone.iter().map(|left| left.code).collect();
    assert_eq!(codes, [LeftAloneCode::TooLittleHistory, LeftAloneCode::RightAsIs]);
    assert!(plan.changes.is_empty());
}
