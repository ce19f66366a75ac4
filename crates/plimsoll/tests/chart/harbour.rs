//! A real API server with what a cluster has before the chart comes.

use crate::common::cluster::{eventually, used};
use crate::helm::{NAMESPACE, TOOLS, chart, helm, said};
use plimsoll_real::cluster::metrics;
use plimsoll_real::cluster::{Client, Cluster, Node, Options};
use plimsoll_real::postgres::Postgres;
use serde_json::{Value, json};
use std::process::Output;

/// The release that tests follow.
pub const RELEASE: &str = "plimsoll";
/// Pods in it pass the strictest Pod Security Standard, or are not made.
pub const RESTRICTED: &str = NAMESPACE;
/// Where the agent may read the node.
pub const PRIVILEGED: &str = "nodes";

/// A cluster that is let alone by all others.
pub struct Harbour {
    pub cluster: Cluster,
    pub admin: Client,
    folder: tempfile::TempDir,
    /// Empty.
    pub postgres: Postgres,
}

impl Harbour {
    /// A cluster with the Prometheus Operator's kinds, a volume, and Secrets that somebody has made.
    pub fn open() -> Harbour {
        let folder = tempfile::tempdir().expect("a folder");
        let nodes = ["one", "two"].map(|name| Node::new(name, "7Gi", "4"));
        let cluster =
            Cluster::start_with(folder.path(), &nodes, &Options { audit: true, ..Options::default() });
        let postgres = Postgres::start();
        let harbour = Harbour { admin: cluster.admin(), cluster, folder, postgres };
        for (name, level) in [(RESTRICTED, "restricted"), (PRIVILEGED, "privileged"), ("shop", "baseline")] {
            let labels = json!({"pod-security.kubernetes.io/enforce": level});
            let namespace = json!({"metadata": {"name": name, "labels": labels}});
            harbour.admin.post("/api/v1/namespaces", &namespace).created();
        }
        for file in std::fs::read_dir(TOOLS.join("monitoring")).expect("kinds").flatten() {
            harbour.admin.apply_all(&std::fs::read_to_string(file.path()).expect("a kind"));
        }
        eventually(
            "they are served",
            || {
                ["prometheusrules", "servicemonitors", "podmonitors"].iter().all(|kinds| {
                    harbour.admin.get(&format!("/apis/monitoring.coreos.com/v1/{kinds}")).status == 200
                })
            },
            String::new,
        );
        for name in ["one", "two"] {
            harbour.admin.post("/api/v1/persistentvolumes", &volume(name)).created();
        }
        let admin = harbour.admin.clone();
        metrics::serve(&harbour.cluster, move || used(&admin, "shop", |_| Some(100)));
        harbour.admin.post("/apis/apps/v1/namespaces/shop/deployments", &web()).created();
        let database = json!({"url": harbour.postgres.url});
        harbour.secret("plimsoll-database", &database);
        harbour
    }

    fn secret(&self, name: &str, texts: &Value) {
        let secret = json!({"metadata": {"name": name}, "stringData": texts});
        self.admin.post(&format!("/api/v1/namespaces/{NAMESPACE}/secrets"), &secret).created();
    }

    /// `helm WHAT` in a namespace.
    pub fn helm(&self, namespace: &str, what: &[&str], settings: &[&str]) -> Output {
        let mut command = helm(self.folder.path(), what);
        command.args(["--namespace", namespace]).env("KUBECONFIG", &self.cluster.kubeconfig);
        command.args(settings.iter().flat_map(|setting| ["--set", setting])).output().expect("helm starts")
    }

    /// It waits until all is ready.
    pub fn upgrade(&self, settings: &[&str]) {
        let chart = chart().display().to_string();
        let what = ["upgrade", "--install", RELEASE, &chart, "--wait", "--timeout", "90s"];
        said(&self.helm(NAMESPACE, &what, settings));
    }

    /// One of ours by its path, or null.
    fn find(&self, api: &str, kinds: &str, name: &str) -> Value {
        let answer = self.admin.get(&format!("{api}/namespaces/{NAMESPACE}/{kinds}/{name}"));
        if answer.status == 404 { Value::Null } else { answer.ok() }
    }

    pub fn deployment(&self, name: &str) -> Value {
        self.find("/apis/apps/v1", "deployments", name)
    }

    pub fn budget(&self) -> Value {
        self.find("/apis/policy/v1", "poddisruptionbudgets", "plimsoll-serve")
    }

    /// Whether its claim is there, and has its volume.
    pub fn is_claimed(&self) -> bool {
        self.find("/api/v1", "persistentvolumeclaims", "plimsoll-serve")["status"]["phase"] == "Bound"
    }

    pub fn config_map(&self, name: &str, key: &str) -> String {
        self.find("/api/v1", "configmaps", name)["data"][key].as_str().expect("a text").to_string()
    }
}

/// A MemoryPolicy of everything in the namespace `shop`.
pub fn policy(name: &str, mode: &str) -> Value {
    json!({
        "apiVersion": "plimsoll.dev/v1alpha1", "kind": "MemoryPolicy",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"mode": mode},
    })
}

/// Something to size.
fn web() -> Value {
    let labels = json!({"app": "web"});
    let sizes = json!({"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}});
    let container = json!({"name": "app", "image": "registry.example/app:1", "resources": sizes});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": template}})
}

/// For whoever claims one of its size first.
fn volume(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/srv"},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    })
}
