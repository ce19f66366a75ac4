//! A cluster with three deployments whose use a test says, and the controller as a process beside it.

use super::common::cluster::used;
use super::controller::{Controller, eventually, install};
use plimsoll_real::cluster::metrics;
use plimsoll_real::cluster::vpa::Autoscaler;
use plimsoll_real::cluster::{Asked, Client, Cluster, Node, Options, User};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// As whom the controller acts; it is called by its token.
const USER: &str = "controller";
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("controller")
}

/// MiB that each pod of a deployment uses.
type Uses = Arc<Mutex<BTreeMap<String, u64>>>;

pub struct Shop {
    pub admin: Client,
    cluster: Cluster,
    uses: Uses,
}

impl Shop {
    /// `web`, three pods; `scaled`, which an autoscaler sizes by memory; `mine`, which is excluded.
    pub fn open() -> Shop {
        let _ = std::fs::remove_dir_all(folder());
        std::fs::create_dir_all(folder()).expect("a folder");
        let options = Options { users: vec![User::new(USER, USER, &[])], audit: true, ..Options::default() };
        let nodes = ["one", "two"].map(|name| Node::new(name, "7Gi", "4"));
        let cluster = Cluster::start_with(&folder(), &nodes, &options);
        let uses = Uses::default();
        let shop = Shop { admin: cluster.admin(), cluster, uses: uses.clone() };
        Autoscaler::install(&shop.cluster);
        shop.admin.post("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}})).created();
        for (name, replicas) in [("web", 3), ("scaled", 1), ("mine", 1)] {
            shop.deploy(name, replicas);
            shop.uses(name, 100);
        }
        shop.autoscale("scaled");
        install(&shop.admin, &["crd"]);
        install(&shop.admin, &["crd", "--rbac", "controller"]);
        eventually("our kinds are served", || shop.admin.get(&shop.policies()).status == 200);
        shop.bind();
        let admin = shop.admin.clone();
        metrics::serve(&shop.cluster, move || {
            let uses = uses.lock().expect("no panic").clone();
            used(&admin, "shop", |app| uses.get(app).copied())
        });
        eventually("all pods are ready", || shop.ready() == 5);
        shop
    }

    fn deploy(&self, name: &str, replicas: u32) {
        let resources = json!({"requests": {"memory": "512Mi", "cpu": "50m"}, "limits": {"memory": "1Gi"}});
        let container = json!({"name": "app", "image": "registry.example/app:1", "resources": resources});
        let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}});
        let spec =
            json!({"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template});
        let deployment = json!({"metadata": {"name": name}, "spec": spec});
        self.admin.post("/apis/apps/v1/namespaces/shop/deployments", &deployment).created();
    }

    fn autoscale(&self, name: &str) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let autoscaler = json!({"metadata": {"name": name}, "spec": {
            "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": target}}],
        }});
        let path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
        self.admin.post(path, &autoscaler).created();
    }

    /// Gives the controller its roles, and nothing else.
    fn bind(&self) {
        let group = "rbac.authorization.k8s.io";
        let subject = json!({"kind": "User", "name": USER, "apiGroup": group});
        for (path, kind) in
            [("clusterrolebindings", "ClusterRole"), ("namespaces/plimsoll/rolebindings", "Role")]
        {
            let role = json!({"apiGroup": group, "kind": kind, "name": "plimsoll-controller"});
            let binding = json!({"metadata": {"name": "controller"}, "roleRef": role, "subjects": [subject]});
            self.admin.post(&format!("/apis/{group}/v1/{path}"), &binding).created();
        }
    }

    /// What the controller has asked for.
    pub fn asked(&self) -> Vec<Asked> {
        self.cluster.asked(USER)
    }

    /// Of the administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.cluster.kubeconfig
    }

    pub fn policies(&self) -> String {
        "/apis/plimsoll.dev/v1alpha1/namespaces/shop/memorypolicies".into()
    }

    pub fn vertical(&self, name: &str) -> String {
        format!("/apis/autoscaling.k8s.io/v1/namespaces/shop/verticalpodautoscalers/{name}")
    }

    pub fn status(&self) -> Value {
        self.admin.get(&format!("{}/all", self.policies())).ok()["status"].clone()
    }

    pub fn uses(&self, name: &str, mib: u64) {
        self.uses.lock().expect("no panic").insert(name.into(), mib);
    }

    pub fn pods(&self, app: &str) -> Vec<Value> {
        let all = self.admin.get(&format!("/api/v1/namespaces/shop/pods?labelSelector=app%3D{app}")).ok();
        all["items"].as_array().expect("pods").clone()
    }

    /// Limits of all pods, in MiB, by their status.
    pub fn limits(&self, app: &str) -> Vec<u64> {
        let of = |pod: &Value| {
            let memory = &pod["status"]["containerStatuses"][0]["resources"]["limits"]["memory"];
            match memory.as_str().unwrap_or("0Mi") {
                text if text.ends_with("Gi") => {
                    text.trim_end_matches("Gi").parse::<u64>().expect("Gi") * 1024
                }
                text => text.trim_end_matches("Mi").parse().expect("Mi"),
            }
        };
        self.pods(app).iter().map(of).collect()
    }

    pub fn specs(&self) -> BTreeMap<String, String> {
        let all = self.admin.get("/apis/apps/v1/namespaces/shop/deployments").ok();
        let spec = |one: &Value| (one["metadata"]["name"].to_string(), one["spec"].to_string());
        all["items"].as_array().expect("deployments").iter().map(spec).collect()
    }

    pub fn events(&self, name: &str) -> Vec<Value> {
        let all = self.admin.get("/apis/events.k8s.io/v1/namespaces/shop/events").ok();
        let all = all["items"].as_array().expect("events").clone();
        all.into_iter().filter(|event| event["regarding"]["name"] == name).collect()
    }

    fn ready(&self) -> usize {
        ready(&self.admin)
    }

    /// Counts pods that are ready, again and again, from now on.
    pub fn watch_readiness(&self) -> Readiness {
        let fewest = Arc::new(AtomicUsize::new(usize::MAX));
        let (admin, shared) = (self.admin.clone(), fewest.clone());
        std::thread::spawn(move || {
            while Arc::strong_count(&shared) > 1 {
                shared.fetch_min(ready(&admin), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Readiness(fewest)
    }
}

pub struct Readiness(Arc<AtomicUsize>);

impl Readiness {
    pub fn fewest_ready(self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn ready(admin: &Client) -> usize {
    let pods = admin.get("/api/v1/namespaces/shop/pods").ok();
    let is_ready = |pod: &&Value| {
        let conditions = pod["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    pods["items"].as_array().expect("pods").iter().filter(is_ready).count()
}

/// The controller, as whom it acts, at a pace for tests.
pub fn start(shop: &Shop) -> Controller {
    Controller::start(
        &shop.cluster.kubeconfig_for(USER, USER),
        &["--every", "3s", "--sample", "1s", "--learn", "6s"],
    )
}
