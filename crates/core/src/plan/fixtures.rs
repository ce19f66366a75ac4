//! Small inventories to plan on: one namespace, `shop`, whose server can do everything.

use super::planner::Settings;
use super::{Budget, Plan, Recommended};
use crate::inventory::autoscaler::{Amount, MemoryAutoscaler, MemoryTarget, TOLERANCE};
use crate::inventory::quantity::Quantity;
use crate::inventory::{
    Abilities, Container, Hand, Inventory, Kind, LimitRange, Pod, Quota, Running, Sizes, Workload, WorkloadId,
};
use crate::size::MIB;

/// When the evidence was read and the plan made, in milliseconds since 1970.
pub const EVIDENCE_MS: i64 = 1_000_000;
pub const MADE_MS: i64 = 1_060_000;

pub fn quantity(text: &str) -> Quantity {
    Quantity::try_from(text.to_string()).expect("an amount")
}

/// Where "" is not written.
pub fn sizes(request: &str, limit: &str) -> Sizes {
    let size = |text: &str| (!text.is_empty()).then(|| quantity(text));
    Sizes { request: size(request), limit: size(limit) }
}

pub fn id(name: &str) -> WorkloadId {
    WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: name.into() }
}

/// Without CPU: Burstable as soon as it has any size.
pub fn container(name: &str, request: &str, limit: &str) -> Container {
    Container {
        name: name.into(),
        sizes: sizes(request, limit),
        cpu: (None, None),
        restarts_on_resize: false,
        fixed_bounds: Vec::new(),
    }
}

/// With a whole CPU, as Guaranteed asks for it.
pub fn with_cpu(name: &str, request: &str, limit: &str) -> Container {
    Container { cpu: (Some("1".into()), Some("1".into())), ..container(name, request, limit) }
}

pub fn workload(name: &str, replicas: u32, containers: Vec<Container>) -> Workload {
    Workload {
        id: id(name),
        uid: format!("uid-{name}"),
        generation: 3,
        template_hash: 7,
        replicas,
        containers,
        hands: Vec::new(),
        max_unavailable: 1,
        is_settled: true,
    }
}

/// An autoscaler of two to ten pods, by the memory of whole pods.
pub fn autoscaler(name: &str, amount: Amount) -> MemoryAutoscaler {
    MemoryAutoscaler {
        name: name.into(),
        min_replicas: 2,
        max_replicas: 10,
        is_held_at_max: false,
        tolerance_up: TOLERANCE,
        tolerance_down: TOLERANCE,
        targets: vec![MemoryTarget { container: None, amount }],
    }
}

/// The hand of one that goes by so many hundredths of the request.
pub fn by_memory(name: &str, percent: u32) -> Hand {
    Hand::MemoryAutoscaler(autoscaler(name, Amount::Percent(percent)))
}

/// A pod that runs its workload's template, each container using so many bytes.
pub fn pod(workload: &Workload, used_bytes: Option<u64>) -> Pod {
    let running = |container: &Container| Running {
        name: container.name.clone(),
        desired: container.sizes.clone(),
        actual: Some(container.sizes.clone()),
        restarts: 0,
        is_running: true,
        oom_kills: Vec::new(),
        used_bytes,
        pressure: None,
    };
    Pod {
        workload: Some(workload.id.clone()),
        uid: "pod".into(),
        node: Some("node-1".into()),
        is_ready: true,
        is_leaving: false,
        containers: workload.containers.iter().map(running).collect(),
        resize: None,
    }
}

pub fn inventory(workloads: impl IntoIterator<Item = Workload>) -> Inventory {
    let by_name = workloads.into_iter().map(|workload| (workload.id.clone(), workload));
    Inventory {
        as_of_ms: MADE_MS,
        abilities: Abilities { in_place: true, admission_policy: true },
        workloads: by_name.collect(),
        ..Inventory::default()
    }
}

/// Most requests and limits, and those there are, in MiB.
pub fn quota(requests_mib: Option<(u64, u64)>, limits_mib: Option<(u64, u64)>) -> Quota {
    let bytes = |(most, used): (u64, u64)| (most * MIB, used * MIB);
    Quota {
        namespace: "shop".into(),
        name: "compute".into(),
        requests: requests_mib.map(bytes),
        limits: limits_mib.map(bytes),
    }
}

/// Least and most, in MiB.
pub fn limit_range(min_mib: Option<u64>, max_mib: Option<u64>, max_ratio: Option<f64>) -> LimitRange {
    LimitRange {
        namespace: "shop".into(),
        name: "bounds".into(),
        min_bytes: min_mib.map(|mib| mib * MIB),
        max_bytes: max_mib.map(|mib| mib * MIB),
        max_ratio,
    }
}

/// For the container `app`; "" leaves the limit as it is. The floor is in MiB.
pub fn recommended(workload: &str, request: &str, limit: &str, floor_mib: u64) -> Recommended {
    Recommended {
        workload: id(workload),
        container: "app".into(),
        request: quantity(request),
        limit: (!limit.is_empty()).then(|| quantity(limit)),
        floor_bytes: floor_mib * MIB,
        evidence: "14 days".into(),
    }
}

pub fn settings() -> Settings {
    Settings {
        id: "plan-1".into(),
        parent: None,
        made_ms: MADE_MS,
        evidence_ms: EVIDENCE_MS,
        way: None,
        budget: Budget::default(),
    }
}

/// An inventory on which a plan was carried out, or undone: templates and pods have its sizes.
pub fn sized(inventory: &Inventory, plan: &Plan, undo: bool) -> Inventory {
    let mut inventory = inventory.clone();
    for change in &plan.changes {
        for changed in &change.containers {
            let to = if undo { changed.inverse() } else { &changed.after };
            let workload = inventory.workloads.get_mut(&change.workload).expect("it is there");
            let container = workload.containers.iter_mut().find(|container| container.name == changed.name);
            container.expect("it is there").sizes = to.clone();
            let pods = inventory.pods.values_mut();
            let of_it = pods.filter(|pod| pod.workload.as_ref() == Some(&change.workload));
            let running = of_it.flat_map(|pod| &mut pod.containers);
            running
                .filter(|running| running.name == changed.name)
                .for_each(|running| running.desired = to.clone());
        }
    }
    inventory
}
