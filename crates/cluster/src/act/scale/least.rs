//! The least that an autoscaler keeps, and the replicas of a CapacityBuffer: a number in the spec, and beside it as annotations what
//! people had there, so that whoever looks sees it and it can be put back.

use super::{Done, Found, Scaler, Way, changed, failed, workload};
use crate::ClusterError;
use crate::kinds::FIELD_MANAGER;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, ResourceExt};
use plimsoll_core::capacity::booking::timeline::{Mark, Move};
use plimsoll_core::inventory::{Kind, WorkloadId};
use serde_json::{Value, json};

/// What people had.
const BEFORE: &str = "plimsoll.dev/least-before";
/// What we have set: where it is something else by now, people have changed it.
const SET: &str = "plimsoll.dev/least-set";

/// Where the numbers are in an object.
struct Shape {
    /// Group, version and kind.
    is: [&'static str; 3],
    /// The field that is set, and what it means where it is not there.
    least: (&'static str, u32),
    /// The field of the most it keeps, and what it means where it is not there.
    most: Option<(&'static str, u32)>,
    /// The field that names the workload.
    target: &'static str,
}

/// <https://keda.sh/docs/2.21/reference/scaledobject-spec/> and, in kubernetes/autoscaler,
/// `cluster-autoscaler/apis/capacitybuffer/autoscaling.x-k8s.io/v1beta1/types.go`
fn shape(way: &Way) -> Shape {
    match way {
        Way::ScaledObject => Shape {
            is: ["keda.sh", "v1alpha1", "ScaledObject"],
            least: ("minReplicaCount", 0),
            most: Some(("maxReplicaCount", 100)),
            target: "scaleTargetRef",
        },
        Way::Buffer(..) => Shape {
            is: ["autoscaling.x-k8s.io", "v1beta1", "CapacityBuffer"],
            least: ("replicas", 0),
            most: None,
            target: "scalableRef",
        },
        Way::Autoscaler | Way::Replicas(_) => Shape {
            is: ["autoscaling", "v2", "HorizontalPodAutoscaler"],
            least: ("minReplicas", 1),
            most: Some(("maxReplicas", 1)),
            target: "scaleTargetRef",
        },
    }
}

fn api(client: &Client, scaler: &Scaler, shape: &Shape) -> Api<DynamicObject> {
    let [group, version, kind] = shape.is;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(client.clone(), &scaler.namespace, &resource)
}

pub(super) async fn look(client: &Client, scaler: &Scaler) -> Result<Found, ClusterError> {
    let shape = shape(&scaler.way);
    let object = match api(client, scaler, &shape).get_opt(&scaler.name).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let [group, version, kind] = shape.is;
            let why = format!("the cluster does not know {kind} of {group}/{version}");
            return Err(scaler.unfit(why, "install what brings it, or scale by something else".into()));
        }
        object => object.map_err(|error| failed(&scaler.to_string(), error))?,
    };
    let (kind, name) = target(scaler, &shape, object.as_ref())?;
    let id = WorkloadId { namespace: scaler.namespace.clone(), kind, name };
    let next = || "check capacity.ahead in plimsoll.yaml".to_string();
    let seen = workload::look(client, &id).await?;
    let seen = seen.ok_or_else(|| scaler.unfit(format!("{id}, which it is for, is not there"), next()))?;
    let number = |(field, absent): (&str, u32)| {
        let number = object.as_ref().and_then(|object| object.data["spec"][field].as_u64());
        number.map_or(absent, |number| u32::try_from(number).unwrap_or(u32::MAX))
    };
    Ok(Found {
        set: number(shape.least),
        most: shape.most.map_or(u32::MAX, number),
        mark: object.as_ref().and_then(mark),
        running: seen.running,
        ready: seen.ready,
        spare: object.as_ref().map_or(0, |object| spare(&object.data)),
        workload: id,
        selector: seen.selector,
        version: object.and_then(|object| object.resource_version()),
    })
}

/// Whose pods it is about.
fn target(
    scaler: &Scaler,
    shape: &Shape,
    object: Option<&DynamicObject>,
) -> Result<(Kind, String), ClusterError> {
    if let Way::Buffer(kind, name) = &scaler.way {
        return Ok((*kind, name.clone()));
    }
    let next = "check capacity.ahead in plimsoll.yaml";
    let object = object.ok_or_else(|| scaler.unfit("it is not there".into(), next.into()))?;
    let target = &object.data["spec"][shape.target];
    // KEDA means a Deployment where it does not say.
    let kind = target["kind"].as_str().unwrap_or("Deployment");
    let unknown =
        || scaler.unfit(format!("it scales a {kind}"), "scale a Deployment or a StatefulSet".into());
    Ok((workload::kind(kind).ok_or_else(unknown)?, target["name"].as_str().unwrap_or_default().to_string()))
}

fn mark(object: &DynamicObject) -> Option<Mark> {
    let number = |key: &str| object.annotations().get(key)?.parse::<u32>().ok();
    let (set, before) = (number(SET)?, number(BEFORE)?);
    Some(Mark { set, from: set, before })
}

/// Pods of a buffer for which nodes are there, by its conditions.
fn spare(data: &Value) -> u32 {
    let conditions = data["status"]["conditions"].as_array();
    let is_there = |one: &Value| one["type"] == "Provisioning" && one["status"] == "True";
    let replicas =
        data["status"]["replicas"].as_u64().filter(|_| conditions.into_iter().flatten().any(is_there));
    replicas.map_or(0, |replicas| u32::try_from(replicas).unwrap_or(u32::MAX))
}

pub(super) async fn set(
    client: &Client,
    scaler: &Scaler,
    found: &Found,
    to: Move,
) -> Result<Done, ClusterError> {
    let shape = shape(&scaler.way);
    let text = |number: Option<u32>| number.map(|number| number.to_string());
    let annotations =
        json!({ BEFORE: text(to.mark.map(|mark| mark.before)), SET: text(to.mark.map(|mark| mark.set)) });
    let mut spec = json!({ shape.least.0: to.to });
    let (what, api) = (scaler.to_string(), api(client, scaler, &shape));
    if let (Way::Buffer(kind, name), None) = (&scaler.way, &found.version) {
        spec[shape.target] = json!({"apiGroup": "apps", "kind": format!("{kind:?}"), "name": name});
        let [group, version, kind] = shape.is;
        let labels = json!({"app.kubernetes.io/managed-by": FIELD_MANAGER});
        let metadata = json!({"name": scaler.name, "labels": labels, "annotations": annotations});
        let object = json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "metadata": metadata, "spec": spec});
        let object = serde_json::from_value(object)
            .map_err(|error| ClusterError::Failed { what: what.clone(), message: error.to_string() })?;
        let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
        return changed(&what, api.create(&params, &object).await);
    }
    let metadata = json!({"resourceVersion": found.version, "annotations": annotations});
    let patch = json!({"metadata": metadata, "spec": spec});
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    changed(&what, api.patch(&scaler.name, &params, &Patch::Merge(&patch)).await)
}
