//! How it stands with a policy, for whoever looks at it.

use super::{Done, done};
use crate::ClusterError;
use crate::kinds::{FIELD_MANAGER, MemoryPolicy, MemoryPolicyStatus};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

/// Writes the status of a policy.
pub async fn set_policy_status(
    client: &Client,
    policy: &MemoryPolicy,
    status: &MemoryPolicyStatus,
) -> Result<Done, ClusterError> {
    let namespace = policy.namespace().unwrap_or_default();
    let api: Api<MemoryPolicy> = Api::namespaced(client.clone(), &namespace);
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    let patch = Patch::Merge(json!({ "status": status }));
    let what = format!("status of MemoryPolicy {namespace}/{}", policy.name_any());
    done(&what, api.patch_status(&policy.name_any(), &params, &patch).await)
}
