//! A small cluster: a real API server, scheduler and controllers, a node whose pods have real cgroups, two workloads, and
//! `plimsoll controller`, which has their sizes follow what they use.

use super::kubelet::{Kubelet, USES};
use crate::Failure;
use plimsoll_core::size::parse_size;
use plimsoll_real::cluster::{Client, Cluster, Node, metrics};
use plimsoll_real::{Server, eventually};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The node that the agent is on.
pub const NODE: &str = "one";
/// Where sizes follow use.
pub const NAMESPACE: &str = "shop";
/// Where a runner is, whose size no policy is about.
const RUNNERS: &str = "gitlab";
/// What serves people, and is scaled ahead of the schedule.
const BACKEND: &str = "backend";
/// What `web` may have, as people wrote it.
const WEB_LIMIT: &str = "256Mi";
const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
const POLICIES: &str = "/apis/plimsoll.dev/v1alpha1/namespaces/shop/memorypolicies";

/// A workload as people wrote it: much more than it uses.
struct Workload {
    namespace: &'static str,
    name: &'static str,
    kind: &'static str,
    replicas: usize,
    request: &'static str,
    limit: &'static str,
    uses_mib: u32,
}

const WORKLOADS: [Workload; 3] = [
    Workload {
        namespace: NAMESPACE,
        name: "web",
        kind: "Deployment",
        replicas: 2,
        request: "192Mi",
        limit: WEB_LIMIT,
        uses_mib: 60,
    },
    Workload {
        namespace: NAMESPACE,
        name: BACKEND,
        kind: "StatefulSet",
        replicas: 2,
        request: "320Mi",
        limit: "512Mi",
        uses_mib: 120,
    },
    Workload {
        namespace: RUNNERS,
        name: "gitlab-runner",
        kind: "Deployment",
        replicas: 1,
        request: "64Mi",
        limit: "192Mi",
        uses_mib: 24,
    },
];

/// See the module; all of it ends when this is dropped.
pub struct Shop {
    pub controller: Server,
    admin: Client,
    // Before the cluster it asks.
    pub kubelet: Kubelet,
    _cluster: Cluster,
}

impl Shop {
    /// Opens it on a cluster; the agent is told of its node by then.
    pub fn open(cluster: Cluster, program: &str) -> Result<Shop, Failure> {
        let admin = cluster.admin();
        let kinds = Command::new(program).arg("crd").output()?.stdout;
        admin.apply_all(&String::from_utf8(kinds)?);
        for name in [NAMESPACE, RUNNERS] {
            admin.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).created();
        }
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
        Ok(Shop { controller, admin, kubelet, _cluster: cluster })
    }

    /// Has a pod of `web`, whose limit the controller has lowered, need what it had before.
    pub fn need_more(&self) -> Result<(), Failure> {
        let before = parse_size(WEB_LIMIT)?;
        eventually(|| self.kubelet.limit_bytes("web-").is_ok_and(|it| it < before));
        self.kubelet.overfill("web-")
    }

    /// Somebody else has the backend scaled.
    pub fn meddle(&self) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        self.admin
            .post(
                AUTOSCALERS,
                &json!({"metadata": {"name": BACKEND}, "spec": {
                    "minReplicas": 1, "maxReplicas": 4,
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": BACKEND},
                    "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
                }}),
            )
            .created();
    }

    /// And not any more.
    pub fn leave(&self) {
        self.admin.delete(&format!("{AUTOSCALERS}/{BACKEND}")).ok();
    }

    /// Ends the runner's pod; its Deployment makes another.
    pub fn end_runner(&self) {
        self.admin.delete(&format!("/api/v1/namespaces/{RUNNERS}/pods")).ok();
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
        let path = format!("/apis/apps/v1/namespaces/{}/{}s", self.namespace, self.kind.to_lowercase());
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
