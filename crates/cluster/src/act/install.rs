//! Installs our kinds and the admission policy.

use crate::ClusterError;
use crate::kinds::{FIELD_MANAGER, manifests};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use std::time::Duration;
use tokio::time::Instant;

/// Until a new kind is served, and how often that is asked.
const SERVED_WITHIN: Duration = Duration::from_secs(15);
const SERVED_EACH: Duration = Duration::from_millis(100);
/// Until the server knows a new kind, and a new policy, also where it asks what a user may read of them: it looks for kinds each
/// 30 s.
const KNOWN_WITHIN: Duration = Duration::from_secs(45);
const KNOWN_EACH: Duration = Duration::from_secs(1);

/// Makes all of it as it should be; what is so already stays.
pub async fn install(client: &Client) -> Result<(), ClusterError> {
    let until = Instant::now() + KNOWN_WITHIN;
    for manifest in manifests() {
        let of =
            |key: &str| manifest.pointer(key).and_then(|text| text.as_str()).unwrap_or_default().to_string();
        let (version, kind, name) = (of("/apiVersion"), of("/kind"), of("/metadata/name"));
        let what = format!("{kind} {name}");
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let params = PatchParams::apply(FIELD_MANAGER).force();
        loop {
            match api.patch(&name, &params, &Patch::Apply(&manifest)).await {
                Ok(_) => break,
                Err(kube::Error::Api(status)) if passes(&status) && Instant::now() < until => {
                    tokio::time::sleep(KNOWN_EACH).await;
                }
                Err(error) => return Err(ClusterError::of(&what, error)),
            }
        }
    }
    served(client).await
}

/// Somebody else has written at the same moment; or what a policy reads, or the policy that is bound, is not known yet, so the
/// user would have to be allowed to read everything.
fn passes(status: &kube::core::Status) -> bool {
    status.code == 409 || status.code == 422 && status.message.contains("spec.param")
}

async fn served(client: &Client) -> Result<(), ClusterError> {
    let what = "the kind MemorySize";
    let until = Instant::now() + SERVED_WITHIN;
    loop {
        let version = format!("{}/v1alpha1", crate::kinds::GROUP);
        match client.list_api_group_resources(&version).await {
            Ok(list) if list.resources.iter().any(|known| known.kind == "MemorySize") => return Ok(()),
            Err(kube::Error::Api(status)) if status.code != 404 => {
                return Err(ClusterError::of(what, kube::Error::Api(status)));
            }
            _ if Instant::now() > until => {
                return Err(ClusterError::NotSynced(what.into(), SERVED_WITHIN.as_secs()));
            }
            _ => tokio::time::sleep(SERVED_EACH).await,
        }
    }
}
