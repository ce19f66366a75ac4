//! What holds for every plan, whatever runs and whatever is recommended.

use super::check::check;
use super::fixtures::{EVIDENCE_MS, MADE_MS, by_memory, settings, sized};
use super::planner::{Settings, plan};
use super::{Change, Recommended, Way};
use crate::inventory::qos::class;
use crate::inventory::quantity::Quantity;
use crate::inventory::{
    Abilities, Container, Hand, Inventory, Kind, LimitRange, Pod, Quota, Running, Sizes, Workload, WorkloadId,
};
use crate::size::MIB;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const NAMESPACES: [&str; 2] = ["shop", "infra"];

/// Amounts that meet at the same places often, written in several ways.
fn size() -> impl Strategy<Value = Quantity> {
    let bytes = prop_oneof![
        8 => (1u64..40).prop_map(|step| step * 16 * MIB),
        2 => 0..2048 * MIB,
        1 => Just(0),
        1 => Just(9_000_000_000_000_000_000),
    ];
    (bytes, any::<bool>()).prop_map(|(bytes, plain)| {
        let text = if plain { bytes.to_string() } else { Quantity::of_bytes(bytes).to_string() };
        Quantity::try_from(text).expect("an amount")
    })
}

/// As a server lets them be: no request is above its limit.
fn sizes() -> impl Strategy<Value = Sizes> {
    (option::of(size()), option::weighted(0.8, size()), 0..4).prop_map(|(request, limit, same)| {
        let above = request
            .as_ref()
            .zip(limit.as_ref())
            .is_some_and(|(request, limit)| request.bytes() > limit.bytes() || same == 0);
        Sizes { request: if above { limit.clone() } else { request }, limit }
    })
}

fn container() -> impl Strategy<Value = Container> {
    let cpu = prop_oneof![
        3 => Just((Some("1".to_string()), Some("1".to_string()))),
        1 => Just((None, None)),
        1 => Just((Some("100m".to_string()), None)),
    ];
    let bounds = vec(Just("GOMEMLIMIT=400MiB".to_string()), 0..2);
    (sizes(), cpu, any::<bool>(), bounds).prop_map(|(sizes, cpu, restarts_on_resize, fixed_bounds)| {
        Container { name: String::new(), sizes, cpu, restarts_on_resize, fixed_bounds }
    })
}

fn workload() -> impl Strategy<Value = Workload> {
    let hand = prop_oneof![
        (1u32..200).prop_map(|percent| by_memory("hpa", percent)),
        Just(Hand::VerticalAutoscaler("vpa".into())),
        Just(Hand::MemoryPolicy("policy".into())),
        Just(Hand::Source("argo".into())),
        Just(Hand::StaticManager("node".into())),
        Just(Hand::Swap("node".into())),
    ];
    let kind = prop_oneof![Just(Kind::Deployment), Just(Kind::StatefulSet), Just(Kind::DaemonSet)];
    let hands = prop_oneof![3 => Just(Vec::new()), 1 => vec(hand, 1..3)];
    let settled = prop::bool::weighted(0.9);
    (0usize..2, kind, 0u32..5, vec(container(), 1..4), hands, settled).prop_map(
        |(namespace, kind, replicas, mut containers, hands, is_settled)| {
            for (at, container) in containers.iter_mut().enumerate() {
                container.name = format!("c{at}");
            }
            let id = WorkloadId { namespace: NAMESPACES[namespace].into(), kind, name: String::new() };
            let uid = "uid".to_string();
            let max_unavailable = 1;
            let (generation, template_hash) = (1, 7);
            Workload {
                id,
                uid,
                generation,
                template_hash,
                replicas,
                containers,
                hands,
                max_unavailable,
                is_settled,
            }
        },
    )
}

/// Its pods, if they are known: what they use, and whether an earlier plan has sized them otherwise than their template.
fn pods(workload: &Workload, used_bytes: Option<u64>, resized: Option<&Sizes>) -> Vec<Pod> {
    let running = |container: &Container| Running {
        name: container.name.clone(),
        desired: resized.unwrap_or(&container.sizes).clone(),
        actual: None,
        restarts: 0,
        is_running: true,
        oom_kills: Vec::new(),
        used_bytes,
        pressure: None,
    };
    let pod = Pod {
        workload: Some(workload.id.clone()),
        uid: "pod".into(),
        node: None,
        is_ready: true,
        is_leaving: false,
        containers: workload.containers.iter().map(running).collect(),
        resize: None,
    };
    vec![pod; workload.replicas as usize]
}

fn limit_range() -> impl Strategy<Value = LimitRange> {
    let bytes = || option::of((1u64..30).prop_map(|step| step * 16 * MIB));
    let ratio = option::of(prop_oneof![Just(1.0), Just(1.1), 1.0..4.0f64]);
    (0usize..2, bytes(), bytes(), ratio).prop_map(|(namespace, min_bytes, max_bytes, max_ratio)| LimitRange {
        namespace: NAMESPACES[namespace].into(),
        name: "range".into(),
        min_bytes,
        max_bytes,
        max_ratio,
    })
}

fn quota() -> impl Strategy<Value = Quota> {
    let bound = || option::of((0..4096 * MIB, 0..4096 * MIB));
    (0usize..2, bound(), bound()).prop_map(|(namespace, requests, limits)| Quota {
        namespace: NAMESPACES[namespace].into(),
        name: "quota".into(),
        requests,
        limits,
    })
}

/// A recommendation for the container of this number of the workload of this number, if there are such.
type Advice = (usize, usize, Quantity, Option<Quantity>, u64);

fn advice() -> impl Strategy<Value = Advice> {
    (0usize..6, 0usize..3, size(), option::weighted(0.8, size()), 0..500 * MIB)
}

fn recommended(inventory: &Inventory, advice: Vec<Advice>) -> Vec<Recommended> {
    let gone = WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: "gone".into() };
    let recommended = |(at, container, request, limit, floor_bytes): Advice| Recommended {
        workload: inventory.workloads.keys().nth(at).unwrap_or(&gone).clone(),
        container: format!("c{container}"),
        request,
        limit,
        floor_bytes,
        evidence: "read".into(),
    };
    advice.into_iter().map(recommended).collect()
}

fn inventory() -> impl Strategy<Value = Inventory> {
    let known = (any::<bool>(), option::of(0..600 * MIB), option::weighted(0.2, sizes()));
    let abilities = (prop::bool::weighted(0.8), prop::bool::weighted(0.8));
    let workloads = vec((workload(), known), 0..6);
    (abilities, workloads, vec(limit_range(), 0..3), vec(quota(), 0..3)).prop_map(
        |((in_place, admission_policy), workloads, limit_ranges, quotas)| {
            let abilities = Abilities { in_place, admission_policy };
            let mut inventory = Inventory { abilities, limit_ranges, quotas, ..Inventory::default() };
            for (at, (mut workload, (is_known, used_bytes, resized))) in workloads.into_iter().enumerate() {
                workload.id.name = format!("w{at}");
                let pods = pods(&workload, used_bytes, resized.as_ref());
                let named =
                    pods.into_iter().enumerate().filter(|_| is_known).map(|(number, pod)| {
                        ((workload.id.namespace.clone(), format!("w{at}-{number}")), pod)
                    });
                inventory.pods.extend(named);
                inventory.workloads.insert(workload.id.clone(), workload);
            }
            inventory
        },
    )
}

fn cases() -> impl Strategy<Value = (Inventory, Vec<Recommended>, Settings)> {
    let way = option::of(prop_oneof![Just(Way::InPlace), Just(Way::Rollout)]);
    (inventory(), vec(advice(), 0..16), way).prop_map(|(inventory, advice, way)| {
        let recommended = recommended(&inventory, advice);
        (inventory, recommended, Settings { way, ..settings() })
    })
}

fn class_of(workload: &Workload) -> crate::inventory::qos::Class {
    class(workload.containers.iter().map(|container| (container, &container.sizes)))
}

/// The sum of requests and that of limits of what runs in a namespace; by templates, where no pods are known.
fn sums(inventory: &Inventory, namespace: &str) -> [i128; 2] {
    let of_sizes =
        |sizes: &Sizes| [sizes.requested_bytes(), sizes.limit_bytes().unwrap_or(0)].map(i128::from);
    let mut all = [0, 0];
    for workload in inventory.workloads.values().filter(|workload| workload.id.namespace == namespace) {
        let pods = inventory.pods.values().filter(|pod| pod.workload.as_ref() == Some(&workload.id));
        let running: Vec<Sizes> =
            pods.flat_map(|pod| &pod.containers).map(|running| running.desired.clone()).collect();
        let template = workload.containers.iter().map(|container| container.sizes.clone());
        let by_template: Vec<Sizes> = (0..workload.replicas).flat_map(|_| template.clone()).collect();
        for sizes in if running.is_empty() { by_template } else { running } {
            let [requests, limits] = of_sizes(&sizes);
            all = [all[0] + requests, all[1] + limits];
        }
    }
    all
}

fn is_safe(inventory: &Inventory, change: &Change) -> bool {
    let workload = &inventory.workloads[&change.workload];
    change.containers.iter().all(|changed| {
        let was = workload.containers.iter().find(|container| container.name == changed.name);
        let limit = changed.after.limit_bytes();
        was.is_some_and(|was| was.sizes == changed.before)
            && limit.is_none_or(|limit| limit >= changed.floor_bytes)
            && limit.is_none_or(|limit| limit >= changed.after.requested_bytes())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_passes_its_judge((inventory, recommended, settings) in cases()) {
        let made = plan(&inventory, &recommended, &settings);
        prop_assert_eq!(check(&made, &inventory, MADE_MS - EVIDENCE_MS, MADE_MS), Ok(()), "{:#?}", made);
        prop_assert_eq!(&plan(&inventory, &recommended, &settings), &made);
    }

    #[test]
    fn sizes_are_safe_and_classes_stay((inventory, recommended, settings) in cases()) {
        let made = plan(&inventory, &recommended, &settings);
        prop_assert!(made.changes.iter().all(|change| is_safe(&inventory, change)), "{:#?}", made);
        let floors = recommended.iter().rev();
        for (change, changed) in made.changes.iter().flat_map(|it| it.containers.iter().map(move |one| (it, one))) {
            let of_it = |one: &&Recommended| one.workload == change.workload && one.container == changed.name;
            let floor_bytes = floors.clone().find(of_it).map(|one| one.floor_bytes);
            prop_assert!(floor_bytes.is_some_and(|floor| floor <= changed.floor_bytes));
        }
        let after = sized(&inventory, &made, false);
        for (id, workload) in &inventory.workloads {
            prop_assert_eq!(class_of(workload), class_of(&after.workloads[id]));
        }
    }

    #[test]
    fn quotas_hold_after_each_change((inventory, recommended, settings) in cases()) {
        let made = plan(&inventory, &recommended, &settings);
        for quota in &inventory.quotas {
            let at_first = sums(&inventory, &quota.namespace);
            for until in 1..=made.changes.len() {
                let part = |until: usize| {
                    let some = super::Plan { changes: made.changes[..until].to_vec(), ..made.clone() };
                    sums(&sized(&inventory, &some, false), &quota.namespace)
                };
                let (before, after) = (part(until - 1), part(until));
                for (at, bound) in [quota.requests, quota.limits].into_iter().enumerate() {
                    let Some((most, used)) = bound else { continue };
                    let sum = i128::from(used) + after[at] - at_first[at];
                    prop_assert!(after[at] <= before[at] || sum <= i128::from(most), "{:#?}", made);
                }
            }
        }
    }

    #[test]
    fn a_plan_that_is_undone_leaves_no_trace((inventory, recommended, settings) in cases()) {
        let made = plan(&inventory, &recommended, &settings);
        let undone = sized(&sized(&inventory, &made, false), &made, true);
        prop_assert_eq!(undone.workloads, inventory.workloads);
    }

    #[test]
    fn a_plan_that_is_read_back_says_the_same((inventory, recommended, settings) in cases()) {
        let made = plan(&inventory, &recommended, &settings);
        let text = serde_json::to_string(&made).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<super::Plan>(&text).expect("a plan"), made);
    }

    #[test]
    fn everything_is_changed_or_left_alone((inventory, recommended, settings) in cases()) {
        let made = plan(&inventory, &recommended, &settings);
        for (id, workload) in &inventory.workloads {
            for container in &workload.containers {
                let named = |name: &str| name == container.name;
                let changed = made.changes.iter().filter(|change| change.workload == *id)
                    .any(|change| change.containers.iter().any(|one| named(&one.name)));
                let left = made.left_alone.iter().filter(|left| left.workload == *id)
                    .any(|left| left.container.as_deref().is_none_or(named));
                prop_assert!(changed != left, "{} {}: {:#?}", id, container.name, made);
            }
        }
    }
}

/// The properties would hold of plans that never change a thing.
#[test]
fn the_cases_have_much_to_change() {
    let mut runner = TestRunner::deterministic();
    let (mut changes, mut codes) = (0, std::collections::BTreeSet::new());
    for _ in 0..1000 {
        let (inventory, recommended, settings) = cases().new_tree(&mut runner).expect("a case").current();
        let made = plan(&inventory, &recommended, &settings);
        changes += made.changes.len();
        codes.extend(made.left_alone.iter().map(|left| format!("{:?}", left.code)));
    }
    assert!(changes > 500 && codes.len() == 14, "{changes} changes, left alone for {codes:?}");
}
