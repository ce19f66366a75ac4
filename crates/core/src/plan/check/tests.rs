//! A good plan, and every way to spoil it: whatever field of it is changed, the judge says so.

use super::FaultCode::{self, *};
use super::check;
use crate::inventory::{self, Container, Inventory, Workload};
use crate::plan::fixtures::*;
use crate::plan::planner::{Settings, plan};
use crate::plan::{Plan, Recommended, Way};

const AGE_LIMIT_MS: i64 = 120_000;
const NOW_MS: i64 = MADE_MS + 10_000;

/// Kept by a source, restarted by a resize, bounded by a variable; beside it one that gains, which has too little history.
fn good() -> (Plan, Inventory) {
    let app = Container {
        restarts_on_resize: true,
        fixed_bounds: vec!["GOMEMLIMIT=400MiB".into()],
        ..with_cpu("app", "256Mi", "512Mi")
    };
    let web =
        Workload { hands: vec![inventory::Hand::Source("argo".into())], ..workload("web", 2, vec![app]) };
    let more = workload("more", 1, vec![container("app", "64Mi", "128Mi"), container("log", "32Mi", "")]);
    let mut inventory = inventory([web.clone(), more.clone()]);
    for (name, workload) in [("web-1", &web), ("web-2", &web), ("more-1", &more)] {
        inventory.pods.insert(("shop".into(), name.into()), pod(workload, Some(100 << 20)));
    }
    inventory.quotas = vec![quota(Some((700, 608)), Some((1400, 1152)))];
    inventory.limit_ranges = vec![limit_range(Some(32), Some(400), Some(4.0))];
    let recommended = [recommended("web", "128Mi", "256Mi", 200), recommended("more", "80Mi", "192Mi", 150)];
    let plan = plan(&inventory, &recommended, &settings());
    assert_eq!((plan.changes.len(), plan.left_alone.len()), (2, 1), "{plan:#?}");
    (plan, inventory)
}

fn codes(plan: &Plan, inventory: &Inventory, now_ms: i64) -> Vec<FaultCode> {
    let faults = check(plan, inventory, AGE_LIMIT_MS, now_ms).err().unwrap_or_default();
    assert!(faults.iter().all(|fault| !fault.words.is_empty()));
    faults.into_iter().map(|fault| fault.code).collect()
}

#[test]
fn a_good_plan_is_good_until_it_is_old() {
    let (plan, inventory) = good();
    let check = |now_ms, expect: &[FaultCode]| assert_eq!(codes(&plan, &inventory, now_ms), expect);
    check(MADE_MS, &[]);
    check(EVIDENCE_MS + AGE_LIMIT_MS, &[]);
    check(EVIDENCE_MS + AGE_LIMIT_MS + 1, &[EvidenceAge]);
    check(MADE_MS - 1, &[Times]);
    let nothing = Plan { changes: vec![], left_alone: vec![], totals: Default::default(), ..plan.clone() };
    assert_eq!(codes(&nothing, &Inventory::default(), NOW_MS), []);
}

#[test]
fn every_field_that_is_spoiled_is_found() {
    let check = |field: &str, expect: FaultCode, spoil: &dyn Fn(&mut Plan)| {
        let (mut plan, inventory) = good();
        spoil(&mut plan);
        let found = codes(&plan, &inventory, NOW_MS);
        assert!(found.contains(&expect), "{field}: {found:?}");
    };
    // `more` grows and is first, `web` shrinks.
    check("schema", Schema, &|plan| plan.schema.push('0'));
    check("id", Name, &|plan| plan.id.clear());
    check("parent", Name, &|plan| plan.parent = Some(plan.id.clone()));
    check("made_ms", Times, &|plan| plan.made_ms = NOW_MS + 1);
    check("evidence_ms, past", EvidenceAge, &|plan| plan.evidence_ms = i64::MIN);
    check("evidence_ms, future", Times, &|plan| plan.evidence_ms = i64::MAX);
    check("workload", NotThere, &|plan| plan.changes[0].workload = id("gone"));
    check("workload, another", Outdated, &|plan| plan.changes[0].workload = id("web"));
    check("workload, again", Twice, &|plan| plan.changes.push(plan.changes[0].clone()));
    check("uid", Outdated, &|plan| plan.changes[0].uid.push('x'));
    check("generation", Outdated, &|plan| plan.changes[0].generation += 1);
    check("way", Hand, &|plan| plan.changes[1].way = Way::Rollout);
    check("replicas", Replicas, &|plan| plan.changes[1].replicas = 3);
    check("containers", Empty, &|plan| plan.changes[0].containers.clear());
    check("warnings", Unexplained, &|plan| plan.changes[1].warnings.clear());
    check("warnings, restart", Unexplained, &|plan| {
        plan.changes[1].warnings.retain(|words| !words.contains("resizePolicy"));
    });
    check("warnings, bound", Unexplained, &|plan| {
        plan.changes[1].warnings.retain(|words| !words.contains("GOMEMLIMIT"));
    });
    check("name", NotThere, &|plan| plan.changes[0].containers[0].name = "gone".into());
    check("name, of what is left alone", Twice, &|plan| plan.changes[0].containers[0].name = "log".into());
    check("name, again", Twice, &|plan| {
        let again = plan.changes[0].containers[0].clone();
        plan.changes[0].containers.push(again);
    });
    check("evidence", Unexplained, &|plan| plan.changes[0].containers[0].evidence.clear());
    check("floor_bytes, down", FloorTooLow, &|plan| plan.changes[1].containers[0].floor_bytes = 0);
    check("floor_bytes, up", BelowFloor, &|plan| plan.changes[1].containers[0].floor_bytes = 257 << 20);
    // The same bytes, but not what would be put back.
    check("before.request", BeforeDiffers, &|plan| {
        plan.changes[1].containers[0].before = sizes("262144Ki", "512Mi");
    });
    check("before.limit", BeforeDiffers, &|plan| {
        plan.changes[1].containers[0].before = sizes("256Mi", "");
    });
    let after = |field: &str, expect: FaultCode, at: usize, request: &str, limit: &str| {
        check(field, expect, &|plan| plan.changes[at].containers[0].after = sizes(request, limit));
    };
    after("after, small", BelowFloor, 1, "128Mi", "199Mi");
    check("after, no bytes at all", BelowFloor, &|plan| {
        let web = &mut plan.changes[1].containers[0];
        (web.floor_bytes, web.after) = (0, sizes("0", "0"));
    });
    after("after, the same", Empty, 1, "262144Ki", "512Mi");
    after("after, request above limit", RequestAboveLimit, 1, "257Mi", "256Mi");
    after("after, request gone", NoWayBack, 1, "", "256Mi");
    after("after, limit gone", NoWayBack, 1, "128Mi", "");
    after("after, another class", ClassWouldChange, 1, "256Mi", "256Mi");
    after("after, too little for the range", LimitRange, 0, "31Mi", "100Mi");
    after("after, too much for the range", LimitRange, 0, "128Mi", "401Mi");
    after("after, too far apart for the range", LimitRange, 0, "32Mi", "129Mi");
    after("after, requests too much", Quota, 0, "157Mi", "192Mi");
    after("after, limits too high", Quota, 0, "80Mi", "377Mi");
    after("after, a byte more", Totals, 0, "80Mi", "201326593");
    check("left_alone", Twice, &|plan| plan.left_alone[0].container = None);
    check("left_alone.workload", Twice, &|plan| {
        plan.left_alone[0].workload = id("web");
        plan.left_alone[0].container = Some("app".into());
    });
    check("reason", Unexplained, &|plan| plan.left_alone[0].reason.clear());
    check("request_before_bytes", Totals, &|plan| plan.totals.request_before_bytes += 1);
    check("request_after_bytes", Totals, &|plan| plan.totals.request_after_bytes += 1);
    check("limit_before_bytes", Totals, &|plan| plan.totals.limit_before_bytes += 1);
    check("limit_after_bytes", Totals, &|plan| plan.totals.limit_after_bytes -= 1);
    check("canary_pods", Budget, &|plan| plan.budget.canary_pods = 0);
    check("resizes_at_once", Budget, &|plan| plan.budget.resizes_at_once = 0);
    check("mib_per_minute", Budget, &|plan| plan.budget.mib_per_minute = 0);
    check("shrink_step_percent", Budget, &|plan| plan.budget.shrink_step_percent = 101);
    check("watch_ms", Budget, &|plan| plan.budget.watch_ms = -1);
    check("patience_ms", Budget, &|plan| plan.budget.patience_ms = 0);
}

#[test]
fn a_cluster_that_has_changed_is_found() {
    let check = |expect: FaultCode, change: &dyn Fn(&mut Inventory)| {
        let (plan, mut inventory) = good();
        change(&mut inventory);
        let found = codes(&plan, &inventory, NOW_MS);
        assert!(found.contains(&expect), "{expect:?}: {found:?}");
    };
    let with = |expect, change: &dyn Fn(&mut Workload)| {
        check(expect, &|inventory| change(inventory.workloads.get_mut(&id("web")).expect("it is there")));
    };
    check(NotAble, &|inventory| inventory.abilities.in_place = false);
    check(NotAble, &|inventory| inventory.abilities.admission_policy = false);
    check(NotThere, &|inventory| drop(inventory.workloads.remove(&id("web"))));
    check(Quota, &|inventory| inventory.quotas[0].limits = Some((1152, 1152)));
    check(FaultCode::LimitRange, &|inventory| inventory.limit_ranges[0].max_bytes = Some(1));
    check(FloorTooLow, &|inventory| {
        inventory.pods.values_mut().for_each(|pod| pod.containers[0].used_bytes = Some(201 << 20));
    });
    with(Outdated, &|web| web.uid.push('2'));
    with(Outdated, &|web| web.generation += 1);
    with(Replicas, &|web| web.replicas += 1);
    with(Unsettled, &|web| web.is_settled = false);
    with(NotThere, &|web| web.containers[0].name = "other".into());
    with(BeforeDiffers, &|web| web.containers[0].sizes = sizes("0.25Gi", "512Mi"));
    with(FaultCode::Hand, &|web| web.hands = vec![by_memory("h", 80)]);
    with(FaultCode::Hand, &|web| web.hands = vec![inventory::Hand::VerticalAutoscaler("v".into())]);
    with(FaultCode::Hand, &|web| web.hands = vec![inventory::Hand::MemoryPolicy("p".into())]);
    with(FaultCode::Hand, &|web| web.hands = vec![inventory::Hand::Swap("n".into())]);
}

#[test]
fn what_a_running_pod_is_given_stays() {
    let check = |request: &str, limit: &str, way, expect: &[FaultCode]| {
        let app = Container { cpu: (Some("1".into()), None), ..container("app", request, limit) };
        let inventory = inventory([workload("web", 1, vec![app])]);
        let rollout = Settings { way: Some(Way::Rollout), ..settings() };
        let one: Recommended = recommended("web", "128Mi", "256Mi", 0);
        let mut plan = plan(&inventory, &[one], &rollout);
        plan.changes[0].way = way;
        assert_eq!(codes(&plan, &inventory, NOW_MS), expect, "{request} {limit}");
    };
    check("", "", Way::Rollout, &[]);
    check("", "", Way::InPlace, &[NoWayBack]);
    check("64Mi", "", Way::Rollout, &[]);
    check("64Mi", "", Way::InPlace, &[NoWayBack]);
    check("", "512Mi", Way::InPlace, &[]);
}

#[test]
fn order_matters_to_a_quota() {
    let size = || vec![container("app", "100Mi", "200Mi")];
    let mut inventory = inventory([workload("less", 1, size()), workload("more", 1, size())]);
    inventory.quotas = vec![quota(None, Some((400, 400)))];
    let both = [recommended("less", "100Mi", "100Mi", 0), recommended("more", "100Mi", "300Mi", 0)];
    let mut plan = plan(&inventory, &both, &settings());
    assert_eq!((plan.changes.len(), codes(&plan, &inventory, NOW_MS)), (2, vec![]));
    plan.changes.reverse();
    assert_eq!(codes(&plan, &inventory, NOW_MS), [Quota]);
}

#[test]
fn a_rollout_of_a_deployment_needs_room_for_one_more_pod() {
    let check = |most_mib, expect: &[FaultCode]| {
        let mut inventory = inventory([workload("web", 2, vec![container("app", "100Mi", "200Mi")])]);
        let rollout = Settings { way: Some(Way::Rollout), ..settings() };
        let plan = plan(&inventory, &[recommended("web", "100Mi", "300Mi", 0)], &rollout);
        inventory.quotas = vec![quota(None, Some((most_mib, 400)))];
        assert_eq!(codes(&plan, &inventory, NOW_MS), expect);
    };
    check(900, &[]);
    check(899, &[Quota]);
}
