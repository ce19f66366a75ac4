//! The workload whose pods are scaled, and how they are.

use super::{Found, failed};
use crate::ClusterError;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::{GroupVersionKind, Selector};
use kube::{Api, Client, ResourceExt};
use plimsoll_core::inventory::{Kind, WorkloadId};

/// Pods that are looked at; more are not scaled either.
const PODS_MAX: u32 = 1_000;

/// A workload as far as it matters here.
pub(super) struct Seen {
    pub replicas: u32,
    pub running: u32,
    pub ready: u32,
    pub selector: Selector,
    pub version: Option<String>,
}

pub(super) fn api(client: &Client, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", &format!("{kind:?}")));
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// By the name that references have: what else there is has no pods that we know how to count.
pub(super) fn kind(name: &str) -> Option<Kind> {
    [Kind::Deployment, Kind::StatefulSet].into_iter().find(|kind| format!("{kind:?}") == name)
}

/// `None` where it is not there.
pub(super) async fn look(client: &Client, id: &WorkloadId) -> Result<Option<Seen>, ClusterError> {
    let found = api(client, id.kind, &id.namespace).get_opt(&id.name).await;
    let Some(object) = found.map_err(|error| failed(&id.to_string(), error))? else { return Ok(None) };
    let count = |pointer: &str, or: u64| {
        let count = object.data.pointer(pointer).and_then(|count| count.as_u64()).unwrap_or(or);
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let selector = object.data.pointer("/spec/selector").cloned().unwrap_or_default();
    let selector: Option<LabelSelector> = serde_json::from_value(selector).ok();
    let selector = selector.and_then(|selector| Selector::try_from(selector).ok());
    let not_read =
        || ClusterError::Failed { what: id.to_string(), message: "its selector is not understood".into() };
    Ok(Some(Seen {
        replicas: count("/spec/replicas", 1),
        running: count("/status/replicas", 0),
        ready: count("/status/readyReplicas", 0),
        selector: selector.ok_or_else(not_read)?,
        version: object.resource_version(),
    }))
}

pub(super) async fn restarts(client: &Client, found: &Found) -> Result<Vec<(String, i64)>, ClusterError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &found.workload.namespace);
    let params = ListParams::default().labels_from(&found.selector).limit(PODS_MAX);
    let pods = pods.list(&params).await;
    let pods = pods.map_err(|error| failed(&format!("pods of {}", found.workload), error))?;
    let of = |pod: &Pod| {
        let status = pod.status.as_ref()?;
        let containers = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
        Some((pod.name_any(), containers.filter_map(restarted_ms).max()?))
    };
    Ok(pods.iter().filter_map(of).collect())
}

/// When it did; the end of what was before, or where that is not known the beginning of what is.
fn restarted_ms(container: &ContainerStatus) -> Option<i64> {
    let ended =
        container.last_state.as_ref().and_then(|state| state.terminated.as_ref()?.finished_at.as_ref());
    let begun = container.state.as_ref().and_then(|state| state.running.as_ref()?.started_at.as_ref());
    let at = ended.or(begun).map(|at| at.0.as_millisecond());
    at.filter(|_| container.restart_count > 0)
}
