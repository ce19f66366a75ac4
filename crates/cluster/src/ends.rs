//! How the containers of one pod have ended, as its status tells.

use crate::ClusterError;
use crate::read::{bytes, is_evicted};
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};
use kube::api::ListParams;
use kube::{Api, Client};
use plimsoll_core::diagnosis::ContainerEnd;

/// What is known of a pod's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodEnd {
    /// Of each container, those that initialise first.
    pub containers: Vec<ContainerEnd>,
    /// The kubelet's words, where it evicted the pod for want of memory.
    pub evicted: Option<String>,
}

/// Asks for one pod; `None` where there is none of that name. It is listed, not got, so that whoever may plan may ask.
///
/// # Errors
///
/// Where the server does not answer, or does not let us ask.
pub async fn of_pod(client: &Client, namespace: &str, name: &str) -> Result<Option<PodEnd>, ClusterError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let only = ListParams::default().fields(&format!("metadata.name={name}")).limit(1);
    let listed = pods.list(&only).await.map_err(|error| ClusterError::of("pods", error))?;
    Ok(listed.items.into_iter().next().map(|pod| of(&pod)))
}

fn of(pod: &Pod) -> PodEnd {
    let spec = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    let evicted = pod.status.as_ref().and_then(|status| status.message.clone()).filter(|_| is_evicted(pod));
    PodEnd { containers: spec.map(|it| end(it, status_of(pod, &it.name))).collect(), evicted }
}

fn status_of<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all =
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    all.into_iter().find(|it| it.name == name)
}

fn end(container: &Container, status: Option<&ContainerStatus>) -> ContainerEnd {
    // Its present end, else its last one: what was started again is told by the latter.
    let state =
        |of: Option<&k8s_openapi::api::core::v1::ContainerState>| of.and_then(|it| it.terminated.clone());
    let ended = status.and_then(|it| state(it.state.as_ref()).or_else(|| state(it.last_state.as_ref())));
    // What holds after a resize in place is told by the status only.
    let sizes = status.and_then(|it| it.resources.as_ref()).or(container.resources.as_ref());
    ContainerEnd {
        container: container.name.clone(),
        reason: ended.as_ref().and_then(|it| it.reason.clone()),
        exit_code: ended.as_ref().map(|it| it.exit_code),
        at: ended.as_ref().and_then(|it| it.finished_at.as_ref()).map(|at| at.0.to_string()),
        restarts: status.map_or(0, |it| it.restart_count),
        limit_bytes: bytes(sizes.and_then(|it| it.limits.as_ref()), "memory"),
        request_bytes: bytes(sizes.and_then(|it| it.requests.as_ref()), "memory"),
    }
}
