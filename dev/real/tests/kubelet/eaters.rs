//! Pods that eat memory on the machine, and what is seen of them there.

use crate::pods::{Namespace, eventually, size};
use plimsoll_real::cluster::Machine;
use serde_json::{Value, json};
use std::sync::OnceLock;

pub const MIB: u64 = 1 << 20;

/// Eaters in a namespace of their own.
pub struct Eaters {
    pub pods: Namespace,
    name: String,
}

/// A pod that sees the cgroups of the machine, for all tests.
fn witness() -> &'static Eaters {
    static WITNESS: OnceLock<Eaters> = OnceLock::new();
    WITNESS.get_or_init(|| {
        let eaters = Eaters::new("witness");
        let mount = json!({"name": "cgroups", "mountPath": "/cgroups", "readOnly": true});
        let container = json!({"name": "app", "image": Machine::IMAGE, "volumeMounts": [mount]});
        let volume = json!({"name": "cgroups", "hostPath": {"path": "/sys/fs/cgroup"}});
        eaters.create("witness", json!({"containers": [container], "volumes": [volume]}));
        eaters.ready("witness");
        eaters
    })
}

impl Eaters {
    pub fn new(name: &str) -> Eaters {
        Eaters { pods: Namespace::new(name), name: name.to_string() }
    }

    fn create(&self, name: &str, mut spec: Value) {
        spec["nodeName"] = json!(Machine::NAME);
        // The machine has no network for pods.
        spec["hostNetwork"] = json!(true);
        spec["terminationGracePeriodSeconds"] = json!(0);
        self.pods.create(name, &spec);
    }

    /// One with this limit, and with arguments of the example `eater`.
    pub fn start(&self, name: &str, memory: &str, arguments: &[&str]) {
        let container =
            json!({"name": "app", "image": Machine::IMAGE, "args": arguments, "resources": size(memory)});
        self.create(name, json!({"containers": [container]}));
    }

    /// The pod once its container holds this much.
    pub fn holding(&self, name: &str, mib: u64) -> Value {
        let pod = self.ready(name);
        eventually(&format!("{name} holds {mib} MiB"), || {
            let used = bytes(self.output(name, "cat /sys/fs/cgroup/memory.current"));
            if used >= mib * MIB { Ok(()) } else { Err(json!(used)) }
        });
        pod
    }

    /// The pod once it is ready.
    pub fn ready(&self, name: &str) -> Value {
        self.pods.pod_once(name, "ready", |pod| {
            let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
            pod["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(is_ready))
        })
    }

    /// What a command prints in the container `app` of a pod.
    pub fn output(&self, pod: &str, command: &str) -> String {
        let command = command.replace(' ', "%20");
        let path = format!("{}/run/{}/{pod}/app?cmd={command}", kubelet(), self.name);
        match self.pods.admin.post(&path, &Value::Null).ok() {
            Value::String(text) => text,
            // A lone number.
            other => other.to_string(),
        }
    }

    /// The limit of a pod's container, in bytes, by the kernel.
    pub fn limit(&self, pod: &str) -> u64 {
        bytes(self.output(pod, "cat /sys/fs/cgroup/memory.max"))
    }

    /// The limit of the pod itself, in which its containers are.
    pub fn limit_of_pod(&self, pod: &str) -> u64 {
        let uid = self.pods.pod(pod)["metadata"]["uid"].as_str().expect("a uid").to_string();
        bytes(witness().output("witness", &format!("cat /cgroups/kubepods/burstable/pod{uid}/memory.max")))
    }

    /// The working set of a pod's container, in bytes, in the kubelet's summary; else that summary.
    pub fn used(&self, pod: &str, container: &str) -> Result<u64, Value> {
        let summary = self.pods.admin.get(&format!("{}/stats/summary", kubelet())).ok();
        let pods = summary["pods"].as_array().into_iter().flatten();
        let of_pod =
            |one: &&Value| one["podRef"]["name"] == pod && one["podRef"]["namespace"] == self.name.as_str();
        let containers = pods.filter(of_pod).filter_map(|pod| pod["containers"].as_array()).flatten();
        let mut of_container = containers.filter(|one| one["name"] == container);
        let used = of_container.find_map(|one| one["memory"]["workingSetBytes"].as_u64());
        used.ok_or(summary)
    }
}

fn bytes(text: String) -> u64 {
    text.trim().parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The path by which the API server hands requests on to the kubelet.
fn kubelet() -> String {
    format!("/api/v1/nodes/{}/proxy", Machine::NAME)
}
