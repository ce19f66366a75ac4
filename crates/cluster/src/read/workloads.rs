//! Workloads and their templates.

use super::{Marks, memory};
use crate::watch::Stores;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{self, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use plimsoll_core::inventory::{Admitted, Container, Inventory, Kind, Sizes, Workload, WorkloadId};
use std::collections::BTreeMap;

/// Words by which a runtime is given a fixed bound, in variables and arguments.
const FIXED_BOUNDS: [&str; 5] =
    ["--max-old-space-size", "--max-heap-size", "-Xmx", "MaxRAM=", "--max-semi-space-size"];

pub(super) fn all(stores: &Stores) -> BTreeMap<WorkloadId, Workload> {
    let deployments = stores.deployments.state();
    let stateful_sets = stores.stateful_sets.state();
    let daemon_sets = stores.daemon_sets.state();
    let all = deployments.iter().filter_map(|object| deployment(object));
    let all = all.chain(stateful_sets.iter().filter_map(|object| stateful_set(object)));
    let all = all.chain(daemon_sets.iter().filter_map(|object| daemon_set(object)));
    all.map(|workload| (workload.id.clone(), workload)).collect()
}

/// What new pods get on admission, by our own objects.
pub(super) fn sized_on_admission(stores: &Stores) -> BTreeMap<WorkloadId, Vec<(String, Sizes)>> {
    let objects = stores.memory_sizes.iter().flat_map(|store| store.state());
    objects.filter_map(|object| object.sizes()).collect()
}

/// By whom new pods are sized, and whether their template is still as it was then: where it is not, the admission policy lets
/// them in as they are.
pub(super) fn add_admitted(stores: &Stores, inventory: &mut Inventory) {
    for object in stores.memory_sizes.iter().flat_map(|store| store.state()) {
        let Some((id, _)) = object.sizes() else { continue };
        let template = inventory.workloads.get(&id).map_or(&[][..], |workload| &workload.containers);
        let is_in_force = object
            .befores()
            .all(|(name, before)| template.iter().any(|it| it.name == name && same_text(&it.sizes, &before)));
        inventory.admitted.insert(id, Admitted { by: object.spec.plan.clone(), is_in_force });
    }
}

/// As the policy compares: the texts, a limit alone being a request too.
fn same_text(one: &Sizes, other: &Sizes) -> bool {
    let texts = |sizes: &Sizes| {
        let request = sizes.request.as_ref().or(sizes.limit.as_ref());
        [request, sizes.limit.as_ref()].map(|size| size.map(ToString::to_string))
    };
    texts(one) == texts(other)
}

fn deployment(object: &Deployment) -> Option<Workload> {
    let spec = object.spec.as_ref()?;
    let status = object.status.as_ref();
    let replicas = count(spec.replicas.unwrap_or(1));
    let seen = status.and_then(|status| status.observed_generation);
    let of = |number: Option<i32>| count(number.unwrap_or(0));
    let settled = status.is_some_and(|status| {
        let numbers = [status.updated_replicas, status.replicas, status.ready_replicas];
        numbers.into_iter().all(|number| of(number) == replicas)
    });
    let rolling = spec.strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let quarter = IntOrString::String("25%".into());
    let asked = match &spec.strategy {
        Some(strategy) if strategy.type_.as_deref() == Some("Recreate") => Some(&IntOrString::Int(i32::MAX)),
        _ => rolling.and_then(|rolling| rolling.max_unavailable.as_ref()),
    };
    Some(Workload {
        max_unavailable: share(asked.unwrap_or(&quarter), replicas),
        is_settled: settled && seen == object.metadata.generation,
        ..workload(object, Kind::Deployment, replicas, &spec.template)?
    })
}

fn stateful_set(object: &StatefulSet) -> Option<Workload> {
    let spec = object.spec.as_ref()?;
    let status = object.status.as_ref();
    let replicas = count(spec.replicas.unwrap_or(1));
    let settled = status.is_some_and(|status| {
        let updated = status.current_revision == status.update_revision;
        updated && count(status.ready_replicas.unwrap_or(0)) == replicas
    });
    let seen = status.and_then(|status| status.observed_generation);
    let rolling = spec.update_strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let asked = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
    Some(Workload {
        max_unavailable: share(asked.unwrap_or(&IntOrString::Int(1)), replicas),
        is_settled: settled && seen == object.metadata.generation,
        ..workload(object, Kind::StatefulSet, replicas, &spec.template)?
    })
}

fn daemon_set(object: &DaemonSet) -> Option<Workload> {
    let spec = object.spec.as_ref()?;
    let status = object.status.as_ref()?;
    let replicas = count(status.desired_number_scheduled);
    let updated = count(status.updated_number_scheduled.unwrap_or(0));
    let settled = updated == replicas && count(status.number_ready) == replicas;
    let rolling = spec.update_strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let asked = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
    Some(Workload {
        max_unavailable: share(asked.unwrap_or(&IntOrString::Int(1)), replicas),
        is_settled: settled && status.observed_generation == object.metadata.generation,
        ..workload(object, Kind::DaemonSet, replicas, &spec.template)?
    })
}

fn workload<K: ResourceExt>(
    object: &K,
    kind: Kind,
    replicas: u32,
    template: &PodTemplateSpec,
) -> Option<Workload> {
    let spec = template.spec.as_ref()?;
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    Some(Workload {
        id: WorkloadId { namespace: object.namespace()?, kind, name: object.name_any() },
        uid: object.uid().unwrap_or_default(),
        generation: object.meta().generation.unwrap_or(0),
        template_hash: crate::watch::template_hash(object),
        replicas,
        containers: spec.containers.iter().chain(sidecars).map(container).collect(),
        hands: super::hands::sources(object.labels(), object.annotations()),
        max_unavailable: 0,
        is_settled: false,
    })
}

/// An init container that goes on running (KEP-753).
pub(super) fn is_sidecar(container: &v1::Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn container(container: &v1::Container) -> Container {
    let of = container.resources.as_ref();
    let [requests, limits] = [of.and_then(|of| of.requests.as_ref()), of.and_then(|of| of.limits.as_ref())];
    let cpu = |all: Option<&BTreeMap<String, _>>| {
        all.and_then(|all| all.get("cpu")).map(|cpu: &super::Written| cpu.0.clone())
    };
    let restarts = container
        .resize_policy
        .iter()
        .flatten()
        .any(|policy| policy.resource_name == "memory" && policy.restart_policy == "RestartContainer");
    Container {
        name: container.name.clone(),
        sizes: memory(requests, limits),
        cpu: (cpu(requests), cpu(limits)),
        restarts_on_resize: restarts,
        fixed_bounds: fixed_bounds(container),
    }
}

fn fixed_bounds(container: &v1::Container) -> Vec<String> {
    let names_one = |text: &str| FIXED_BOUNDS.iter().any(|word| text.contains(word));
    let variables = container.env.iter().flatten().filter_map(|variable| {
        let value = variable.value.as_deref()?;
        let is_one = variable.name == "GOMEMLIMIT" || names_one(value);
        is_one.then(|| format!("{}={value}", variable.name))
    });
    let words = container.command.iter().chain(&container.args).flatten();
    variables.chain(words.filter(|word| names_one(word)).cloned()).collect()
}

/// So many of all, rounded down; what is no number is none.
fn share(of: &IntOrString, all: u32) -> u32 {
    match of {
        IntOrString::Int(number) => count(*number).min(all),
        IntOrString::String(text) => {
            let percent = text.strip_suffix('%').and_then(|text| text.parse::<u64>().ok());
            percent.map_or(0, |percent| (u64::from(all) * percent.min(100) / 100) as u32)
        }
    }
}

fn count(number: i32) -> u32 {
    number.max(0) as u32
}

/// Marks by which sources elsewhere are known are read in `hands`.
pub(super) fn matches(selector: &Marks, labels: &Marks) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}
