//! What must hold whatever runs and whatever is recommended.

use super::check::check;
use super::planner::{Settings, plan};
use super::{Budget, Plan, Recommended, Way};
use crate::inventory::quantity::Quantity;
use crate::inventory::{
    Abilities, Container, Hand, Inventory, Kind, LimitRange, Quota, Sizes, Workload, WorkloadId,
};
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

fn amount(mib: Option<u64>) -> Option<Quantity> {
    mib.map(|mib| Quantity::of_bytes(mib * MIB))
}

fn container() -> impl Strategy<Value = Container> {
    let sizes = (prop::option::of(1u64..2000), prop::option::of(0u64..2000));
    let cpu = prop::sample::select(vec![(None, None), (Some("1"), None), (Some("1"), Some("1"))]);
    (sizes, cpu).prop_map(|((request, more), (cpu, most))| {
        let limit = more.map(|more| request.unwrap_or(1) + more);
        Container {
            name: String::new(),
            sizes: Sizes { request: amount(request), limit: amount(limit) },
            cpu: (cpu.map(String::from), most.map(String::from)),
            restarts_on_resize: false,
            fixed_bounds: Vec::new(),
        }
    })
}

fn workload() -> impl Strategy<Value = Workload> {
    let hand = prop::sample::select(vec![
        None,
        None,
        None,
        Some(Hand::MemoryAutoscaler("h".into())),
        Some(Hand::VerticalAutoscaler("v".into())),
        Some(Hand::Source("s".into())),
        Some(Hand::StaticManager("n".into())),
        Some(Hand::Swap("n".into())),
    ]);
    let containers = prop::collection::vec(container(), 1..3);
    (containers, 0u32..5, hand, prop::bool::weighted(0.9)).prop_map(
        |(mut containers, replicas, hand, is_settled)| {
            for (number, container) in containers.iter_mut().enumerate() {
                container.name = format!("c{number}");
            }
            let id = WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: String::new() };
            let (uid, generation, max_unavailable) = ("u".into(), 1, 1);
            let hands = hand.into_iter().collect();
            Workload { id, uid, generation, replicas, containers, hands, max_unavailable, is_settled }
        },
    )
}

fn inventory() -> impl Strategy<Value = Inventory> {
    let bounds = (prop::option::of(1u64..300), prop::option::of(300u64..3000), prop::option::of(1.0f64..4.0));
    let quota = prop::option::of((0u64..20_000, 0u64..20_000));
    (prop::collection::vec(workload(), 1..5), bounds, quota, any::<bool>()).prop_map(
        |(workloads, (min, max, max_ratio), quota, can)| {
            let mut inventory = Inventory {
                abilities: Abilities { in_place: can, admission_policy: can },
                ..Inventory::default()
            };
            for (number, mut workload) in workloads.into_iter().enumerate() {
                workload.id.name = format!("w{number}");
                inventory.workloads.insert(workload.id.clone(), workload);
            }
            let bytes = |mib: Option<u64>| mib.map(|mib| mib * MIB);
            let (namespace, name) = ("shop".to_string(), "b".to_string());
            inventory.limit_ranges.push(LimitRange {
                namespace: namespace.clone(),
                name: name.clone(),
                min_bytes: bytes(min),
                max_bytes: bytes(max),
                max_ratio,
            });
            if let Some((hard, used)) = quota {
                let requests = Some((hard * MIB, used * MIB));
                inventory.quotas.push(Quota { namespace, name, requests, limits: requests });
            }
            inventory
        },
    )
}

fn recommended() -> impl Strategy<Value = Vec<Recommended>> {
    let one = (0u32..6, 0u32..3, 1u64..3000, prop::option::of(0u64..3000), 0u64..2000);
    let one = one.prop_map(|(workload, container, request, more, floor)| Recommended {
        workload: WorkloadId {
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: format!("w{workload}"),
        },
        container: format!("c{container}"),
        request: Quantity::of_bytes(request * MIB),
        limit: amount(more.map(|more| request + more)),
        floor_bytes: floor * MIB,
        evidence: "seen".into(),
    });
    prop::collection::vec(one, 0..12)
}

fn planned(inventory: &Inventory, recommended: &[Recommended], way: Option<Way>) -> Plan {
    let settings = Settings {
        id: "p".into(),
        parent: None,
        made_ms: 2000,
        evidence_ms: 1000,
        way,
        budget: Budget::default(),
    };
    plan(inventory, recommended, &settings)
}

proptest! {
    /// The check, which shares no code with the planner, has nothing against any of its plans.
    #[test]
    fn every_plan_passes_its_check(
        inventory in inventory(),
        recommended in recommended(),
        way in prop::sample::select(vec![None, Some(Way::InPlace), Some(Way::Rollout)]),
    ) {
        let plan = planned(&inventory, &recommended, way);
        prop_assert_eq!(check(&plan, &inventory, 10_000, 3000), Ok(()));
        // Each workload is accounted for, by a change or by why there is none.
        for id in inventory.workloads.keys() {
            let changes = plan.changes.iter().any(|change| change.workload == *id);
            prop_assert!(changes || plan.left_alone.iter().any(|left| left.workload == *id), "{}", id);
        }
    }

    /// What was planned and put back is what was, to the byte; the plan says the same again when it is read back.
    #[test]
    fn what_is_put_back_is_what_was(inventory in inventory(), recommended in recommended()) {
        let plan = planned(&inventory, &recommended, None);
        let text = serde_json::to_string(&plan).expect("JSON");
        let read: Plan = serde_json::from_str(&text).expect("a plan");
        prop_assert_eq!(&read, &plan);
        for change in &read.changes {
            for one in &change.containers {
                let containers = &inventory.workloads[&change.workload].containers;
                let there = containers.iter().find(|container| container.name == one.name);
                prop_assert_eq!(there.map(|there| &there.sizes), Some(one.inverse()));
            }
        }
    }
}
