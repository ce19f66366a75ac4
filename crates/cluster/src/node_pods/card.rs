//! A pod on a card. What the wire has beside is not even read into memory.

use super::ci::{self, CiJob};
use crate::read::memory;
use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::ResourceExt;
use kube::core::Object;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the kubelet calls a static pod, by which its cgroup is named: the API has another uid for its mirror.
const CONFIG_HASH: &str = "kubernetes.io/config.hash";
/// What a Deployment puts behind its own name to name a ReplicaSet.
const TEMPLATE_HASH: &str = "pod-template-hash";
/// A CronJob puts the minutes since 1970 behind its own name to name a Job.
const MINUTES_DIGITS: usize = 8;

/// A pod as it is read.
pub(super) type NodePod = Object<Spec, Status>;

/// Of a pod's spec.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    node_name: Option<String>,
    containers: Vec<SpecContainer>,
    init_containers: Vec<SpecContainer>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SpecContainer {
    name: String,
    image: String,
    resources: Option<ResourceRequirements>,
    env: Vec<Variable>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Variable {
    name: String,
    value: Option<String>,
}

/// Of a pod's status.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    container_statuses: Vec<StatusContainer>,
    init_container_statuses: Vec<StatusContainer>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusContainer {
    name: String,
    #[serde(rename = "containerID")]
    container_id: Option<String>,
}

/// What is kept of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: String,
    /// Kind of what made it: of a Deployment's, Deployment; empty where nothing did.
    pub workload_kind: String,
    /// The name of that.
    pub workload: String,
    /// The CI job it does.
    pub ci: CiJob,
    /// Its containers.
    pub containers: Vec<ContainerCard>,
}

/// What is kept of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerCard {
    /// Its name.
    pub name: String,
    /// Its id, without the runtime before it; `None` before it was started.
    pub id: Option<String>,
    /// The image as the pod names it.
    pub image: String,
    /// What it requests, in bytes.
    pub request_bytes: Option<u64>,
}

impl Card {
    pub(super) fn of(pod: &NodePod) -> Card {
        let status = pod.status.as_ref();
        let statuses =
            status.map(|status| status.container_statuses.iter().chain(&status.init_container_statuses));
        let id = |name: &str| {
            let status = statuses.clone()?.find(|status| status.name == name)?;
            let id = status.container_id.as_deref()?;
            Some(id.split_once("://").map_or(id, |(_, id)| id).to_string())
        };
        let all = || pod.spec.containers.iter().chain(&pod.spec.init_containers);
        let container = |it: &SpecContainer| ContainerCard {
            name: it.name.clone(),
            id: id(&it.name),
            image: it.image.clone(),
            request_bytes: request(it.resources.as_ref()),
        };
        let variables: BTreeMap<&str, &str> = all()
            .flat_map(|container| &container.env)
            .filter(|variable| ci::VARIABLES.contains(&variable.name.as_str()))
            .filter_map(|variable| Some((&*variable.name, variable.value.as_deref()?)))
            .collect();
        let (workload_kind, workload) = workload(pod);
        Card {
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            node: pod.spec.node_name.clone().unwrap_or_default(),
            workload_kind,
            workload,
            ci: ci::job(pod.labels(), pod.annotations(), &variables),
            containers: all().map(container).collect(),
        }
    }

    /// The container of this id.
    pub fn container(&self, id: &str) -> Option<&ContainerCard> {
        self.containers.iter().find(|container| container.id.as_deref() == Some(id))
    }
}

fn request(of: Option<&ResourceRequirements>) -> Option<u64> {
    memory(of?.requests.as_ref(), None).request.map(|request| request.bytes())
}

/// By what its cgroup may be named.
pub(super) fn uids(pod: &NodePod) -> Vec<String> {
    let hash = pod.annotations().get(CONFIG_HASH).cloned();
    pod.uid().into_iter().chain(hash).collect()
}

/// What made it, and would make another of the same name: not the ReplicaSet or Job, of which there is a new one each time.
fn workload(pod: &NodePod) -> (String, String) {
    let Some(owner) = pod.owner_references().iter().find(|owner| owner.controller == Some(true)) else {
        return Default::default();
    };
    let without = |end: &str| owner.name.strip_suffix(end)?.strip_suffix('-').map(str::to_string);
    let named = |kind: &str, name: String| (kind.to_string(), name);
    match owner.kind.as_str() {
        "ReplicaSet" => {
            let name = pod.labels().get(TEMPLATE_HASH).and_then(|hash| without(hash));
            name.map(|name| named("Deployment", name))
                .unwrap_or_else(|| named("ReplicaSet", owner.name.clone()))
        }
        "Job" => {
            let minutes = owner.name.rsplit('-').next().unwrap_or_default();
            let is_made =
                minutes.len() == MINUTES_DIGITS && minutes.bytes().all(|byte| byte.is_ascii_digit());
            let name = is_made.then(|| without(minutes)).flatten();
            name.map(|name| named("CronJob", name)).unwrap_or_else(|| named("Job", owner.name.clone()))
        }
        // A static pod's owner is its node: it is nobody's workload.
        "Node" => Default::default(),
        kind => named(kind, owner.name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(value: Value) -> NodePod {
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn a_card_has_what_is_needed_and_nothing_else() {
        let value = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "uid": "u", "name": "runner-1", "namespace": "ci", "managedFields": [{"manager": "x"}],
                "labels": {"pod": "x", "owner": "jane"},
                "annotations": {"job.runner.gitlab.com/name": "build", "mail": "jane@example.com"},
            },
            "spec": {
                "nodeName": "one", "volumes": [{"name": "v"}],
                "containers": [{
                    "name": "build", "image": "node:20", "resources": {"requests": {"memory": "256Mi", "cpu": "1"}},
                    "env": [{"name": "CI_JOB_STAGE", "value": "test"}, {"name": "GITLAB_USER_LOGIN", "value": "jane"},
                            {"name": "CI_JOB_TOKEN", "value": "secret"}, {"name": "P", "valueFrom": {}}],
                }, {"name": "helper", "image": "helper:1"}],
            },
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "build", "containerID": "containerd://abc"}, {"name": "helper", "state": {}},
            ]},
        });
        let card = Card::of(&pod(value));
        let text = format!("{card:?}");
        assert!(!text.contains("jane") && !text.contains("secret"), "{text}");
        assert_eq!((&*card.namespace, &*card.name, &*card.node), ("ci", "runner-1", "one"));
        assert_eq!((&*card.ci.job, &*card.ci.stage), ("build", "test"));
        let build = card.container("abc").expect("its container");
        assert_eq!((&*build.name, build.request_bytes), ("build", Some(256 << 20)));
        assert_eq!(card.containers[1].id, None);
        assert_eq!(card.containers[1].request_bytes, None);
    }

    #[test]
    fn workloads_outlive_what_they_make() {
        let check = |kind: &str, name: &str, hash: Option<&str>, expect: (&str, &str)| {
            let owner =
                json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": true}]);
            let labels = hash.map_or(json!({}), |hash| json!({"pod-template-hash": hash}));
            let pod = pod(json!({"metadata": {"ownerReferences": owner, "labels": labels}, "spec": {}}));
            let (kind, name) = workload(&pod);
            assert_eq!((&*kind, &*name), expect);
        };
        check("ReplicaSet", "web-5d4f8c", Some("5d4f8c"), ("Deployment", "web"));
        check("ReplicaSet", "web-5d4f8c", None, ("ReplicaSet", "web-5d4f8c"));
        check("ReplicaSet", "web", Some("5d4f8c"), ("ReplicaSet", "web"));
        check("StatefulSet", "db", None, ("StatefulSet", "db"));
        check("Job", "backup-29012345", None, ("CronJob", "backup"));
        check("Job", "migrate-7", None, ("Job", "migrate-7"));
        check("Job", "29012345", None, ("Job", "29012345"));
        check("Node", "one", None, ("", ""));
        check("Rollout", "web", None, ("Rollout", "web"));
        assert_eq!(workload(&pod(json!({"metadata": {}, "spec": {}}))), Default::default());
    }

    #[test]
    fn a_static_pod_has_two_names() {
        let value =
            json!({"metadata": {"uid": "u", "annotations": {"kubernetes.io/config.hash": "h"}}, "spec": {}});
        assert_eq!(uids(&pod(value)), ["u", "h"]);
    }
}
