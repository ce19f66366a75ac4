//! Resizes a pod that runs (KEP-1287).

use super::{Done, done};
use crate::ClusterError;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use plimsoll_core::inventory::Sizes;
use serde_json::{Value, json};

/// Tells the kubelet the sizes these containers of a pod should have; what a size leaves open stays as it is. Only of the pod of
/// this uid, and only while its containers should have the sizes `from`.
pub async fn resize_pod(
    client: &Client,
    (namespace, name, uid): (&str, &str, &str),
    from: &[(String, Sizes)],
    sizes: &[(String, Sizes)],
) -> Result<Done, ClusterError> {
    let what = format!("resize of pod {namespace}/{name}");
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let pod = pods.get_opt(name).await.map_err(|error| ClusterError::of(&what, error))?;
    let is_it = |pod: &Pod| pod.metadata.uid.as_deref() == Some(uid) && has(pod, from);
    let Some(pod) = pod.filter(is_it) else { return Ok(Done::Gone) };
    let patch = patch(&pod, sizes);
    done(&what, pods.patch_resize(name, &PatchParams::default(), &Patch::Strategic(&patch)).await)
}

/// Whether the server would let a pod's limit down while it runs: it is asked, and nothing is changed. `None` where that pod
/// cannot tell: it has gone, or changes at this moment. Of a user who may not ask it is assumed.
pub async fn resize_would_work(
    client: &Client,
    pod: &Pod,
    sizes: &[(String, Sizes)],
) -> Result<Option<bool>, ClusterError> {
    let (Some(namespace), Some(name)) = (&pod.metadata.namespace, &pod.metadata.name) else {
        return Ok(None);
    };
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let dry_run = PatchParams { dry_run: true, ..PatchParams::default() };
    match pods.patch_resize(name, &dry_run, &Patch::Strategic(&patch(pod, sizes))).await {
        Ok(_) => Ok(Some(true)),
        Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(None),
        // Admission refuses with the same code, in other words.
        Err(kube::Error::Api(status)) if status.message.contains("cannot patch resource") => Ok(Some(true)),
        Err(kube::Error::Api(status)) if (400..429).contains(&status.code) => Ok(Some(false)),
        Err(error) => Err(ClusterError::of(&format!("resize of pod {namespace}/{name}, asked for"), error)),
    }
}

/// Its containers should have these sizes, however they are written.
fn has(pod: &Pod, sizes: &[(String, Sizes)]) -> bool {
    let desired = crate::read::desired(pod);
    sizes.iter().all(|(name, sizes)| desired.iter().any(|(there, now)| there == name && now.same(sizes)))
}

fn patch(pod: &Pod, sizes: &[(String, Sizes)]) -> Value {
    let spec = pod.spec.as_ref();
    let names = |list: Vec<&k8s_openapi::api::core::v1::Container>| -> Vec<Value> {
        let of = |name: &str| sizes.iter().find(|(sized, _)| sized == name).map(|(_, sizes)| sizes);
        list.iter()
            .filter_map(|container| {
                Some(json!({ "name": container.name, "resources": resources(of(&container.name)?) }))
            })
            .collect()
    };
    let containers = names(spec.iter().flat_map(|spec| &spec.containers).collect());
    let sidecars = names(spec.iter().flat_map(|spec| spec.init_containers.iter().flatten()).collect());
    let mut patch = json!({ "metadata": { "uid": pod.metadata.uid }, "spec": {} });
    for (key, list) in [("containers", containers), ("initContainers", sidecars)] {
        if !list.is_empty() {
            patch["spec"][key] = Value::Array(list);
        }
    }
    patch
}

/// Memory in the form of a container's `resources`.
pub(super) fn resources(sizes: &Sizes) -> Value {
    let of = |size: &Option<_>| size.as_ref().map(|size| json!({ "memory": size }));
    let mut resources = json!({});
    for (key, size) in [("requests", of(&sizes.request)), ("limits", of(&sizes.limit))] {
        if let Some(size) = size {
            resources[key] = size;
        }
    }
    resources
}
