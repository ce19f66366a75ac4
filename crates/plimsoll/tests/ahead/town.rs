//! One real cluster for all tests, and in it for each a namespace with a workload of one pod and a configuration that scales it.

use crate::common::PLIMSOLL;
use crate::common::cluster::within;
use crate::served::Served;
use plimsoll_real::cluster::manifests::documents;
use plimsoll_real::cluster::{Client, Cluster, Node, Options, User};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// As whom the service acts; it is called by its token.
pub const USER: &str = "serve";
const SCHEDULE: &str = "/api/capacity/schedule";
/// Longer than it takes another replica to see that one is dead.
const PATIENCE: Duration = Duration::from_secs(50);

/// It dies with the tests.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ahead");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let options = Options { users: vec![User::new(USER, USER, &[])], audit: true, ..Options::default() };
        let cluster = Cluster::start_with(&folder, &[Node::new("one", "7Gi", "16")], &options);
        let admin = cluster.admin();
        let printed =
            Command::new(PLIMSOLL).args(["crd", "--rbac", "serve"]).output().expect("plimsoll starts");
        for role in documents(&String::from_utf8(printed.stdout).expect("text")) {
            admin.apply(&role).ok();
        }
        let group = "rbac.authorization.k8s.io";
        let role = json!({"apiGroup": group, "kind": "ClusterRole", "name": "plimsoll-serve"});
        let subject = json!({"apiGroup": group, "kind": "User", "name": USER});
        let binding = json!({"metadata": {"name": USER}, "roleRef": role, "subjects": [subject]});
        admin.post(&format!("/apis/{group}/v1/clusterrolebindings"), &binding).created();
        define(&admin, "keda.sh", "v1alpha1", "ScaledObject");
        define(&admin, "autoscaling.x-k8s.io", "v1beta1", "CapacityBuffer");
        cluster
    })
}

/// A kind of somebody else's, with a status beside its spec, of which the rest is not checked.
fn define(admin: &Client, group: &str, version: &str, kind: &str) {
    let singular = kind.to_lowercase();
    let names = json!({"kind": kind, "plural": format!("{singular}s"), "singular": singular});
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let versions = json!([{"name": version, "served": true, "storage": true, "schema": schema,
        "subresources": {"status": {}}}]);
    let annotation =
        json!({"api-approved.kubernetes.io": "https://github.com/kubernetes/autoscaler/pull/8151"});
    let definition = json!({
        "metadata": {"name": format!("{singular}s.{group}"), "annotations": annotation},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    });
    admin.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).created();
    eventually(
        kind,
        || admin.get(&format!("/apis/{group}/{version}/{singular}s")).status == 200,
        String::new,
    );
}

pub fn eventually(what: &str, so: impl FnMut() -> bool, seen: impl Fn() -> String) {
    within(PATIENCE, what, so, seen);
}

/// A namespace, and the service's folder for it.
pub struct Shop {
    pub name: &'static str,
    pub admin: Client,
    folder: tempfile::TempDir,
}

impl Shop {
    /// With one pod of a workload `backend`, which is ready, for 4 people each.
    pub fn open(name: &'static str, kinds: &str, ahead: &str) -> Shop {
        let admin = cluster().admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).created();
        let labels = json!({"app": "backend"});
        let container = json!({"name": "app", "image": "registry.example/app:1"});
        let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
        let mut spec = json!({"replicas": 1, "selector": {"matchLabels": labels}, "template": template});
        if kinds == "statefulsets" {
            spec["serviceName"] = json!("backend");
        }
        let workload = json!({"metadata": {"name": "backend"}, "spec": spec});
        let path = format!("/apis/apps/v1/namespaces/{name}/{kinds}");
        admin.post(&path, &workload).ok();
        let ready = || admin.get(&format!("{path}/backend")).body["status"]["readyReplicas"].clone();
        eventually("its pod is ready", || ready() == 1, || ready().to_string());
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "capacity:\n  pod_participants: 4\n  lead: 12s\n  tail: 3s\n  regions: [{{pods: 1, most_pods: 5}}]\n  ahead: {{{ahead}}}\n"
        );
        std::fs::write(folder.path().join("plimsoll.yaml"), config).expect("a configuration");
        Shop { name, admin, folder }
    }

    pub fn sqlite(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("capacity.db").display())
    }

    /// A replica that acts by this kubeconfig.
    pub fn serve(&self, store: &str, kubeconfig: &Path) -> Served {
        let mut command = Command::new(PLIMSOLL);
        command.env("KUBECONFIG", kubeconfig);
        Served::start_by(command, store, &self.folder.path().join("plimsoll.yaml"), &[])
    }

    /// Makes an object beside the workload.
    pub fn make(&self, version: &str, kinds: &str, object: &Value) {
        self.admin.post(&format!("/apis/{version}/namespaces/{}/{kinds}", self.name), object).created();
    }

    /// An object of this namespace.
    pub fn object(&self, path: &str) -> Value {
        let (version, rest) = path
            .rsplit_once('/')
            .and_then(|(front, name)| {
                let (version, kinds) = front.rsplit_once('/')?;
                Some((version, format!("{kinds}/{name}")))
            })
            .expect("VERSION/KINDS/NAME");
        self.admin.get(&format!("/apis/{version}/namespaces/{}/{rest}", self.name)).body
    }
}

/// As whom only what the role grants can be done.
pub fn as_user() -> PathBuf {
    cluster().kubeconfig_for(USER, USER)
}

/// Reserves three pods from so many seconds from now on, for a minute or more: the id.
pub fn reserve(served: &Served, in_s: i64, more: Value) -> String {
    let at = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + in_s).expect("a time");
    let mut body = json!({
        "title": "a pilot", "start": at.to_string(), "duration_minutes": 1, "expected_participants": 12,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let answer = served.post(SCHEDULE, &body);
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body["reservation"]["id"].as_str().expect("an id").to_string()
}

/// Steps by name, with what became of them.
pub fn timeline(served: &Served, id: &str) -> Vec<(String, String, String)> {
    let found = served.try_ask("GET", &format!("{SCHEDULE}/{id}"), &[], None);
    let steps = found.map(|it| it.body["timeline"].clone()).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let of = |step: &Value| (text(&step["step"]), text(&step["state"]), text(&step["detail"]));
    steps.as_array().into_iter().flatten().map(of).collect()
}

/// Waits until a step is so, and gives what is said of it.
pub fn comes_to(served: &Served, id: &str, step: &str, state: &str) -> String {
    let find = || timeline(served, id).into_iter().find(|(name, now, _)| name == step && now == state);
    eventually(&format!("{step} {state}"), || find().is_some(), || format!("{:?}", timeline(served, id)));
    find().map(|(.., detail)| detail).unwrap_or_default()
}
