//! A small cluster: a real API server, scheduler and controllers, a node whose pods have real cgroups, two workloads, and
//! `plimsoll controller`, which has their sizes follow what they use.

use super::kubelet::{Kubelet, USES};
use crate::Failure;
use plimsoll_real::cluster::{Client, Cluster, Node, metrics};
use plimsoll_real::{Server, eventually};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The node that the agent is on.
pub const NODE: &str = "one";
const NAMESPACE: &str = "shop";
/// What serves people, and is scaled ahead of the schedule.
const BACKEND: &str = "backend";
const APPS: &str = "/apis/apps/v1/namespaces/shop";
const POLICIES: &str = "/apis/plimsoll.dev/v1alpha1/namespaces/shop/memorypolicies";

/// A workload as people wrote it: much more than it uses.
struct Workload {
    name: &'static str,
    kind: &'static str,
    replicas: usize,
    request: &'static str,
    limit: &'static str,
    uses_mib: u32,
}

const WORKLOADS: [Workload; 2] = [
    Workload { name: "web", kind: "Deployment", replicas: 2, request: "192Mi", limit: "256Mi", uses_mib: 60 },
    Workload {
        name: BACKEND,
        kind: "StatefulSet",
        replicas: 2,
        request: "320Mi",
        limit: "512Mi",
        uses_mib: 120,
    },
];

/// See the module; all of it ends when this is dropped.
pub struct Shop {
    pub controller: Server,
    // Before the cluster it asks.
    _kubelet: Kubelet,
    _cluster: Cluster,
}

impl Shop {
    /// Opens it on a cluster; the agent is told of its node by then.
    pub fn open(cluster: Cluster, program: &str) -> Result<Shop, Failure> {
        let admin = cluster.admin();
        let kinds = Command::new(program).arg("crd").output()?.stdout;
        admin.apply_all(&String::from_utf8(kinds)?);
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}})).created();
        WORKLOADS.iter().for_each(|workload| workload.deploy(&admin));
        let kubelet = Kubelet::start(admin.clone(), NODE)?;
        metrics::serve(&cluster, kubelet.uses());
        eventually(|| admin.get(POLICIES).status == 200);
        admin.post(POLICIES, &policy()).created();
        let pods = WORKLOADS.iter().map(|workload| workload.replicas).sum::<usize>();
        eventually(|| kubelet.running() == pods);
        let kubeconfig = cluster.kubeconfig.display().to_string();
        let controller = Server::start(
            program,
            &["controller", "--kubeconfig", &kubeconfig, "--every", "3s", "--sample", "1s", "--learn", "6s"],
            |port| vec![format!("--listen=127.0.0.1:{port}")],
            "/readyz",
        );
        Ok(Shop { controller, _kubelet: kubelet, _cluster: cluster })
    }

    /// The node of it, as a cluster is started with.
    pub fn node() -> Node {
        Node::new(NODE, "7Gi", "4")
    }

    /// What is scaled ahead of the schedule, as plimsoll.yaml has it.
    pub fn scaled() -> String {
        format!("statefulset: {NAMESPACE}/{BACKEND}")
    }
}

impl Workload {
    fn deploy(&self, admin: &Client) {
        let labels = json!({"app": self.name});
        let size = json!({
            "requests": {"memory": self.request, "cpu": "50m"},
            "limits": {"memory": self.limit},
        });
        let container = json!({"name": "app", "image": "registry.example/app:1", "resources": size});
        let uses = json!({USES: self.uses_mib.to_string()});
        let template = json!({
            "metadata": {"labels": labels, "annotations": uses},
            "spec": {"containers": [container]},
        });
        let mut spec = json!({
            "replicas": self.replicas,
            "selector": {"matchLabels": labels},
            "template": template,
        });
        if self.kind == "StatefulSet" {
            spec["serviceName"] = json!(self.name);
            spec["podManagementPolicy"] = json!("Parallel");
        }
        let path = format!("{APPS}/{}s", self.kind.to_lowercase());
        admin.post(&path, &json!({"metadata": {"name": self.name}, "spec": spec})).created();
    }
}

/// All sizes of the namespace follow use, within seconds.
fn policy() -> Value {
    json!({
        "apiVersion": "plimsoll.dev/v1alpha1",
        "kind": "MemoryPolicy",
        "metadata": {"name": "all"},
        "spec": {
            "mode": "Auto",
            "bounds": [{"min": "96Mi"}],
            "budget": {"watchSeconds": 1, "patienceSeconds": 20},
        },
    })
}

/// Starts a cluster with the node in it, in an empty folder.
pub fn cluster(folder: &Path) -> Result<Cluster, Failure> {
    std::fs::create_dir_all(folder)?;
    Ok(Cluster::start(folder, &[Shop::node()]))
}
