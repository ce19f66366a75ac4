//! Two workloads of three pods, which a plan changes, and what there is of them.

use crate::common::cluster as common;
pub use crate::common::cluster::said;
use plimsoll_real::cluster::{Client, Cluster, Node, Patch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Name, pods, and MiB of request and limit before and after.
const WORKLOADS: [(&str, u32, [u64; 2], [u64; 2]); 2] =
    [("web", 2, [256, 512], [128, 384]), ("cache", 1, [128, 256], [64, 192])];
/// Sums of the requests of all pods, in MiB, before and after.
const BEFORE_MIB: u64 = 640;
const AFTER_MIB: u64 = 320;
const PODS: usize = 3;

/// How a plan ended, by the cluster's own journal.
pub const APPLIED: &str = "applied";
pub const ROLLING_BACK: &str = "rolling-back";
pub const ROLLED_BACK: &str = "rolled-back";

/// A cluster of its own, as there is one lease in each, and a namespace in it.
pub struct Shop {
    pub cluster: Cluster,
    pub admin: Client,
    folder: PathBuf,
    before: BTreeMap<String, String>,
}

/// A plan in a file.
pub struct Saved {
    pub path: String,
    pub id: String,
}

impl Shop {
    /// Deploys it; it is called after its test.
    pub fn open(name: &str) -> Shop {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let cluster = Cluster::start(&folder, &[Node::new("one", "7Gi", "4")]);
        let admin = cluster.admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}})).created();
        for (name, replicas, sizes, _) in WORKLOADS {
            admin.post(DEPLOYMENTS, &deployment(name, replicas, sizes)).ok();
        }
        let mut shop = Shop { cluster, admin, folder, before: BTreeMap::new() };
        shop.eventually("all pods are ready", |shop| shop.ready() == PODS);
        shop.before = shop.specs();
        shop
    }

    /// A plan, watched as shortly as can be.
    pub fn plan(&self, way: &str) -> Saved {
        self.plan_watched(way, "0.1s")
    }

    /// A plan that is watched for so long.
    pub fn plan_watched(&self, way: &str, watch: &str) -> Saved {
        let containers: Vec<Value> = WORKLOADS
            .iter()
            .map(|(name, pods, _, [request, limit])| {
                json!({
                    "namespace": "shop", "kind": "Deployment", "workload": name, "container": name, "pods": pods,
                    "recommended_request_bytes": request << 20, "recommended_limit_bytes": limit << 20,
                    "limit_reason": "as chosen", "peak_bytes": 20 << 20, "non_reclaimable_bytes": null,
                })
            })
            .collect();
        let now = jiff::Timestamp::now().to_string();
        let report =
            json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": containers, "skipped": []});
        let [sizes, plan] =
            ["sizes.json", "plan.json"].map(|name| self.folder.join(name).display().to_string());
        std::fs::write(&sizes, report.to_string()).expect("sizes");
        let made = self.plimsoll(&[
            "plan",
            "--recommendations",
            &sizes,
            "-n",
            "shop",
            "--way",
            way,
            "--watch",
            watch,
            "--patience",
            "60s",
            "--save",
            &plan,
        ]);
        said(&made);
        let text = std::fs::read_to_string(&plan).expect("a plan");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        Saved { path: plan, id: value["id"].as_str().expect("an id").to_string() }
    }

    /// `plimsoll`, by this kubeconfig.
    pub fn command(&self, kubeconfig: &Path, args: &[&str]) -> Command {
        common::command(kubeconfig, &self.folder, args)
    }

    pub fn plimsoll(&self, args: &[&str]) -> Output {
        self.command(&self.cluster.kubeconfig, args).output().expect("plimsoll starts")
    }

    /// What became of a plan; `None` where it was never begun.
    pub fn outcome(&self, id: &str) -> Option<String> {
        let history = said(&self.plimsoll(&["history", "--output", "json"]));
        let history: Value = serde_json::from_str(&history).expect("JSON");
        let entry = history.as_array().expect("entries").iter().find(|entry| entry["id"] == id)?;
        Some(entry["outcome"].as_str().expect("an outcome").to_string())
    }

    /// It is applied, in its whole.
    pub fn assert_applied(&self, plan: &Saved, way: &str) {
        assert_eq!(self.outcome(&plan.id).as_deref(), Some(APPLIED));
        self.eventually("all pods have the new sizes", |shop| shop.sizes_are(AFTER_MIB));
        assert_eq!(self.specs() == self.before, way == "in-place", "templates change by a rollout only");
        assert_eq!(self.memory_sizes(), if way == "in-place" { 2 } else { 0 });
    }

    /// Nothing of it is left, to the byte.
    pub fn assert_as_before(&self) {
        self.eventually("all pods have the old sizes", |shop| shop.sizes_are(BEFORE_MIB));
        assert_eq!(self.specs(), self.before);
        assert_eq!(self.memory_sizes(), 0);
    }

    /// From now on a workload has this image, and else all is as it was.
    pub fn expect_image(&mut self, name: &str, image: &str) {
        let before = self.before.get_mut(&json!(name).to_string()).expect("a workload");
        let mut spec: Value = serde_json::from_str(before).expect("JSON");
        spec["template"]["spec"]["containers"][0]["image"] = json!(image);
        *before = spec.to_string();
    }

    /// A new file for what a process says.
    pub fn log(&self, name: &str) -> File {
        File::create(self.folder.join(name)).expect("a file")
    }

    /// What it has said into `out` and `err`.
    pub fn logged(&self) -> String {
        let read = |name| std::fs::read_to_string(self.folder.join(name)).expect("a file");
        format!("{}\n{}", read("out"), read("err"))
    }

    /// Waits for it.
    pub fn eventually(&self, what: &str, so: impl Fn(&Shop) -> bool) {
        common::eventually(what, || so(self), || serde_json::to_string(&self.pods()).unwrap_or_default());
    }

    /// Who was killed holds its lease for some seconds more.
    pub fn forget_lease(&self) {
        self.admin.delete("/apis/coordination.k8s.io/v1/namespaces/plimsoll/leases/apply");
    }

    /// Changes a workload as somebody else would, by their own manager.
    pub fn deploy(&self, name: &str, template: &Value) {
        let change = json!({"spec": {"template": template}});
        self.admin.patch(&format!("{DEPLOYMENTS}/{name}"), Patch::Strategic, &change).ok();
    }

    /// Pods that are not leaving, and not over.
    pub fn pods(&self) -> Vec<Value> {
        let pods = self.admin.get("/api/v1/namespaces/shop/pods").ok();
        let pods = pods["items"].as_array().expect("pods").clone();
        let is_there = |pod: &Value| {
            pod["metadata"]["deletionTimestamp"].is_null() && pod["status"]["phase"] != "Failed"
        };
        pods.into_iter().filter(is_there).collect()
    }

    /// Specifications of the deployments, as the server writes them.
    pub fn specs(&self) -> BTreeMap<String, String> {
        let all = self.admin.get(DEPLOYMENTS).ok();
        let all = all["items"].as_array().expect("deployments");
        all.iter().map(|one| (one["metadata"]["name"].to_string(), one["spec"].to_string())).collect()
    }

    fn ready(&self) -> usize {
        let is_ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        self.pods().iter().filter(is_ready).count()
    }

    /// The requests of all pods, as they should be and as they are, come to this.
    fn sizes_are(&self, mib: u64) -> bool {
        let pods = self.pods();
        let sum = |of: &str| -> u64 {
            let all = pods.iter().flat_map(|pod| pod.pointer(of).and_then(Value::as_array)).flatten();
            let requests = all.filter_map(|one| one["resources"]["requests"]["memory"].as_str());
            requests.filter_map(|text| text.strip_suffix("Mi")?.parse::<u64>().ok()).sum()
        };
        let sums = ["/spec/containers", "/status/containerStatuses"].map(sum);
        pods.len() == PODS && self.ready() == PODS && sums == [mib, mib]
    }

    fn memory_sizes(&self) -> usize {
        let sizes = self.admin.get("/apis/plimsoll.dev/v1alpha1/namespaces/shop/memorysizes").body;
        sizes["items"].as_array().map_or(0, Vec::len)
    }
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";

fn deployment(name: &str, replicas: u32, [request, limit]: [u64; 2]) -> Value {
    let memory = |mib: u64| json!({"memory": format!("{mib}Mi")});
    let container = json!({
        "name": name, "image": "registry.example/app:1",
        "resources": {"requests": memory(request), "limits": memory(limit)},
    });
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    })
}
