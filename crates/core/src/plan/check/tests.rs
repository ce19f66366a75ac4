//! Every field of a good plan, changed one at a time, has to be caught.

use super::*;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Abilities, Kind, LimitRange, Quota};
use crate::plan::Budget;

const DAY_MS: i64 = 86_400_000;

fn sizes(request: &str, limit: &str) -> Sizes {
    let of = |text: &str| Quantity::try_from(text.to_string()).ok();
    Sizes { request: of(request), limit: of(limit) }
}

fn id() -> WorkloadId {
    WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: "web".into() }
}

fn inventory() -> Inventory {
    let container = |name: &str, sizes: Sizes| Container {
        name: name.into(),
        sizes,
        cpu: (Some("1".into()), Some("1".into())),
        restarts_on_resize: false,
        fixed_bounds: Vec::new(),
    };
    let workload = Workload {
        id: id(),
        uid: "u".into(),
        generation: 7,
        replicas: 3,
        containers: vec![container("app", sizes("512Mi", "1Gi")), container("proxy", sizes("64Mi", ""))],
        hands: Vec::new(),
        max_unavailable: 1,
        is_settled: true,
    };
    Inventory {
        abilities: Abilities { in_place: true, admission_policy: true },
        workloads: [(id(), workload)].into(),
        ..Inventory::default()
    }
}

fn plan() -> Plan {
    let app = ContainerChange {
        name: "app".into(),
        before: sizes("512Mi", "1Gi"),
        after: sizes("256Mi", "600Mi"),
        floor_bytes: 500 << 20,
        evidence: "a peak".into(),
    };
    let change = Change {
        workload: id(),
        uid: "u".into(),
        generation: 7,
        way: Way::InPlace,
        replicas: 3,
        containers: vec![app],
        warnings: Vec::new(),
    };
    let mut plan = Plan {
        schema: SCHEMA.into(),
        id: "p".into(),
        parent: None,
        made_ms: 2000,
        evidence_ms: 1000,
        changes: vec![change],
        left_alone: Vec::new(),
        totals: Totals::default(),
        budget: Budget::default(),
    };
    plan.totals = totals(&plan);
    plan
}

fn codes(plan: &Plan, inventory: &Inventory) -> Vec<FaultCode> {
    let faults = check(plan, inventory, DAY_MS, 5000).err().unwrap_or_default();
    let codes: BTreeSet<FaultCode> = faults.iter().map(|fault| fault.code).collect();
    codes.into_iter().collect()
}

#[test]
fn a_good_plan_passes() {
    assert_eq!(codes(&plan(), &inventory()), []);
    assert_eq!(plan().totals.request_before_bytes, (3 * 512) << 20);
}

#[test]
fn whatever_is_wrong_with_a_plan_is_caught() {
    let check = |what: &str, wrong: &dyn Fn(&mut Plan), expect: &[FaultCode]| {
        let mut plan = plan();
        wrong(&mut plan);
        let seen = codes(&plan, &inventory());
        assert!(expect.iter().all(|code| seen.contains(code)), "{what}: {seen:?}");
    };
    let app = |change: &dyn Fn(&mut ContainerChange), plan: &mut Plan| {
        change(&mut plan.changes[0].containers[0]);
        plan.totals = totals(plan);
    };
    check("schema", &|plan| plan.schema = "plimsoll.plan/2".into(), &[FaultCode::Schema]);
    check("old", &|plan| plan.evidence_ms = -DAY_MS, &[FaultCode::Age]);
    check("yet to come", &|plan| plan.evidence_ms = 3000, &[FaultCode::Age]);
    check("a clock far off", &|plan| plan.made_ms = 3 * DAY_MS, &[FaultCode::Age]);
    check("totals", &|plan| plan.totals.limit_after_bytes += 1, &[FaultCode::Totals]);
    check("other name", &|plan| plan.changes[0].workload.name = "api".into(), &[FaultCode::Precondition]);
    check("other object", &|plan| plan.changes[0].uid = "v".into(), &[FaultCode::Precondition]);
    check("other generation", &|plan| plan.changes[0].generation = 8, &[FaultCode::Precondition]);
    check(
        "other replicas",
        &|plan| plan.changes[0].replicas = 4,
        &[FaultCode::Precondition, FaultCode::Totals],
    );
    check("twice", &|plan| plan.changes.push(plan.changes[0].clone()), &[FaultCode::Twice]);
    check("no containers", &|plan| plan.changes[0].containers.clear(), &[FaultCode::Container]);
    check("other container", &|plan| app(&|one| one.name = "db".into(), plan), &[FaultCode::Container]);
    check(
        "container twice",
        &|plan| {
            let one = plan.changes[0].containers[0].clone();
            plan.changes[0].containers.push(one);
        },
        &[FaultCode::Twice],
    );
    check("before", &|plan| app(&|one| one.before = sizes("513Mi", "1Gi"), plan), &[FaultCode::Inverse]);
    // The same number of bytes is not the same text.
    check("before", &|plan| app(&|one| one.before = sizes("512Mi", "1024Mi"), plan), &[FaultCode::Inverse]);
    check("nothing", &|plan| app(&|one| one.after = sizes("512Mi", "1024Mi"), plan), &[FaultCode::Container]);
    check("below need", &|plan| app(&|one| one.after = sizes("256Mi", "499Mi"), plan), &[FaultCode::Size]);
    check("floor", &|plan| app(&|one| one.floor_bytes = 601 << 20, plan), &[FaultCode::Size]);
    check("request", &|plan| app(&|one| one.after = sizes("601Mi", "600Mi"), plan), &[FaultCode::Size]);
    check("no limit", &|plan| app(&|one| one.after = sizes("256Mi", ""), plan), &[FaultCode::Size]);
    check(
        "a first limit in place",
        &|plan| {
            app(
                &|one| {
                    (one.name, one.before, one.after) =
                        ("proxy".into(), sizes("64Mi", ""), sizes("64Mi", "600Mi"))
                },
                plan,
            )
        },
        &[FaultCode::Way],
    );
}

#[test]
fn whatever_is_in_the_way_is_seen() {
    let check = |what: &str, there: &dyn Fn(&mut Inventory), expect: &[FaultCode]| {
        let mut inventory = inventory();
        there(&mut inventory);
        assert_eq!(codes(&plan(), &inventory), expect, "{what}");
    };
    let web = |change: &dyn Fn(&mut Workload), inventory: &mut Inventory| {
        inventory.workloads.values_mut().for_each(change);
    };
    let hand = |hand: Hand| {
        move |inventory: &mut Inventory| {
            inventory.workloads.values_mut().for_each(|workload| workload.hands.push(hand.clone()));
        }
    };
    check("autoscaler", &hand(Hand::MemoryAutoscaler("web".into())), &[FaultCode::Hand]);
    check("vertical", &hand(Hand::VerticalAutoscaler("web".into())), &[FaultCode::Hand]);
    check("swap", &hand(Hand::Swap("one".into())), &[FaultCode::Hand]);
    check("pinned only where guaranteed", &hand(Hand::StaticManager("one".into())), &[]);
    check("in place nothing of a source's changes", &hand(Hand::Source("Flux".into())), &[]);
    check("no resize", &|inventory| inventory.abilities.in_place = false, &[FaultCode::Way]);
    check("no admission", &|inventory| inventory.abilities.admission_policy = false, &[FaultCode::Way]);
    check("gone", &|inventory| inventory.workloads.clear(), &[FaultCode::Precondition]);
    let guaranteed = |workload: &mut Workload| {
        workload.containers.truncate(1);
        workload.containers[0].sizes = sizes("1Gi", "1Gi");
    };
    check("class", &|inventory| web(&guaranteed, inventory), &[FaultCode::Inverse, FaultCode::Class]);
    let range = LimitRange { namespace: "shop".into(), name: "r".into(), ..LimitRange::default() };
    let ranged =
        |range: LimitRange| move |inventory: &mut Inventory| inventory.limit_ranges.push(range.clone());
    check("least", &ranged(LimitRange { min_bytes: Some(300 << 20), ..range.clone() }), &[FaultCode::Bounds]);
    check("most", &ranged(LimitRange { max_bytes: Some(599 << 20), ..range.clone() }), &[FaultCode::Bounds]);
    check("ratio", &ranged(LimitRange { max_ratio: Some(2.0), ..range.clone() }), &[FaultCode::Bounds]);
    check("allowed", &ranged(LimitRange { max_ratio: Some(3.0), ..range }), &[]);
}

#[test]
fn quotas_hold_for_the_plan_as_a_whole() {
    let check = |after: Sizes, way: Way, hard_mib: u64, expect: &[FaultCode]| {
        let mut inventory = inventory();
        let requests = Some((hard_mib << 20, 1600 << 20));
        let quota = Quota { namespace: "shop".into(), name: "q".into(), requests, limits: None };
        inventory.quotas.push(quota);
        let mut plan = plan();
        (plan.changes[0].containers[0].after, plan.changes[0].way) = (after, way);
        plan.totals = totals(&plan);
        assert_eq!(codes(&plan, &inventory), expect, "{way:?} {hard_mib}");
    };
    // Three pods of 100 MiB more.
    check(sizes("612Mi", "1Gi"), Way::InPlace, 1900, &[]);
    check(sizes("612Mi", "1Gi"), Way::InPlace, 1899, &[FaultCode::Bounds]);
    check(sizes("612Mi", "1Gi"), Way::Rollout, 1999, &[FaultCode::Bounds]);
    check(sizes("612Mi", "1Gi"), Way::Rollout, 2000, &[]);
    check(sizes("412Mi", "1Gi"), Way::InPlace, 1000, &[]);
}
