//! Replicas of a workload that nothing else scales, by its scale subresource: that takes no right to touch its template.

use super::workload::{self, api};
use super::{Done, Found, Scaler, changed, failed};
use crate::ClusterError;
use crate::kinds::FIELD_MANAGER;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use plimsoll_core::capacity::booking::timeline::Move;
use plimsoll_core::inventory::{Kind, WorkloadId};
use serde_json::json;

/// Autoscalers of a namespace that are looked at.
const AUTOSCALERS_MAX: u32 = 500;

pub(super) async fn look(client: &Client, scaler: &Scaler, kind: Kind) -> Result<Found, ClusterError> {
    let id = WorkloadId { namespace: scaler.namespace.clone(), kind, name: scaler.name.clone() };
    let seen = workload::look(client, &id).await?;
    let absent = || scaler.unfit("it is not there".into(), "check capacity.ahead in plimsoll.yaml".into());
    let seen = seen.ok_or_else(absent)?;
    nobody_else_scales(client, scaler, kind).await?;
    Ok(Found {
        set: seen.replicas,
        most: u32::MAX,
        mark: None,
        running: seen.running,
        ready: seen.ready,
        spare: 0,
        workload: id,
        selector: seen.selector,
        version: seen.version,
    })
}

/// Two who set the same number undo each other.
async fn nobody_else_scales(client: &Client, scaler: &Scaler, kind: Kind) -> Result<(), ClusterError> {
    let autoscalers: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), &scaler.namespace);
    let all = autoscalers.list(&ListParams::default().limit(AUTOSCALERS_MAX)).await;
    let all = all.map_err(|error| failed(&format!("autoscalers of {}", scaler.namespace), error))?;
    let is_it = |one: &&HorizontalPodAutoscaler| {
        let target = &one.spec.scale_target_ref;
        target.name == scaler.name && target.kind == format!("{kind:?}")
    };
    let Some(other) = all.iter().find(is_it) else { return Ok(()) };
    let name = other.name_any();
    // KEDA scales by an autoscaler of its own.
    let of_keda = other.owner_references().iter().find(|owner| owner.kind == "ScaledObject");
    let (why, instead) = match of_keda {
        Some(owner) => (
            format!("ScaledObject '{}'", owner.name),
            format!("scaled_object: {}/{}", scaler.namespace, owner.name),
        ),
        None => (format!("HorizontalPodAutoscaler '{name}'"), format!("hpa: {}/{name}", scaler.namespace)),
    };
    Err(scaler.unfit(
        format!("{why} scales it, and would undo what is set"),
        format!("use {instead} in capacity.ahead instead, which raises the least it keeps"),
    ))
}

pub(super) async fn set(
    client: &Client,
    scaler: &Scaler,
    kind: Kind,
    found: &Found,
    to: Move,
) -> Result<Done, ClusterError> {
    let patch = json!({"metadata": {"resourceVersion": found.version}, "spec": {"replicas": to.to}});
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    let set =
        api(client, kind, &scaler.namespace).patch_scale(&scaler.name, &params, &Patch::Merge(&patch)).await;
    changed(&scaler.to_string(), set)
}
