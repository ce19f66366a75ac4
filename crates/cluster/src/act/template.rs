//! Changes a workload's template; its pods are replaced by it.

use super::resize::resources;
use super::{Done, done};
use crate::ClusterError;
use crate::kinds::FIELD_MANAGER;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use plimsoll_core::inventory::{Kind, Sizes, WorkloadId};
use serde_json::json;

/// Gives containers of the template their sizes by server-side apply, under our own name: what we leave out of it that was
/// ours goes, what is others' stays. Only of the object of this uid, and only while it is of this generation.
pub async fn set_template(
    client: &Client,
    workload: &WorkloadId,
    (uid, generation): (&str, i64),
    sizes: &[(String, Sizes)],
) -> Result<Done, ClusterError> {
    let containers: Vec<_> =
        sizes.iter().map(|(name, sizes)| json!({ "name": name, "resources": resources(sizes) })).collect();
    let WorkloadId { namespace, kind, name } = workload;
    let mut apply = json!({
        "apiVersion": "apps/v1",
        "kind": format!("{kind:?}"),
        "metadata": { "name": name, "namespace": namespace, "uid": uid },
        "spec": { "template": { "spec": { "containers": containers } } },
    });
    let what = format!("change of {workload}");
    let params = PatchParams::apply(FIELD_MANAGER).force();
    macro_rules! patched {
        ($kind:ty) => {{
            let api: Api<$kind> = Api::namespaced(client.clone(), namespace);
            // An apply would make what is gone anew.
            let there = api.get_opt(name).await.map_err(|error| ClusterError::of(&what, error))?;
            let is_it = |there: &$kind| {
                there.metadata.uid.as_deref() == Some(uid) && there.metadata.generation == Some(generation)
            };
            let Some(there) = there.filter(is_it) else { return Ok(Done::Gone) };
            apply["metadata"]["resourceVersion"] = json!(there.metadata.resource_version);
            done(&what, api.patch(name, &params, &Patch::Apply(&apply)).await)
        }};
    }
    match kind {
        Kind::Deployment => patched!(Deployment),
        Kind::StatefulSet => patched!(StatefulSet),
        Kind::DaemonSet => patched!(DaemonSet),
    }
}
