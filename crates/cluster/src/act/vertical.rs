//! What is right for a workload, written down as a VerticalPodAutoscaler that changes nothing, for whoever reads those
//! (<https://github.com/kubernetes/autoscaler/blob/master/vertical-pod-autoscaler/docs/api.md>).

use super::{Done, done};
use crate::ClusterError;
use crate::kinds::{FIELD_MANAGER, vertical_autoscaler};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use plimsoll_core::inventory::{Sizes, WorkloadId};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LABEL: &str = "app.kubernetes.io/managed-by";
/// Those of ours that are looked at to find some that nobody wants any more.
const LIST_MAX: u32 = 10_000;

/// What ours of a workload is called.
fn vertical_name(workload: &WorkloadId) -> String {
    format!("plimsoll-{:?}-{}", workload.kind, workload.name).to_lowercase()
}

/// Makes the object of a workload, which says nothing yet; its mode is Off, and nobody acts by it.
pub async fn create_vertical(client: &Client, workload: &WorkloadId) -> Result<(), ClusterError> {
    let (api, name, what) = vertical(client, workload);
    let object = json!({
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": { "name": name, "namespace": workload.namespace, "labels": { LABEL: FIELD_MANAGER } },
        "spec": {
            "targetRef": { "apiVersion": "apps/v1", "kind": format!("{:?}", workload.kind), "name": workload.name },
            "updatePolicy": { "updateMode": "Off" },
        },
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let made = api.patch(&name, &params, &Patch::Apply(&object)).await;
    made.map(drop).map_err(|error| ClusterError::of(&what, error))
}

/// Writes what the containers of a workload should request into its object. [`Done::Gone`] where that is not there.
pub async fn recommend(
    client: &Client,
    workload: &WorkloadId,
    containers: &[(String, Sizes)],
) -> Result<Done, ClusterError> {
    let (api, name, what) = vertical(client, workload);
    let recommendations: Vec<Value> = containers.iter().map(recommendation).collect();
    let status = json!({ "status": { "recommendation": { "containerRecommendations": recommendations } } });
    // Its status is a part of the object in some versions, and a subresource in others.
    match api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await {
        Err(kube::Error::Api(error)) if error.code == 404 => {
            done(&what, api.patch(&name, &PatchParams::default(), &Patch::Merge(&status)).await)
        }
        other => done(&what, other),
    }
}

/// Where the object of a workload is, what it is called, and what it is in words.
fn vertical(client: &Client, workload: &WorkloadId) -> (Api<DynamicObject>, String, String) {
    let namespace = &workload.namespace;
    let api = Api::namespaced_with(client.clone(), namespace, &vertical_autoscaler());
    let name = vertical_name(workload);
    let what = format!("VerticalPodAutoscaler {namespace}/{name}");
    (api, name, what)
}

/// Lower bound and target are the request, the upper bound is the limit.
fn recommendation((name, sizes): &(String, Sizes)) -> Value {
    let memory = |size: &Option<_>| json!({ "memory": size });
    let (request, limit) = (memory(&sizes.request), memory(&sizes.limit));
    json!({ "containerName": name, "target": request, "lowerBound": request, "uncappedTarget": request, "upperBound": limit })
}

/// Deletes those of ours that are of none of these workloads.
pub async fn withdraw_verticals(
    client: &Client,
    namespace: Option<&str>,
    wanted: &BTreeSet<WorkloadId>,
) -> Result<(), ClusterError> {
    let what = "VerticalPodAutoscalers of ours";
    let all: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &vertical_autoscaler()),
        None => Api::all_with(client.clone(), &vertical_autoscaler()),
    };
    let params = ListParams::default().labels(&format!("{LABEL}={FIELD_MANAGER}")).limit(LIST_MAX);
    let ours = all.list(&params).await.map_err(|error| ClusterError::of(what, error))?;
    let keep: BTreeSet<(&str, String)> =
        wanted.iter().map(|workload| (workload.namespace.as_str(), vertical_name(workload))).collect();
    for object in ours {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        if !keep.contains(&(namespace.as_str(), name.clone())) {
            let api: Api<DynamicObject> =
                Api::namespaced_with(client.clone(), &namespace, &vertical_autoscaler());
            done(what, api.delete(&name, &DeleteParams::default()).await)?;
        }
    }
    Ok(())
}
