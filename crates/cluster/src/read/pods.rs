//! Pods, whose they are, and how their resizes stand.

use super::evicted::is_evicted;
use super::workloads::is_sidecar;
use super::{Marks, memory};
use crate::watch::Stores;
use k8s_openapi::api::core::v1::{self, ContainerState, ContainerStatus, PodCondition, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use plimsoll_core::inventory::{Kind, Pod, Resize, ResizeState, Running, Sizes, WorkloadId};
use plimsoll_core::size::MIB;
use std::collections::BTreeMap;

/// What is kept of a pod.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// What made it and would make another.
    pub owner: Option<Owner>,
    /// Its labels.
    pub labels: Marks,
    /// How it is.
    pub state: State,
}

/// How a pod is.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// It is not over; whose it is is not known yet.
    There(Pod),
    /// Its kubelet ended it because the node ran short of memory.
    Evicted { uid: String, node: String },
}

/// What a pod is of.
#[derive(Debug, Clone)]
pub(crate) enum Owner {
    /// A ReplicaSet of this name, which may be a Deployment's.
    ReplicaSet(String),
    /// A workload.
    Workload(Kind, String),
}

impl Kept {
    pub fn is_evicted(&self) -> bool {
        matches!(self.state, State::Evicted { .. })
    }
}

/// What is kept of a pod; nothing of one that is over, but for evictions.
pub(crate) fn kept(pod: &v1::Pod) -> Option<Kept> {
    let state = if is_evicted(pod) {
        State::Evicted { uid: pod.uid()?, node: pod.spec.as_ref()?.node_name.clone()? }
    } else {
        State::There(read(pod)?)
    };
    Some(Kept { owner: owner(pod), labels: pod.labels().clone(), state })
}

/// All that are not over.
pub(super) fn all(stores: &Stores) -> BTreeMap<(String, String), Pod> {
    let known = |(key, kept): (&(String, String), &Kept)| {
        let State::There(pod) = &kept.state else { return None };
        let workload = kept.owner.as_ref().and_then(|owner| workload(stores, &key.0, owner));
        Some((key.clone(), Pod { workload, ..pod.clone() }))
    };
    stores.pods.there(|there| there.iter().filter_map(known).collect())
}

fn read(pod: &v1::Pod) -> Option<Pod> {
    let (spec, status) = (pod.spec.as_ref()?, pod.status.as_ref()?);
    if is_over(pod) {
        return None;
    }
    Some(Pod {
        workload: None,
        uid: pod.uid().unwrap_or_default(),
        node: spec.node_name.clone(),
        is_ready: condition(status, "Ready").is_some_and(|ready| ready.status == "True"),
        is_leaving: pod.metadata.deletion_timestamp.is_some(),
        containers: containers(spec).map(|container| running(container, status)).collect(),
        resize: resize(pod, status).or_else(|| held_down(spec, status)),
    })
}

/// It runs no more, and never will.
fn is_over(pod: &v1::Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase.is_some_and(|phase| ["Succeeded", "Failed"].contains(&phase))
}

fn owner(pod: &v1::Pod) -> Option<Owner> {
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true))?;
    let name = owner.name.clone();
    match owner.kind.as_str() {
        "StatefulSet" => Some(Owner::Workload(Kind::StatefulSet, name)),
        "DaemonSet" => Some(Owner::Workload(Kind::DaemonSet, name)),
        "ReplicaSet" => Some(Owner::ReplicaSet(name)),
        _ => None,
    }
}

/// Through its ReplicaSet, where a Deployment runs it.
pub(super) fn workload(stores: &Stores, namespace: &str, owner: &Owner) -> Option<WorkloadId> {
    let (kind, name) = match owner {
        Owner::Workload(kind, name) => (*kind, name.clone()),
        Owner::ReplicaSet(name) => {
            let set = stores.replica_sets.get(&ObjectRef::new(name).within(namespace))?;
            let owner = set.owner_references().iter().find(|owner| owner.kind == "Deployment")?;
            (Kind::Deployment, owner.name.clone())
        }
    };
    Some(WorkloadId { namespace: namespace.to_string(), kind, name })
}

/// What the containers of a pod should have, by name.
pub(crate) fn desired(pod: &v1::Pod) -> Vec<(String, Sizes)> {
    let all = pod.spec.iter().flat_map(containers);
    all.map(|container| (container.name.clone(), sizes_of(container))).collect()
}

/// Those that run as long as the pod does.
fn containers(spec: &PodSpec) -> impl Iterator<Item = &v1::Container> {
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    spec.containers.iter().chain(sidecars)
}

fn sizes_of(container: &v1::Container) -> Sizes {
    let of = container.resources.as_ref();
    memory(of.and_then(|of| of.requests.as_ref()), of.and_then(|of| of.limits.as_ref()))
}

fn running(container: &v1::Container, status: &PodStatus) -> Running {
    let states = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    let state = states.into_iter().find(|state| state.name == container.name);
    let actual = state.and_then(|state| state.resources.as_ref());
    Running {
        name: container.name.clone(),
        desired: sizes_of(container),
        actual: actual.map(|actual| memory(actual.requests.as_ref(), actual.limits.as_ref())),
        restarts: state.map_or(0, restarts),
        is_running: state.and_then(|it| it.state.as_ref()).is_some_and(|it| it.running.is_some()),
        oom_kills: state.map_or(Vec::new(), oom_kills),
        used_bytes: None,
        pressure: None,
    }
}

/// The kubelet counts a start when it comes. Until then the end is the present state, or the last one of a container that waits
/// for a reason, such as its backoff; one that waits for none is being started.
fn restarts(status: &ContainerStatus) -> u32 {
    let has_ended = |state: &Option<ContainerState>| state.as_ref().is_some_and(|it| it.terminated.is_some());
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    let waits = waiting.is_some_and(|waiting| waiting.reason.is_some());
    let is_due = has_ended(&status.state) || waits && has_ended(&status.last_state);
    status.restart_count.max(0) as u32 + u32::from(is_due)
}

fn oom_kills(status: &ContainerStatus) -> Vec<String> {
    let ends = [&status.last_state, &status.state].into_iter().flatten();
    let kills = ends
        .filter_map(|end| end.terminated.as_ref())
        .filter(|end| end.reason.as_deref() == Some("OOMKilled"));
    kills.filter_map(|kill| kill.container_id.clone()).collect()
}

fn condition<'a>(status: &'a PodStatus, kind: &str) -> Option<&'a PodCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

/// By the conditions of KEP-1287; without one, what is desired and not seen by the kubelet yet is in progress.
fn resize(pod: &v1::Pod, status: &PodStatus) -> Option<Resize> {
    let of = |state, condition: &PodCondition| Resize {
        state,
        message: condition.message.clone().unwrap_or_default(),
    };
    let is_true = |condition: &&PodCondition| condition.status == "True";
    if let Some(pending) = condition(status, "PodResizePending").filter(is_true) {
        let infeasible = pending.reason.as_deref() == Some("Infeasible");
        let state = if infeasible { ResizeState::Infeasible } else { ResizeState::Deferred };
        return Some(of(state, pending));
    }
    if let Some(progress) = condition(status, "PodResizeInProgress").filter(is_true) {
        let failed = progress.reason.as_deref() == Some("Error");
        let state = if failed { ResizeState::Error } else { ResizeState::InProgress };
        return Some(of(state, progress));
    }
    let seen = status.observed_generation?;
    let unseen = pod.metadata.generation.is_some_and(|generation| generation > seen);
    unseen.then(|| Resize { state: ResizeState::InProgress, message: "not seen by the kubelet yet".into() })
}

/// The limit of the pod as such is still lower than those of its containers together, and the kernel kills at it: a kubelet sets
/// it only with that of a container that runs, and not when it was raised while that was down
/// (kubernetes/kubernetes#138760, in 1.36.3). The kubelet reads it from the pod's cgroup; older ones do not tell.
fn held_down(spec: &PodSpec, status: &PodStatus) -> Option<Resize> {
    // One that somebody has set may be lower.
    if spec.resources.is_some() {
        return None;
    }
    let limit_bytes = |limits: Option<&BTreeMap<String, Written>>| memory(None, limits).limit_bytes();
    let pod_bytes = limit_bytes(status.resources.as_ref()?.limits.as_ref())?;
    let states = status.container_statuses.iter().flatten();
    let each_bytes = states.map(|state| limit_bytes(state.resources.as_ref()?.limits.as_ref()));
    let together_bytes = each_bytes.sum::<Option<u64>>()?;
    let message =
        format!("the pod is still held to {} MiB as a whole, which a new pod would not be", pod_bytes / MIB);
    let state = ResizeState::Held { limit_bytes: pod_bytes };
    (pod_bytes < together_bytes).then_some(Resize { state, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Sightings of a container that is killed twice, one after the other.
    #[test]
    fn an_end_is_the_same_wherever_it_shows() {
        let check = |restarts: u32, state: Value, last: Value, expect: (u32, bool, &[&str])| {
            let status = json!({"containerStatuses": [{
                "name": "app", "image": "", "imageID": "", "ready": true,
                "restartCount": restarts, "state": state, "lastState": last,
            }]});
            let container = serde_json::from_value(json!({"name": "app"})).unwrap();
            let found = running(&container, &serde_json::from_value(status).unwrap());
            let kills: Vec<&str> = found.oom_kills.iter().map(String::as_str).collect();
            assert_eq!((found.restarts, found.is_running, &kills[..]), expect);
        };
        let end = |id: &str, reason: &str| json!({"terminated": {"exitCode": 137, "reason": reason, "containerID": id}});
        let killed = |id: &str| end(id, "OOMKilled");
        let runs = json!({"running": {}});
        let waits = |reason: &str| json!({"waiting": {"reason": reason}});
        check(0, runs.clone(), json!({}), (0, true, &[]));
        check(0, killed("a"), json!({}), (1, false, &["a"]));
        check(0, waits("CrashLoopBackOff"), killed("a"), (1, false, &["a"]));
        // It is created, and not started yet.
        check(1, json!({"waiting": {}}), killed("a"), (1, false, &["a"]));
        check(1, runs.clone(), killed("a"), (1, true, &["a"]));
        check(1, killed("b"), killed("a"), (2, false, &["a", "b"]));
        check(2, runs.clone(), killed("b"), (2, true, &["b"]));
        check(2, end("c", "Error"), killed("b"), (3, false, &["b"]));
        check(3, runs, end("c", "Error"), (3, true, &[]));
    }

    #[test]
    fn a_pod_is_held_down_where_its_own_limit_is_below_those_of_its_containers() {
        // Limits in MiB of the pod's spec, of its cgroup as far as the kubelet tells, and of its containers.
        let check = |meant: Option<u32>,
                     told: Option<u32>,
                     containers: &[Option<u32>],
                     expect: Option<&str>| {
            let limits = |mib: &u32| json!({"limits": {"memory": format!("{mib}Mi")}});
            let state = |mib: &Option<u32>| {
                let resources = mib.as_ref().map_or(json!({}), limits);
                json!({"name": "", "image": "", "imageID": "", "ready": true, "restartCount": 0, "resources": resources})
            };
            let states: Vec<Value> = containers.iter().map(state).collect();
            let spec = json!({"containers": [], "resources": meant.as_ref().map(limits)});
            let status = json!({"resources": told.as_ref().map(limits), "containerStatuses": states});
            let (spec, status) =
                (serde_json::from_value(spec).unwrap(), serde_json::from_value(status).unwrap());
            let held = held_down(&spec, &status).map(|held| held.message);
            assert_eq!(held.as_deref().and_then(|held| held.split(',').next()), expect);
        };
        let held = Some("the pod is still held to 64 MiB as a whole");
        check(None, Some(64), &[Some(192)], held);
        check(None, Some(64), &[Some(64), Some(1)], held);
        check(None, Some(64), &[Some(64)], None);
        check(None, Some(192), &[Some(64)], None);
        // Not bounded, or not told.
        check(None, Some(64), &[Some(192), None], None);
        check(None, None, &[Some(192)], None);
        // Meant so.
        check(Some(64), Some(64), &[Some(192)], None);
    }
}
