//! Sizes that new pods of a workload get on admission.

use super::{Done, done};
use crate::ClusterError;
use crate::kinds::{FIELD_MANAGER, MemorySize};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, Client};
use plimsoll_core::inventory::{Sizes, WorkloadId};

/// From now on new pods of the workload get these sizes: the name of each container, what the template says, what it gets.
pub async fn size_new_pods(
    client: &Client,
    plan: &str,
    workload: &WorkloadId,
    containers: &[(String, Sizes, Sizes)],
) -> Result<Done, ClusterError> {
    let size = MemorySize::new(plan, workload, containers);
    let api: Api<MemorySize> = Api::namespaced(client.clone(), &workload.namespace);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let applied = api.patch(&MemorySize::name(workload), &params, &Patch::Apply(&size)).await;
    applied
        .map(|_| Done::Yes)
        .map_err(|error| ClusterError::of(&format!("sizes of new pods of {workload}"), error))
}

/// From now on new pods of the workload are what its template says.
pub async fn leave_new_pods(client: &Client, workload: &WorkloadId) -> Result<Done, ClusterError> {
    let api: Api<MemorySize> = Api::namespaced(client.clone(), &workload.namespace);
    let deleted = api.delete(&MemorySize::name(workload), &DeleteParams::default()).await;
    done(&format!("sizes of new pods of {workload}"), deleted)
}
