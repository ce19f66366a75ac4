//! The second team's cluster, each test in a namespace of its own, and `plimsoll` in it.

use crate::common::cluster as common;
pub use crate::common::cluster::{said, warned};
use plimsoll_real::cluster::{Client, Cluster, Node};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// Component, pods, request and limit before, and as the team set them by hand, in Mi.
pub type Component = (&'static str, u64, [u64; 2], [u64; 2]);

pub const COMPONENTS: [Component; 6] = [
    ("backend", 2, [512, 1024], [256, 512]),
    ("frontend", 2, [256, 512], [32, 128]),
    ("pod-router", 2, [256, 512], [64, 64]),
    ("redis", 1, [256, 512], [32, 128]),
    ("traefik", 2, [640, 1024], [128, 256]),
    ("metrics", 1, [640, 1024], [128, 256]),
];

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-and-apply")
}

pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let _ = std::fs::remove_dir_all(folder());
        std::fs::create_dir_all(folder()).expect("a folder");
        let nodes = ["one", "two", "three", "four"].map(|name| Node::new(name, "7Gi", "4"));
        Cluster::start(&folder(), &nodes)
    })
}

/// The components in a namespace of their own.
pub struct Shop {
    pub admin: Client,
    pub namespace: &'static str,
    components: &'static [Component],
    before: BTreeMap<String, String>,
}

/// A plan in a file.
pub struct Saved {
    pub path: String,
    pub id: String,
}

impl Shop {
    pub fn open(namespace: &'static str, components: &'static [Component]) -> Shop {
        let admin = cluster().admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
        let mut shop = Shop { admin, namespace, components, before: BTreeMap::new() };
        for (name, replicas, [request, limit], _) in components {
            let memory = |mib: &u64| format!("{mib}Mi");
            let container = json!({
                "name": name, "image": "registry.example/app:1",
                "resources": {
                    "requests": {"memory": memory(request), "cpu": "50m"},
                    "limits": {"memory": memory(limit)},
                },
            });
            let deployment = json!({
                "metadata": {"name": name},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": {"app": name}},
                    "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
                },
            });
            shop.admin.post(&shop.deployments(), &deployment).created();
        }
        shop.eventually("all pods are ready", |shop| shop.ready() == shop.pods_wanted());
        shop.before = shop.specs();
        shop
    }

    pub fn deployments(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace)
    }

    pub fn pods(&self) -> Vec<Value> {
        let pods = self.admin.get(&format!("/api/v1/namespaces/{}/pods", self.namespace)).ok();
        let pods = pods["items"].as_array().expect("pods").clone();
        pods.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
    }

    pub fn pods_wanted(&self) -> usize {
        self.components.iter().map(|(_, pods, ..)| *pods as usize).sum()
    }

    pub fn ready(&self) -> usize {
        let is_ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        self.pods().iter().filter(is_ready).count()
    }

    pub fn eventually(&self, what: &str, so: impl Fn(&Shop) -> bool) {
        common::eventually(what, || so(self), || format!("{:?}", self.actual()));
    }

    /// Specifications of the deployments, as the server writes them.
    pub fn specs(&self) -> BTreeMap<String, String> {
        let all = self.admin.get(&self.deployments()).ok();
        let all = all["items"].as_array().expect("deployments");
        let spec = |one: &Value| (one["metadata"]["name"].to_string(), one["spec"].to_string());
        all.iter().map(spec).collect()
    }

    pub fn is_as_before(&self) -> bool {
        self.specs() == self.before
    }

    /// Actual requests of all pods, in Mi, by their status, and restarts.
    pub fn actual(&self) -> (u64, u64) {
        let pods = self.pods();
        let statuses = pods.iter().flat_map(|pod| pod["status"]["containerStatuses"].as_array()).flatten();
        let of = |status: &Value| {
            let memory = status["resources"]["requests"]["memory"].as_str().unwrap_or("0Mi");
            (
                memory.trim_end_matches("Mi").parse::<u64>().expect("Mi"),
                status["restartCount"].as_u64().unwrap_or(0),
            )
        };
        statuses.map(of).fold((0, 0), |(mib, restarts), (more, again)| (mib + more, restarts + again))
    }

    /// What new pods are told, as our objects have it.
    pub fn memory_sizes(&self) -> Vec<Value> {
        let path = format!("/apis/plimsoll.dev/v1alpha1/namespaces/{}/memorysizes", self.namespace);
        self.admin.get(&path).body["items"].as_array().cloned().unwrap_or_default()
    }

    /// All pods have these requests, and nothing is lost or started anew.
    pub fn expect(&self, what: &str, mib: u64) {
        self.eventually(what, |shop| shop.actual() == (mib, 0) && shop.ready() == shop.pods_wanted());
    }

    /// Nothing is left of any plan.
    pub fn expect_as_before(&self) {
        let before = self.components.iter().map(|(_, pods, [request, _], _)| pods * request).sum();
        self.expect("all as it was", before);
        assert!(self.is_as_before(), "{:?}", self.specs());
        assert_eq!(self.memory_sizes(), Vec::<Value>::new());
    }

    /// What `plimsoll rightsize` would write, with so many hundredths of the sizes that the team chose.
    fn recommendations(&self, percent: u64) -> String {
        let containers: Vec<Value> = self
            .components
            .iter()
            .map(|(name, pods, _, sizes)| {
                let [request, limit] = sizes.map(|mib| (mib << 20) * percent / 100);
                json!({
                    "namespace": self.namespace, "kind": "Deployment", "workload": name, "container": name, "pods": pods,
                    "recommended_request_bytes": request, "recommended_limit_bytes": limit,
                    "limit_reason": "as the team chose", "peak_bytes": 20 << 20, "non_reclaimable_bytes": null,
                })
            })
            .collect();
        let now = jiff::Timestamp::now().to_string();
        let report =
            json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": containers, "skipped": []});
        let path = folder().join(format!("{}.json", self.namespace));
        std::fs::write(&path, report.to_string()).expect("recommendations");
        path.display().to_string()
    }

    /// A plan of the team's sizes.
    pub fn plan(&self, way: &str) -> Saved {
        self.plan_of(way, 100)
    }

    /// A plan of so many hundredths of the team's sizes.
    pub fn plan_of(&self, way: &str, percent: u64) -> Saved {
        let path = folder().join(format!("{}-plan-{percent}.json", self.namespace)).display().to_string();
        let recommendations = self.recommendations(percent);
        let args = ["plan", "--recommendations", &recommendations, "--save", &path];
        let more = ["-n", self.namespace, "--way", way, "--watch", "1s", "--patience", "30s"];
        let diff = said(&plimsoll(&[&args[..], &more].concat()));
        assert!(diff.contains("backend") && diff.contains("512Mi -> "), "{diff}");
        let plan: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("a plan")).expect("JSON");
        Saved { path, id: plan["id"].as_str().expect("an id").to_string() }
    }
}

pub fn command(args: &[&str]) -> Command {
    common::command(&cluster().kubeconfig, &folder(), args)
}

/// What this machine remembers.
pub fn store() -> PathBuf {
    folder().join("store")
}

pub fn plimsoll(args: &[&str]) -> Output {
    command(args).output().expect("plimsoll starts")
}

/// Started, and nobody listens.
pub fn started(args: &[&str]) -> Child {
    command(args).stdout(Stdio::null()).spawn().expect("plimsoll starts")
}
