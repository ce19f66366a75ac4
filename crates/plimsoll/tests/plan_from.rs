//! `plimsoll plan --from` on a real API server: patches as people write them, read against what is there, carried out, and what
//! nodes say to them.

mod common;

use common::cluster::{command, said, warned};
use plimsoll_real::cluster::{Client, Cluster, Node, Patch};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;

const NAMESPACE: &str = "shop";

/// Kind, name, containers and their requests and limits at first; "" is not written.
const COMPONENTS: [(&str, &str, &[[&str; 3]]); 6] = [
    ("Deployment", "backend", &[["backend", "512Mi", "1Gi"], ["proxy", "64Mi", ""]]),
    ("Deployment", "frontend", &[["frontend", "256Mi", "512Mi"]]),
    ("Deployment", "pod-router", &[["pod-router", "256Mi", "512Mi"]]),
    ("StatefulSet", "redis", &[["redis", "256Mi", "512Mi"]]),
    ("DaemonSet", "traefik", &[["traefik", "640Mi", "1Gi"]]),
    ("Deployment", "metrics", &[["metrics", "640Mi", "1Gi"]]),
];

/// What the team wrote: several in a file, whole manifests, flows, sizes without quotes, only the limit.
const BACKEND: &str = "\
# by hand, after the outage
apiVersion: apps/v1
kind: Deployment
metadata:
  name: backend
spec:
  template:
    spec:
      containers:
      - name: backend
        resources:
          requests: {memory: 256Mi, cpu: 50m}
          limits: {memory: 512Mi}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend, namespace: shop}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: frontend}}
    spec:
      containers:
      - name: frontend
        image: registry.example/app:1
        resources: {requests: {memory: 32Mi}, limits: {memory: 134217728}}
";
const REDIS: &str = r#"{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "redis"}, "spec": {"template":
    {"spec": {"containers": [{"name": "redis", "resources": {"limits": {"memory": "256Mi"}}}]}}}}"#;
const ROUTER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: pod-router
spec:
  template:
    spec:
      containers:
      - name: pod-router
        resources:
          requests:
            memory: 64Mi
          limits:
            memory: 64Mi
";
const KUSTOMIZATION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base]
patches:
- path: backend.yaml
";

struct Shop {
    cluster: Cluster,
    admin: Client,
    folder: PathBuf,
}

impl Shop {
    fn open() -> Shop {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-from");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let cluster = Cluster::start(&folder, &[Node::new("one", "7Gi", "4"), Node::new("two", "7Gi", "4")]);
        let admin = cluster.admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}})).created();
        for (kind, name, containers) in COMPONENTS {
            let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/{}s", kind.to_lowercase());
            admin.post(&path, &workload(name, containers)).created();
        }
        let shop = Shop { cluster, admin, folder };
        // The DaemonSet has two, all others one.
        shop.eventually("all pods are ready", |shop| shop.sizes().len() == 8 && shop.are_ready());
        shop
    }

    fn pods(&self) -> Vec<Value> {
        let pods = self.admin.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).ok();
        pods["items"].as_array().expect("pods").clone()
    }

    fn are_ready(&self) -> bool {
        self.pods().iter().all(|pod| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
        })
    }

    /// Of all containers that run, by their status, in order: name, request, limit.
    fn sizes(&self) -> Vec<[String; 3]> {
        let pods = self.pods();
        let statuses = pods.iter().flat_map(|pod| pod["status"]["containerStatuses"].as_array()).flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let of = |status: &Value| {
            let memory = |of: &str| text(&status["resources"][of]["memory"]);
            [text(&status["name"]), memory("requests"), memory("limits")]
        };
        let mut all: Vec<_> = statuses.map(of).collect();
        all.sort();
        all
    }

    fn eventually(&self, what: &str, so: impl Fn(&Shop) -> bool) {
        common::cluster::eventually(what, || so(self), || format!("{:?}", self.sizes()));
    }

    /// A new folder with these files.
    fn patches(&self, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.folder.join("patches");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        files.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).expect("a file"));
        folder
    }

    fn plan(&self, files: &[(&str, &str)], more: &[&str]) -> Output {
        let folder = self.patches(files);
        let args = ["plan", "--from", folder.to_str().expect("a path"), "-n", NAMESPACE, "-o", "json"];
        self.plimsoll(&[&args[..], more].concat())
    }

    fn plimsoll(&self, args: &[&str]) -> Output {
        command(&self.cluster.kubeconfig, &self.folder, args).output().expect("plimsoll starts")
    }
}

fn workload(name: &str, containers: &[[&str; 3]]) -> Value {
    let container = |[name, request, limit]: &[&str; 3]| {
        let mut resources = json!({"requests": {"memory": request, "cpu": "50m"}});
        if !limit.is_empty() {
            resources["limits"] = json!({"memory": limit});
        }
        json!({"name": name, "image": "registry.example/app:1", "resources": resources})
    };
    json!({
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": containers.iter().map(container).collect::<Vec<_>>()},
            },
        },
    })
}

/// Workload, container, request and limit after.
fn changes(output: &Output) -> Vec<[String; 4]> {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let plan: Value = serde_json::from_slice(&output.stdout).expect("a plan");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let of = |change: &Value| -> Vec<[String; 4]> {
        let name = text(&change["workload"]["name"]);
        let containers = change["containers"].as_array().expect("containers").iter();
        let row = |one: &Value| {
            let after = &one["after"];
            [name.clone(), text(&one["name"]), text(&after["request"]), text(&after["limit"])]
        };
        containers.map(row).collect()
    };
    let mut all: Vec<_> = plan["changes"].as_array().expect("changes").iter().flat_map(of).collect();
    all.sort();
    all
}

fn read_as_written(shop: &Shop) {
    let check = |files: &[(&str, &str)], expect: &[[&str; 4]]| {
        assert_eq!(changes(&shop.plan(files, &[])), expect, "{files:?}");
    };
    let backend = ["backend", "backend", "256Mi", "512Mi"];
    let frontend = ["frontend", "frontend", "32Mi", "134217728"];
    // Only the limit is named: the request stays.
    let redis = ["redis", "redis", "256Mi", "256Mi"];
    // Were they the same it would still be no other class: CPU has no limit.
    let router = ["pod-router", "pod-router", "64Mi", "64Mi"];
    check(&[("backend.yaml", BACKEND)], &[backend, frontend]);
    check(&[("redis.json", REDIS), ("notes.md", "not a patch")], &[redis]);
    let all = [("backend.yaml", BACKEND), ("kustomization.yaml", KUSTOMIZATION), ("redis.json", REDIS)];
    check(&[&all[..], &[("router.yml", ROUTER)]].concat(), &[backend, frontend, router, redis]);
    let traefik = ROUTER.replace("Deployment", "DaemonSet").replace("pod-router", "traefik");
    let proxy = BACKEND
        .replace("      - name: backend", "      - name: proxy")
        .replace("limits: {memory: 512Mi}", "");
    let metrics = ROUTER.replace("pod-router", "metrics").replace("64Mi", "0.25Gi");
    check(
        &[("traefik.yaml", &traefik), ("metrics.yaml", &metrics), ("proxy.yaml", &proxy)],
        &[
            ["backend", "proxy", "256Mi", ""],
            frontend,
            ["metrics", "metrics", "0.25Gi", "0.25Gi"],
            ["traefik", "traefik", "64Mi", "64Mi"],
        ],
    );
    // What history says that is needed has the last word.
    let container = json!({
        "namespace": NAMESPACE, "kind": "Deployment", "workload": "pod-router", "container": "pod-router", "pods": 1,
        "recommended_request_bytes": 100 << 20, "recommended_limit_bytes": 200 << 20, "limit_reason": "its peak",
        "peak_bytes": 100 << 20, "non_reclaimable_bytes": null,
    });
    let now = jiff::Timestamp::now().to_string();
    let report =
        json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": [container], "skipped": []});
    let history = shop.folder.join("history.json");
    std::fs::write(&history, report.to_string()).expect("a history");
    let output =
        shop.plan(&[("router.yaml", ROUTER)], &["--recommendations", history.to_str().expect("a path")]);
    assert_eq!(changes(&output), [["pod-router", "pod-router", "64Mi", "102Mi"]]);
}

fn wrong_ones_are_named(shop: &Shop) {
    let check = |text: &str, place: &str, words: &[&str]| {
        let output = shop.plan(&[("router.yaml", text)], &[]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_placed = error.contains(&format!("patches/router.yaml{place}: "));
        assert!(output.status.code() == Some(125) && is_placed, "{place}: {error}");
        words.iter().for_each(|words| assert!(error.contains(words), "{words}: {error}"));
        assert!(error.trim_end().lines().count() > 1, "what to do is missing: {error}");
    };
    let second = |text: String| format!("{ROUTER}---\n{text}");
    check(
        &second(ROUTER.replace("pod-router", "gone")),
        ":16",
        &["shop/Deployment/gone is not there\n", "-n"],
    );
    let kind = ROUTER.replace("Deployment", "DaemonSet");
    check(&kind, ":1", &["shop/DaemonSet/pod-router is not there\n"]);
    let namespace = ROUTER.replace("  name: pod-router\n", "  name: pod-router\n  namespace: shop\n");
    let container = namespace.replace("- name: pod-router", "- name: app");
    check(&container, ":1", &["shop/Deployment/pod-router has no container 'app', but pod-router\n"]);
    check(&ROUTER.replace("64Mi", "64MB"), ":12:21", &["'64MB' is no amount of memory\n", "such as 512Mi"]);
    check(&ROUTER.replace("Deployment", "CronJob"), ":1", &["'CronJob' of apiVersion 'apps/v1'"]);
    let operations = "- op: replace\n  path: /spec/replicas\n  value: 1\n";
    check(operations, "", &["JSON 6902", "strategic merge"]);
}

/// What was read is carried out, and put back.
fn there_and_back(shop: &Shop) {
    let before = shop.sizes();
    let plan = shop.folder.join("plan.json");
    let plan = plan.to_str().expect("a path");
    let files = [("backend.yaml", BACKEND), ("redis.json", REDIS), ("router.yaml", ROUTER)];
    let more = ["--save", plan, "--watch", "1s", "--patience", "30s"];
    assert_eq!(changes(&shop.plan(&files, &more)).len(), 4);
    said(&shop.plimsoll(&["apply", plan, "--yes"]));
    let size = |name: &str| shop.sizes().into_iter().find(|[known, ..]| known == name).expect("it runs");
    assert_eq!(size("backend"), ["backend", "256Mi", "512Mi"]);
    assert_eq!(size("proxy"), ["proxy", "64Mi", ""]);
    assert_eq!(size("redis"), ["redis", "256Mi", "256Mi"]);
    assert_eq!(size("pod-router"), ["pod-router", "64Mi", "64Mi"]);
    said(&shop.plimsoll(&["rollback", "--yes"]));
    assert_eq!(shop.sizes(), before);
}

/// What a node says of itself is planned by; what it does not say its kubelet does.
fn nodes_that_do_not_resize(shop: &Shop) {
    let merge = |path: String, change: Value| shop.admin.patch(&path, Patch::Merge, &change).ok();
    let nodes = |label: Value, swap_bytes: u64| {
        for node in ["one", "two"] {
            let path = format!("/api/v1/nodes/{node}");
            merge(path.clone(), json!({"metadata": {"labels": {"plimsoll.dev/swap": label}}}));
            merge(
                format!("{path}/status"),
                json!({"status": {"nodeInfo": {"swap": {"capacity": swap_bytes}}}}),
            );
        }
    };
    let router = [("router.yaml", ROUTER)];
    let sized = [["pod-router", "pod-router", "64Mi", "64Mi"]];
    nodes(json!(null), 1 << 30);
    let output = shop.plan(&router, &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("its pods may swap on node") && changes(&output).is_empty(), "{said}");
    assert_eq!(changes(&shop.plan(&router, &["--way", "rollout"])), sized);
    nodes(json!("none"), 1 << 30);
    let plan = shop.folder.join("swap.json");
    let plan = plan.to_str().expect("a path");
    let more = ["--save", plan, "--watch", "1s", "--patience", "30s"];
    assert_eq!(changes(&shop.plan(&router, &more)), sized);

    // The label was not true.
    let pods = shop.pods();
    let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_string();
    let router = pods.iter().map(name).find(|name| name.starts_with("pod-router")).expect("a pod");
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{router}");
    merge(path, json!({"metadata": {"annotations": {"plimsoll.dev/play-resize": "infeasible"}}}));
    let error = warned(&shop.plimsoll(&["apply", plan, "--yes"]), 3);
    let why = "it may swap, and its node does not resize it while it runs; plan it as a rollout: In-place resize of";
    assert!(error.contains(why), "{error}");
    let restored = ["pod-router", "256Mi", "512Mi"].map(String::from);
    assert!(shop.sizes().contains(&restored), "{:?}", shop.sizes());
    nodes(json!(null), 0);
}

/// One cluster, one after the other.
#[test]
fn patches_that_people_wrote() {
    let shop = Shop::open();
    read_as_written(&shop);
    wrong_ones_are_named(&shop);
    there_and_back(&shop);
    nodes_that_do_not_resize(&shop);
}
