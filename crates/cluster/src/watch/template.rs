//! The hash of a workload's template, taken on arrival: most of what it is of is dropped then.

use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};
use kube::{Resource, ResourceExt};
use twox_hash::XxHash64;

/// Where it is kept in what is kept of an object; nothing of the kind is in the cluster.
const KEPT_AS: &str = "plimsoll.dev/template-hash";

/// Notes the hash of an object's template on it.
pub(super) fn note<K: Resource>(object: &mut K, template: Option<PodTemplateSpec>) {
    let hash = template.and_then(hash).map(|hash| hash.to_string());
    object.annotations_mut().extend(hash.map(|hash| (KEPT_AS.to_string(), hash)));
}

/// What was noted; 0 where there was no template.
pub(crate) fn noted<K: Resource>(object: &K) -> u64 {
    object.annotations().get(KEPT_AS).and_then(|hash| hash.parse().ok()).unwrap_or(0)
}

/// Of all that a rollout would change but the memory of containers, which we change ourselves and which is compared by
/// itself. The same text has the same hash on every machine: a journal outlives the process that wrote it.
fn hash(mut template: PodTemplateSpec) -> Option<u64> {
    if let Some(spec) = template.spec.as_mut() {
        spec.containers
            .iter_mut()
            .chain(spec.init_containers.iter_mut().flatten())
            .for_each(leave_memory_out);
    }
    Some(XxHash64::oneshot(0, &serde_json::to_vec(&template).ok()?))
}

/// Without memory nothing may be left of what was written for it: whoever takes it away again leaves no trace.
fn leave_memory_out(container: &mut Container) {
    let Some(resources) = container.resources.as_mut() else { return };
    for amounts in [&mut resources.requests, &mut resources.limits] {
        amounts.iter_mut().for_each(|amounts| drop(amounts.remove("memory")));
        *amounts = amounts.take().filter(|amounts| !amounts.is_empty());
    }
    container.resources = container.resources.take().filter(|resources| *resources != Default::default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(template: Value) -> Option<u64> {
        hash(serde_json::from_value(template).expect("a template"))
    }

    fn template() -> Value {
        let memory =
            |size: &str| json!({"requests": {"cpu": "1", "memory": size}, "limits": {"memory": size}});
        json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [{"name": "app", "image": "app:1", "resources": memory("1Gi"),
                    "volumeMounts": [{"name": "state", "mountPath": "/state"}]}],
                "initContainers": [{"name": "mesh", "restartPolicy": "Always", "resources": memory("64Mi")}],
                "volumes": [{"name": "state", "emptyDir": {}}],
            },
        })
    }

    #[test]
    fn whatever_a_rollout_changes_but_memory() {
        let check = |path: &str, value: Value, is_another: bool| {
            let mut other = template();
            *other.pointer_mut(path).expect("there is such a field") = value;
            assert_eq!(of(other) != of(template()), is_another, "{path}");
        };
        check("/spec/containers/0/resources/requests/memory", json!("512Mi"), false);
        check("/spec/containers/0/resources/limits", json!({}), false);
        check("/spec/initContainers/0/resources/limits/memory", json!("1Gi"), false);
        check("/spec/containers/0/image", json!("app:2"), true);
        check("/spec/containers/0/name", json!("web"), true);
        check("/spec/containers/0/resources/requests/cpu", json!("2"), true);
        check("/spec/containers/0/volumeMounts", json!([]), true);
        check("/spec/volumes/0/name", json!("other"), true);
        check("/metadata/labels/app", json!("other"), true);
        let bare =
            |resources: Value| of(json!({"spec": {"containers": [{"name": "app", "resources": resources}]}}));
        assert_eq!(bare(json!({})), bare(json!({"limits": {"memory": "1Gi"}})));
    }

    #[test]
    fn it_is_the_same_on_every_machine() {
        assert_eq!(of(template()), Some(2_274_415_831_304_939_300));
    }
}
