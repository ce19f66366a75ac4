//! What an API server can do: it is asked, its version says nothing for sure.

use crate::ClusterError;
use crate::act::resize_would_work;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Abilities, Sizes};

/// Pods that are looked at to find one that can be asked with.
const TRIED: u32 = 50;
const MIB: u64 = 1 << 20;

/// Asks the server, with a dry run on some pod that runs (of this namespace, or of any).
pub async fn abilities(client: &Client, namespace: Option<&str>) -> Result<Abilities, ClusterError> {
    let what = "the kinds of admissionregistration.k8s.io/v1";
    let admission = client.list_api_group_resources("admissionregistration.k8s.io/v1").await;
    let kinds = admission.map_err(|error| ClusterError::of(what, error))?.resources;
    let admission_policy = kinds.iter().any(|known| known.name == "mutatingadmissionpolicies");
    let core = client.list_core_api_resources("v1").await;
    let core = core.map_err(|error| ClusterError::of("the kinds of v1", error))?.resources;
    let known = core.iter().any(|known| known.name == "pods/resize");
    Ok(Abilities { in_place: known && lets_limits_down(client, namespace).await?, admission_policy })
}

/// Where no pod can tell, nothing stands against it.
async fn lets_limits_down(client: &Client, namespace: Option<&str>) -> Result<bool, ClusterError> {
    let pods: Api<Pod> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let running = ListParams::default().fields("status.phase=Running").limit(TRIED);
    let pods = pods.list(&running).await.map_err(|error| ClusterError::of("pods", error))?;
    for pod in &pods {
        if let Some(smaller) = smaller(pod)
            && let Some(works) = resize_would_work(client, pod, &[smaller]).await?
        {
            return Ok(works);
        }
    }
    Ok(true)
}

/// A container of a pod with a limit that could be a little lower, and what it would be.
fn smaller(pod: &Pod) -> Option<(String, Sizes)> {
    pod.spec.as_ref()?.containers.iter().find_map(|container| {
        let of = container.resources.as_ref()?;
        let bytes = |all: Option<&std::collections::BTreeMap<String, _>>| {
            let written: &k8s_openapi::apimachinery::pkg::api::resource::Quantity = all?.get("memory")?;
            Quantity::try_from(written.0.clone()).ok().map(|quantity| quantity.bytes())
        };
        let (request, limit) = (bytes(of.requests.as_ref())?, bytes(of.limits.as_ref())?);
        let lower = limit.checked_sub(MIB).filter(|lower| *lower >= request)?;
        Some((container.name.clone(), Sizes { request: None, limit: Some(Quantity::of_bytes(lower)) }))
    })
}
