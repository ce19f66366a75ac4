//! `plimsoll plan`, `apply`, `rollback` and `history` on a real API server: the second team's cluster, there and back again.

mod common;
#[path = "cluster/scaling.rs"]
mod scaling;

use common::PLIMSOLL;
use plimsoll_real::cluster::{Client, Cluster, Node};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Component, pods, request and limit before, and as the team set them by hand, in Mi.
const COMPONENTS: [(&str, u32, [u64; 2], [u64; 2]); 6] = [
    ("backend", 2, [512, 1024], [256, 512]),
    ("frontend", 2, [256, 512], [32, 128]),
    ("pod-router", 2, [256, 512], [64, 64]),
    ("redis", 1, [256, 512], [32, 128]),
    ("traefik", 2, [640, 1024], [128, 256]),
    ("metrics", 1, [640, 1024], [128, 256]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-and-apply")
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let _ = std::fs::remove_dir_all(folder());
        std::fs::create_dir_all(folder()).expect("a folder");
        let nodes = ["one", "two", "three", "four"].map(|name| Node::new(name, "7Gi", "4"));
        Cluster::start(&folder(), &nodes)
    })
}

/// Whose turn it is: times are short, and machines may be small.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The components in a namespace of their own.
struct Shop {
    admin: Client,
    namespace: &'static str,
}

impl Shop {
    fn open(namespace: &'static str) -> Shop {
        let admin = cluster().admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
        let shop = Shop { admin, namespace };
        for (name, replicas, [request, limit], _) in COMPONENTS {
            let memory = |mib: u64| format!("{mib}Mi");
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
        shop.eventually("all pods are ready", |shop| shop.ready() == 10);
        shop
    }

    fn deployments(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace)
    }

    fn pods(&self) -> Vec<Value> {
        let pods = self.admin.get(&format!("/api/v1/namespaces/{}/pods", self.namespace)).ok();
        let pods = pods["items"].as_array().expect("pods").clone();
        pods.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
    }

    fn ready(&self) -> usize {
        let is_ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        self.pods().iter().filter(is_ready).count()
    }

    fn eventually(&self, what: &str, so: impl Fn(&Shop) -> bool) {
        let started = Instant::now();
        while !so(self) {
            assert!(started.elapsed() < Duration::from_secs(90), "not so after 90 s: {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Specifications of the deployments, as the server writes them.
    fn specs(&self) -> BTreeMap<String, String> {
        let all = self.admin.get(&self.deployments()).ok();
        let all = all["items"].as_array().expect("deployments");
        let spec = |one: &Value| (one["metadata"]["name"].to_string(), one["spec"].to_string());
        all.iter().map(spec).collect()
    }

    /// Actual requests of all pods, in Mi, by their status, and restarts.
    fn actual(&self) -> (u64, u64) {
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

    /// What `plimsoll rightsize` would write, with the sizes that the team chose.
    fn recommendations(&self) -> PathBuf {
        let containers: Vec<Value> = COMPONENTS
            .iter()
            .map(|(name, pods, _, [request, limit])| {
                json!({
                    "namespace": self.namespace, "kind": "Deployment", "workload": name, "container": name, "pods": pods,
                    "recommended_request_bytes": request << 20, "recommended_limit_bytes": limit << 20,
                    "limit_reason": "as the team chose", "peak_bytes": 20 << 20, "non_reclaimable_bytes": null,
                })
            })
            .collect();
        let now = jiff::Timestamp::now().to_string();
        let report =
            json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": containers, "skipped": []});
        let path = folder().join(format!("{}.json", self.namespace));
        std::fs::write(&path, report.to_string()).expect("recommendations");
        path
    }

    /// A plan of the team's sizes.
    fn plan(&self, way: &str) -> PathBuf {
        let plan = folder().join(format!("{}-plan.json", self.namespace));
        let recommendations = self.recommendations();
        let args = ["plan", "--recommendations", recommendations.to_str().expect("a path"), "--save"];
        let more = ["-n", self.namespace, "--way", way, "--watch", "1s", "--patience", "30s"];
        let diff = said(&plimsoll(&[&args[..], &[plan.to_str().expect("a path")], &more].concat()));
        assert!(diff.contains("backend") && diff.contains("512Mi -> 256Mi"), "{diff}");
        plan
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(PLIMSOLL);
    command.args(args).env("KUBECONFIG", &cluster().kubeconfig).stdin(Stdio::null());
    command
}

fn plimsoll(args: &[&str]) -> Output {
    command(args).output().expect("plimsoll starts")
}

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{:?}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// There and back again, with the cluster looked at meanwhile: no pod is ever missing where sizes change in place.
fn there_and_back(namespace: &'static str, way: &str) {
    let shop = Shop::open(namespace);
    let before = shop.specs();
    assert_eq!(shop.actual(), (4224, 0));
    let plan = shop.plan(way);
    let plan = plan.to_str().expect("a path");
    assert!(said(&plimsoll(&["apply", plan, "--dry-run"])).contains("passes its check"));
    assert_eq!(shop.specs(), before, "a dry run changes nothing");

    let mut apply =
        command(&["apply", plan, "--yes"]).stdout(Stdio::piped()).spawn().expect("plimsoll starts");
    let mut fewest = 10;
    while apply.try_wait().expect("a state").is_none() {
        fewest = fewest.min(shop.ready());
        std::thread::sleep(Duration::from_millis(100));
    }
    said(&apply.wait_with_output().expect("an output"));
    shop.eventually("the sizes of the team", |shop| shop.actual() == (1120, 0) && shop.ready() == 10);
    if way == "in-place" {
        assert_eq!((fewest, shop.specs() == before), (10, true), "pods stay ready, templates as they are");
        // A pod that comes anew gets its size too.
        let name = shop.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
        shop.admin.delete(&format!("/api/v1/namespaces/{namespace}/pods/{name}")).ok();
        shop.eventually("as before", |shop| shop.actual() == (1120, 0) && shop.ready() == 10);
    }
    let history = said(&plimsoll(&["history"]));
    assert!(history.contains("applied"), "{history}");

    let started = Instant::now();
    said(&plimsoll(&["rollback", "--yes"]));
    shop.eventually("all as it was", |shop| shop.actual() == (4224, 0) && shop.ready() == 10);
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    assert_eq!(shop.specs(), before);
    let sizes = shop.admin.get(&format!("/apis/plimsoll.dev/v1alpha1/namespaces/{namespace}/memorysizes"));
    assert!(sizes.body["items"].as_array().is_none_or(Vec::is_empty), "{:?}", sizes.body);
    assert!(said(&plimsoll(&["history"])).contains("rolled-back"));
}

/// Whatever the moment in which it dies, a rollback from anywhere puts everything back, and a second go finishes.
fn killed(namespace: &'static str) {
    let shop = Shop::open(namespace);
    let before = shop.specs();
    for (round, after_ms) in [400u64, 3000, 7000].into_iter().enumerate() {
        let plan = shop.plan("in-place");
        let plan = plan.to_str().expect("a path");
        let mut apply =
            command(&["apply", plan, "--yes"]).stdout(Stdio::null()).spawn().expect("plimsoll starts");
        std::thread::sleep(Duration::from_millis(after_ms));
        apply.kill().expect("killed");
        apply.wait().expect("it is over");
        if round % 2 == 0 {
            said(&plimsoll(&["apply", plan, "--yes"]));
            shop.eventually("the sizes of the team", |shop| shop.actual() == (1120, 0));
        }
        let undone = plimsoll(&["rollback", "--yes"]);
        // Where it died before it had said what it would do, there is nothing to undo.
        let nothing = String::from_utf8_lossy(&undone.stderr).contains("knows no plan");
        assert!(undone.status.success() || nothing, "{}", String::from_utf8_lossy(&undone.stderr));
        shop.eventually("all as it was", |shop| shop.actual() == (4224, 0) && shop.ready() == 10);
        assert_eq!(shop.specs(), before);
    }
}

fn two_at_once(namespace: &'static str) {
    let shop = Shop::open(namespace);
    let plan = shop.plan("in-place");
    let plan = plan.to_str().expect("a path");
    let first = command(&["apply", plan, "--yes"]).stdout(Stdio::null()).spawn().expect("plimsoll starts");
    std::thread::sleep(Duration::from_secs(2));
    let second = plimsoll(&["apply", plan, "--yes"]);
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{error}");
    assert!(error.contains(&format!("process {}", first.id())), "{error}");
    said(&first.wait_with_output().expect("an output"));
    said(&plimsoll(&["rollback", "--yes"]));
}

fn a_stranger_in_between(namespace: &'static str) {
    let shop = Shop::open(namespace);
    let plan = shop.plan("in-place");
    let plan = plan.to_str().expect("a path");
    // Somebody deploys after the plan was made: it does not pass its check.
    let backend = format!("{}/backend", shop.deployments());
    let theirs = json!({"spec": {"template": {"spec": {"containers":
        [{"name": "backend", "resources": {"requests": {"memory": "600Mi"}}}]}}}});
    shop.admin.patch(&backend, plimsoll_real::cluster::Patch::Strategic, &theirs).ok();
    let refused = plimsoll(&["apply", plan, "--yes"]);
    assert_eq!(refused.status.code(), Some(5), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("backend"));
}

/// One cluster, one lease: one after the other.
#[test]
fn there_and_back_again() {
    let _turn = turn();
    there_and_back("in-place", "in-place");
    there_and_back("rollout", "rollout");
    two_at_once("two");
    a_stranger_in_between("stranger");
    killed("killed");
}
