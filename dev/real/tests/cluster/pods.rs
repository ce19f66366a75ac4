//! Pods of a test: made, changed and waited for.

use crate::cluster;
use plimsoll_real::answered;
use plimsoll_real::cluster::{Client, Patch};
use serde_json::{Value, json};
use std::time::Duration;

/// Kubelets that are played take a second; one under emulation, ten for a pod, and minutes beside others' work.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Asks again and again until there is an answer; till then it is told what there is instead.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Result<T, Value>) -> T {
    answered(TIMEOUT, what, ask)
}

/// Pods in a namespace of their own.
pub struct Namespace {
    pub admin: Client,
    /// The path of its pods.
    pub pods: String,
    /// The path of its deployments.
    pub deployments: String,
}

impl Namespace {
    pub fn new(name: &str) -> Namespace {
        let admin = cluster().admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).created();
        let pods = format!("/api/v1/namespaces/{name}/pods");
        Namespace { admin, pods, deployments: format!("/apis/apps/v1/namespaces/{name}/deployments") }
    }

    pub fn create(&self, name: &str, spec: &Value) {
        self.admin.post(&self.pods, &json!({"metadata": {"name": name}, "spec": spec})).ok();
    }

    pub fn pod(&self, name: &str) -> Value {
        self.admin.get(&format!("{}/{name}", self.pods)).body
    }

    /// The pod once it is as expected.
    pub fn pod_once(&self, name: &str, what: &str, expect: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("pod {name} is {what}"), || {
            let pod = self.pod(name);
            if expect(&pod) { Ok(pod) } else { Err(pod["status"].clone()) }
        })
    }

    pub fn running(&self, name: &str) -> Value {
        self.pod_once(name, "Running", |pod| pod["status"]["phase"] == "Running")
    }

    pub fn annotate(&self, name: &str, annotation: &str, value: &Value) {
        let change = json!({"metadata": {"annotations": {format!("plimsoll.dev/{annotation}"): value}}});
        self.admin.patch(&format!("{}/{name}", self.pods), Patch::Merge, &change).ok();
    }

    pub fn resize(&self, name: &str, container: &str, memory: &str) {
        let change = json!({"spec": {"containers": [{"name": container, "resources": size(memory)}]}});
        self.admin.patch(&format!("{}/{name}/resize", self.pods), Patch::Strategic, &change).ok();
    }
}

pub fn size(memory: &str) -> Value {
    json!({"requests": {"memory": memory}, "limits": {"memory": memory}})
}

pub fn container(name: &str, memory: &str) -> Value {
    json!({"name": name, "image": "registry.example/app:1", "resources": size(memory)})
}

pub fn status_of<'a>(pod: &'a Value, container: &str) -> &'a Value {
    let statuses = pod["status"]["containerStatuses"].as_array();
    statuses.into_iter().flatten().find(|status| status["name"] == container).unwrap_or(&Value::Null)
}

pub fn condition<'a>(pod: &'a Value, kind: &str) -> &'a Value {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

/// A container has this size, and nothing of a resize is left over.
pub fn has(pod: &Value, container: &str, memory: &str) -> bool {
    let status = status_of(pod, container);
    status["resources"] == size(memory)
        && status["allocatedResources"]["memory"] == memory
        && condition(pod, "PodResizePending").is_null()
        && condition(pod, "PodResizeInProgress").is_null()
        && pod["status"]["observedGeneration"] == pod["metadata"]["generation"]
}
