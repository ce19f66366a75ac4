//! What is dropped of each object on arrival: a cluster's objects are mostly text that nothing here is decided by.

use super::template;
use crate::read::{MEMORY_MANAGER, SWAP};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Node, PodSpec};
use kube::{Resource, ResourceExt};

/// Kept of annotations: marks of sources elsewhere.
const KEPT_ANNOTATIONS: [&str; 1] = ["argocd.argoproj.io/tracking-id"];

/// Kept of the labels of nodes: what they say of their kubelets.
const KEPT_LABELS: [&str; 2] = [MEMORY_MANAGER, SWAP];

/// Who wrote which field, and annotations.
pub fn metadata<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().retain(|key, _| KEPT_ANNOTATIONS.contains(&key.as_str()));
}

pub fn deployment(object: &mut Deployment) {
    let whole = object.spec.as_ref().map(|spec| spec.template.clone());
    metadata(object);
    template::note(object, whole);
    if let Some(spec) = object.spec.as_mut() {
        pod_spec(spec.template.spec.as_mut());
    }
}

pub fn stateful_set(object: &mut StatefulSet) {
    let whole = object.spec.as_ref().map(|spec| spec.template.clone());
    metadata(object);
    template::note(object, whole);
    if let Some(spec) = object.spec.as_mut() {
        spec.volume_claim_templates = None;
        pod_spec(spec.template.spec.as_mut());
    }
}

pub fn daemon_set(object: &mut DaemonSet) {
    let whole = object.spec.as_ref().map(|spec| spec.template.clone());
    metadata(object);
    template::note(object, whole);
    if let Some(spec) = object.spec.as_mut() {
        pod_spec(spec.template.spec.as_mut());
    }
}

/// Only whose it is counts.
pub fn replica_set(object: &mut ReplicaSet) {
    metadata(object);
    (object.spec, object.status) = (None, None);
    object.labels_mut().clear();
}

pub fn node(object: &mut Node) {
    metadata(object);
    object.labels_mut().retain(|key, _| KEPT_LABELS.contains(&key.as_str()));
    if let Some(status) = object.status.as_mut() {
        (status.images, status.volumes_attached, status.volumes_in_use) = (None, None, None);
    }
}

/// What its metrics are at now is read of pods.
pub fn autoscaler(object: &mut HorizontalPodAutoscaler) {
    metadata(object);
    if let Some(status) = object.status.as_mut() {
        status.current_metrics = None;
    }
}

fn pod_spec(spec: Option<&mut PodSpec>) {
    let Some(spec) = spec else { return };
    (spec.volumes, spec.affinity, spec.tolerations) = (None, None, None);
    (spec.topology_spread_constraints, spec.image_pull_secrets) = (None, None);
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        (container.volume_mounts, container.env_from, container.ports) = (None, None, None);
        (container.liveness_probe, container.readiness_probe, container.startup_probe) = (None, None, None);
        (container.lifecycle, container.security_context) = (None, None);
    }
}
