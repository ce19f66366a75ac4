//! Nodes as their kubelets register them.

use super::Client;
use serde_json::{Value, json};

/// The label of nodes whose kubelet is played, and what it says; others have one of their own.
pub(super) const PLAYED: [&str; 2] = ["plimsoll.dev/kubelet", "played"];

/// A node that pods may be scheduled on.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Memory for pods, as Kubernetes writes it: `7Gi`.
    pub memory: String,
    /// CPU for pods, as Kubernetes writes it: `2` or `1500m`.
    pub cpu: String,
    /// How many pods it takes.
    pub pods: u32,
}

impl Node {
    /// One for this much memory and CPU and for 110 pods, the kubelet's default.
    pub fn new(name: &str, memory: &str, cpu: &str) -> Node {
        Node { name: name.to_string(), memory: memory.to_string(), cpu: cpu.to_string(), pods: 110 }
    }

    pub(super) fn object(&self) -> Value {
        let size = json!({"memory": self.memory, "cpu": self.cpu, "pods": self.pods.to_string()});
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {
                "kubernetes.io/hostname": self.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                PLAYED[0]: PLAYED[1],
            }},
            "status": {"allocatable": size, "capacity": size},
        })
    }

    /// Whether pods can be scheduled on it: until the controllers have seen that it is ready it is tainted.
    pub(super) fn is_ready(&self, admin: &Client) -> bool {
        is_ready(&self.name, admin)
    }
}

/// The same of any node.
pub(super) fn is_ready(name: &str, admin: &Client) -> bool {
    let node = admin.get(&format!("/api/v1/nodes/{name}")).body;
    let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    node["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(is_ready))
        && node["spec"]["taints"].is_null()
}
