//! The chart on a real API server: every object is taken by it, and a release is installed, tested, upgraded, rolled back,
//! removed and installed again.

use crate::common::cluster::{eventually, used};
use crate::helm::{NAMESPACE, TOOLS, chart, helm, refused, rendered, said, value_sets};
use crate::running::{is_answered_as_its_test_asks, leads};
use plimsoll_real::cluster::manifests::path;
use plimsoll_real::cluster::metrics;
use plimsoll_real::cluster::{Client, Cluster, Node, Options, Patch};
use plimsoll_real::postgres::Postgres;
use serde_json::{Value, json};
use std::process::Output;

const RELEASE: &str = "plimsoll";
/// A controller that does not let a test wait.
const CONTROLLER: &str = "controller.enabled=true,controller.every=3s,controller.sample=1s,controller.learn=6s";
/// Pods in it pass the strictest Pod Security Standard, or are not made.
const RESTRICTED: &str = NAMESPACE;
/// Where the agent may read the node.
const PRIVILEGED: &str = "nodes";

pub struct Harbour {
    pub cluster: Cluster,
    pub admin: Client,
    pub folder: tempfile::TempDir,
    pub postgres: Postgres,
}

impl Harbour {
    /// A cluster with the Prometheus Operator's kinds, a volume, and Secrets that somebody has made.
    fn open() -> Harbour {
        let folder = tempfile::tempdir().expect("a folder");
        let nodes = ["one", "two"].map(|name| Node::new(name, "7Gi", "4"));
        let cluster = Cluster::start_with(folder.path(), &nodes, &Options { audit: true, ..Options::default() });
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
        harbour.admin.post("/api/v1/persistentvolumes", &volume()).created();
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
    fn helm(&self, namespace: &str, what: &[&str], settings: &[&str]) -> Output {
        let mut command = helm(self.folder.path(), what);
        command.args(["--namespace", namespace]).env("KUBECONFIG", &self.cluster.kubeconfig);
        command.args(settings.iter().flat_map(|setting| ["--set", setting])).output().expect("helm starts")
    }

    /// It waits until all is ready.
    fn upgrade(&self, settings: &[&str]) {
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

    fn budget(&self) -> Value {
        self.find("/apis/policy/v1", "poddisruptionbudgets", "plimsoll-serve")
    }

    /// Whether its claim is there, and has its volume.
    fn is_claimed(&self) -> bool {
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
fn volume() -> Value {
    json!({
        "metadata": {"name": "disk"},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/srv"},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    })
}

/// Each object of each set, as a dry run; a field that the server does not know is an error.
fn all_is_taken(harbour: &Harbour) {
    let try_out = |object: &Value| {
        let path = path(object);
        let query = "fieldManager=test&force=true&dryRun=All&fieldValidation=Strict";
        harbour.admin.patch(&format!("{path}?{query}"), Patch::Apply, object)
    };
    let mut count = 0;
    for (name, values) in value_sets() {
        for it in rendered(&values) {
            let answer = try_out(&it.object);
            assert!(answer.status < 300, "{name}: {}: {}\n{}", it.template, answer.body, it.text);
            count += 1;
            let mut wrong = it.object;
            wrong["nonsense"] = json!(1);
            assert!(try_out(&wrong).status >= 400, "{name}: {}: takes anything", it.template);
        }
    }
    assert!(count > 60, "{count} objects");
}

fn ready(deployment: &Value) -> u64 {
    deployment["status"]["readyReplicas"].as_u64().unwrap_or(0)
}

fn is_installed(harbour: &Harbour) {
    harbour.upgrade(&[CONTROLLER]);
    assert_eq!(ready(&harbour.deployment("plimsoll-serve")), 1);
    assert_eq!(ready(&harbour.deployment("plimsoll-controller")), 2);
    assert!(harbour.is_claimed() && harbour.budget().is_null());
    let tested = said(&harbour.helm(NAMESPACE, &["test", RELEASE, "--timeout", "60s"], &[]));
    assert!(tested.contains("Phase:          Succeeded"), "{tested}");
}

/// A change of the configuration rolls the pods.
fn is_changed(harbour: &Harbour) {
    let sum = || harbour.deployment("plimsoll-serve")["spec"]["template"]["metadata"]["annotations"].clone();
    let before = sum();
    harbour.upgrade(&[CONTROLLER, "serve.config.capacity.lead=45m"]);
    assert_ne!(sum(), before);
    assert!(harbour.config_map("plimsoll-serve-config", "plimsoll.yaml").contains("lead: 45m"));
    assert_eq!(ready(&harbour.deployment("plimsoll-serve")), 1);
}

/// From SQLite to PostgreSQL: what was promised before stays on its volume.
fn is_moved(harbour: &Harbour) {
    let settings = [
        CONTROLLER,
        "serve.config.capacity.lead=45m",
        "serve.replicas=2",
        "serve.store.postgresql.existingSecret=plimsoll-database",
    ];
    harbour.upgrade(&settings);
    let deployment = harbour.deployment("plimsoll-serve");
    assert_eq!((ready(&deployment), &deployment["spec"]["strategy"]["type"]), (2, &json!("RollingUpdate")));
    assert_eq!(deployment["spec"]["template"]["spec"]["volumes"].as_array().map(Vec::len), Some(2));
    assert!(harbour.is_claimed());
    assert_eq!(harbour.budget()["spec"]["maxUnavailable"], 1);
}

fn is_rolled_back(harbour: &Harbour) {
    said(&harbour.helm(NAMESPACE, &["rollback", RELEASE, "2", "--wait", "--timeout", "90s"], &[]));
    let deployment = harbour.deployment("plimsoll-serve");
    assert_eq!((ready(&deployment), &deployment["spec"]["strategy"]), (1, &json!({"type": "Recreate"})));
    assert_eq!(deployment["spec"]["template"]["spec"]["volumes"].as_array().map(Vec::len), Some(4));
    assert!(harbour.is_claimed() && harbour.budget().is_null());
    assert!(harbour.config_map("plimsoll-serve-config", "plimsoll.yaml").contains("lead: 45m"));
    let history = said(&harbour.helm(NAMESPACE, &["history", RELEASE], &[]));
    assert!(history.contains("Rollback to 2"), "{history}");
}

/// The agent reads the node: where that is not allowed there is none, and elsewhere there is one on each node.
fn agents_are_where_they_may_be(harbour: &Harbour) {
    let chart = chart().display().to_string();
    let settings = ["serve.enabled=false", "kinds.install=false", "agent.enabled=true"];
    let install = |namespace: &str, timeout: &str| {
        harbour.helm(namespace, &["install", "agents", &chart, "--wait", "--timeout", timeout], &settings)
    };
    refused(&install(RESTRICTED, "5s"));
    said(&harbour.helm(RESTRICTED, &["uninstall", "agents"], &[]));
    said(&install(PRIVILEGED, "60s"));
    let agents = harbour.admin.get(&format!("/apis/apps/v1/namespaces/{PRIVILEGED}/daemonsets/agents-plimsoll-agent")).ok();
    assert_eq!(agents["status"]["numberReady"], 2, "{agents}");
    // The kinds are the first release's.
    let taken = refused(&harbour.helm(PRIVILEGED, &["install", "second", &chart], &[]));
    assert!(taken.contains("memorypolicies.plimsoll.dev"), "{taken}");
}

/// What people have said and what they were promised stays, and nothing else does; a new release takes it over.
fn is_removed_and_comes_back(harbour: &Harbour) {
    let policy = policy("all", "Off");
    harbour.admin.apply(&policy).ok();
    said(&harbour.helm(NAMESPACE, &["uninstall", RELEASE, "--wait", "--timeout", "90s"], &[]));
    let of_release = "labelSelector=app.kubernetes.io/instance%3Dplimsoll";
    let left = |api: &str| {
        let items = harbour.admin.get(&format!("{api}?{of_release}")).ok()["items"].clone();
        items.as_array().expect("a list").iter().map(|item| item["metadata"]["name"].clone()).collect::<Vec<_>>()
    };
    let none = [
        "/apis/apps/v1/deployments",
        "/api/v1/services",
        "/api/v1/configmaps",
        "/api/v1/serviceaccounts",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/rbac.authorization.k8s.io/v1/roles",
        "/apis/networking.k8s.io/v1/networkpolicies",
        "/apis/policy/v1/poddisruptionbudgets",
    ];
    for api in none {
        assert_eq!(left(api), Vec::<Value>::new(), "{api}");
    }
    assert_eq!(left("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").len(), 2);
    assert_eq!(left("/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies").len(), 1);
    assert_eq!(harbour.admin.get(&path(&policy)).status, 200);
    assert!(harbour.is_claimed());
    harbour.upgrade(&[]);
    assert_eq!(ready(&harbour.deployment("plimsoll-serve")), 1);
}

#[test]
fn a_release_from_its_beginning_to_its_end() {
    let harbour = Harbour::open();
    all_is_taken(&harbour);
    is_installed(&harbour);
    leads(&harbour);
    is_answered_as_its_test_asks(&harbour);
    is_changed(&harbour);
    is_moved(&harbour);
    is_answered_as_its_test_asks(&harbour);
    is_rolled_back(&harbour);
    agents_are_where_they_may_be(&harbour);
    is_removed_and_comes_back(&harbour);
}
