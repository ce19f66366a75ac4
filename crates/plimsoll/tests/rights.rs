//! Rights, on a real API server with RBAC: who has the roles that `plimsoll crd --rbac` prints can do all that they are for, the audit
//! log shows that each right of them was used, and who lacks one is told.

#[path = "agent/process.rs"]
mod agent;
mod common;

use agent::Agent;
use common::cluster::{command, said, warned};
use plimsoll_cluster::kinds::{GROUP, manifests};
use plimsoll_cluster::rights::{Place, Purpose, Right, rights};
use plimsoll_real::cluster::manifests::{documents, path};
use plimsoll_real::cluster::{Asked, Client, Cluster, Node, Options, User};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

/// What the server asks RBAC for on its own, while it does what the audit log has as something else: that nothing works without is
/// shown by [`is_refused_without`]. An apply that makes an object is a `patch` there, and needs `create` too; and who installs a
/// policy has to be allowed to `get` what it reads.
const UNSEEN: [(&str, &str); 5] = [
    ("create", "customresourcedefinitions"),
    ("create", "mutatingadmissionpolicies"),
    ("create", "mutatingadmissionpolicybindings"),
    ("create", "memorysizes"),
    ("get", "memorysizes"),
];

/// Users are called by their token.
const USERS: [&str; 6] = ["nobody", "planner", "applier", "lacking", "looker", "scout"];

struct Town {
    cluster: Cluster,
    admin: Client,
    folder: PathBuf,
}

impl Town {
    fn open() -> Town {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rights");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let users = USERS.map(|name| User::new(name, name, &[])).to_vec();
        let options = Options { users, audit: true, ..Options::default() };
        let cluster = Cluster::start_with(&folder, &[Node::new("one", "7Gi", "4")], &options);
        let town = Town { admin: cluster.admin(), cluster, folder };
        town.admin.post("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}})).created();
        for (kinds, name, more) in [
            ("deployments", "web", json!({"replicas": 1})),
            ("statefulsets", "db", json!({"replicas": 1, "serviceName": "db"})),
            ("daemonsets", "agent", json!({})),
        ] {
            let size = |mib: u64| json!({"memory": format!("{mib}Mi")});
            let sizes = json!({"requests": size(256), "limits": size(512)});
            let container = json!({"name": name, "image": "registry.example/app:1", "resources": sizes});
            let labels = json!({"app": name});
            let mut spec = json!({
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            });
            spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let path = format!("/apis/apps/v1/namespaces/shop/{kinds}");
            town.admin.post(&path, &json!({"metadata": {"name": name}, "spec": spec})).ok();
        }
        town.install_vertical_autoscalers();
        eventually("three pods are ready", || {
            let pods = town.admin.get("/api/v1/namespaces/shop/pods").ok();
            let is_ready = |pod: &&Value| pod["status"]["containerStatuses"][0]["ready"] == true;
            pods["items"].as_array().is_some_and(|pods| pods.iter().filter(is_ready).count() == 3)
        });
        town
    }

    /// The kind only: it is looked for.
    fn install_vertical_autoscalers(&self) {
        let names = json!({
            "kind": "VerticalPodAutoscaler", "plural": "verticalpodautoscalers", "singular": "verticalpodautoscaler",
        });
        let schema =
            json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        let versions = json!([{"name": "v1", "served": true, "storage": true, "schema": schema}]);
        let group = "autoscaling.k8s.io";
        let annotation =
            json!({"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/63797"});
        let kind = json!({
            "metadata": {"name": format!("verticalpodautoscalers.{group}"), "annotations": annotation},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
        });
        self.admin.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &kind).ok();
        eventually("it is served", || {
            self.admin.get(&format!("/apis/{group}/v1/verticalpodautoscalers")).status == 200
        });
    }

    /// Roles as they are printed, for a user; `change` may take something away.
    fn grant(&self, purpose: &str, user: &str, change: impl Fn(&mut Value)) {
        let printed = self.plimsoll("admin", &["crd", "--rbac", purpose]);
        let text = String::from_utf8(printed.stdout).expect("text");
        for mut manifest in documents(&text) {
            change(&mut manifest);
            self.admin.apply(&manifest).ok();
            let kind = manifest["kind"].as_str().expect("a kind");
            if kind == "Namespace" {
                continue;
            }
            let mut metadata = json!({"name": user});
            if kind == "Role" {
                metadata["namespace"] = json!("plimsoll");
            }
            let group = "rbac.authorization.k8s.io";
            let binding = json!({
                "apiVersion": format!("{group}/v1"), "kind": format!("{kind}Binding"), "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": kind, "name": manifest["metadata"]["name"]},
                "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
            });
            self.admin.apply(&binding).ok();
        }
        let theirs = self.cluster.client(user);
        let shown = ["/api/v1/namespaces/shop/pods", "/api/v1/namespaces/plimsoll/configmaps"];
        let shown = if purpose == "agent" { &shown[..1] } else { &shown[..] };
        eventually("it is granted", || shown.iter().all(|path| theirs.get(path).status == 200));
    }

    fn plimsoll(&self, user: &str, args: &[&str]) -> Output {
        let kubeconfig = match user {
            "admin" => self.cluster.kubeconfig.clone(),
            user => self.cluster.kubeconfig_for(user, user),
        };
        command(&kubeconfig, &self.folder, args).output().expect("plimsoll starts")
    }

    /// A plan made by a user: its file.
    fn plan(&self, user: &str, way: &str) -> Output {
        let of = |(kind, name): (&str, &str)| {
            json!({
                "namespace": "shop", "kind": kind, "workload": name, "container": name, "pods": 1,
                "recommended_request_bytes": 128 << 20, "recommended_limit_bytes": 384 << 20,
                "limit_reason": "as chosen", "peak_bytes": 20 << 20, "non_reclaimable_bytes": null,
            })
        };
        let containers = [("Deployment", "web"), ("StatefulSet", "db"), ("DaemonSet", "agent")].map(of);
        let now = jiff::Timestamp::now().to_string();
        let report =
            json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": containers, "skipped": []});
        let sizes = self.folder.join("sizes.json").display().to_string();
        std::fs::write(&sizes, report.to_string()).expect("sizes");
        let plan = self.file();
        let short = ["--watch", "0.1s", "--save", &plan, "--way", way];
        self.plimsoll(user, &[&["plan", "--recommendations", &sizes], &short[..]].concat())
    }

    fn file(&self) -> String {
        self.folder.join("plan.json").display().to_string()
    }
}

fn eventually(what: &str, so: impl Fn() -> bool) {
    common::cluster::eventually(what, so, String::new);
}

/// It fails at once, and says what was not allowed and what would allow it.
fn told(output: &Output, refused: &str, purpose: &str) {
    let text = warned(output, 125);
    assert!(text.contains(refused), "{text}");
    assert!(text.contains(&format!("plimsoll crd --rbac {purpose} | kubectl apply -f -")), "{text}");
}

#[test]
fn what_is_granted_is_needed_and_is_enough() {
    let town = Town::open();
    let started = Instant::now();
    told(&town.plan("nobody", "in-place"), "cannot list resource", "plan");
    assert!(started.elapsed() < Duration::from_secs(20), "it does not wait for what will not come");

    town.grant("plan", "planner", |_| {});
    said(&town.plan("planner", "in-place"));
    said(&town.plimsoll("planner", &["history"]));
    let denied: Vec<Asked> =
        town.cluster.asked("planner").into_iter().filter(|asked| !asked.is_allowed).collect();
    assert!(denied.iter().all(|asked| asked.kind == "pods/resize"), "whether it could be: {denied:?}");
    told(&town.plimsoll("planner", &["apply", &town.file(), "--yes"]), "cannot get resource", "apply");

    is_refused_without(&town);
    town.grant("apply", "applier", |_| {});
    for way in ["in-place", "rollout"] {
        said(&town.plan("applier", way));
        said(&town.plimsoll("applier", &["apply", &town.file(), "--yes"]));
        said(&town.plimsoll("applier", &["history"]));
        said(&town.plimsoll("applier", &["rollback", "--yes"]));
    }
    let asked = town.cluster.asked("applier");
    let denied: Vec<&Asked> = asked.iter().filter(|asked| !asked.is_allowed).collect();
    assert!(denied.is_empty(), "not granted: {denied:?}");
    for right in rights(Purpose::Apply) {
        for (kind, verb) in
            right.kinds.iter().flat_map(|kind| right.verbs.iter().map(move |verb| (*kind, *verb)))
        {
            let is_used = asked.iter().any(|asked| is_it(asked, right, kind, verb));
            assert_ne!(is_used, UNSEEN.contains(&(verb, kind)), "{verb} {kind}: whether it was used");
        }
    }
    asks_kubelets_only_where_it_may(&town);
    the_agent_follows_pods(&town);
}

/// It looks at pods and at nothing else, and who may not is told what would grant it, and is shown the rest.
fn the_agent_follows_pods(town: &Town) {
    let start = |user: &str| {
        let kubeconfig = town.cluster.kubeconfig_for(user, user).display().to_string();
        let root = town.folder.display().to_string();
        Agent::start(&["--kubeconfig", &kubeconfig, "--node", "one", "--root", &root, "--interval", "1s"])
    };
    let is_blind = |agent: &Agent| agent.value("plimsoll_agent_blind", &["what=\"pods\""]);
    let agent = start("nobody");
    assert_eq!(is_blind(&agent), Some(1.0));
    let said = agent.terminate();
    assert!(said.contains("plimsoll crd --rbac agent | kubectl apply -f -"), "{said}");
    town.grant("agent", "scout", |_| {});
    // The list that shows that it is granted was the test's own.
    let before = town.cluster.asked("scout").len();
    let agent = start("scout");
    assert_eq!(is_blind(&agent), Some(0.0));
    eventually("it watches", || {
        town.cluster.asked("scout")[before..].iter().any(|asked| asked.verb == "watch")
    });
    agent.terminate();
    let asked = town.cluster.asked("scout");
    let asked: Vec<&Asked> = asked[before..].iter().collect();
    for right in rights(Purpose::Agent) {
        for (kind, verb) in
            right.kinds.iter().flat_map(|kind| right.verbs.iter().map(move |verb| (*kind, *verb)))
        {
            assert!(
                asked.iter().any(|asked| is_it(asked, right, kind, verb)),
                "{verb} {kind}: whether it was used"
            );
        }
    }
    assert!(asked.iter().all(|asked| asked.is_allowed && asked.kind == "pods"), "{asked:?}");
}

/// What is not granted is not tried; where it is, and nodes do not answer as kubelets do, all goes on without.
fn asks_kubelets_only_where_it_may(town: &Town) {
    let asked = |user: &str| -> Vec<Asked> {
        town.cluster.asked(user).into_iter().filter(|asked| asked.kind == "nodes/proxy").collect()
    };
    assert_eq!([asked("planner"), asked("applier")], [[], []]);
    town.grant("apply", "looker", |_| {});
    let (group, name) = ("rbac.authorization.k8s.io", "reads-stalls");
    let rule = json!({"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]});
    let version = format!("{group}/v1");
    let role =
        json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": [rule]});
    let binding = json!({
        "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "looker"}],
    });
    town.admin.apply(&role).ok();
    town.admin.apply(&binding).ok();
    let review =
        json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "nodes", "subresource": "proxy"}}});
    let reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let theirs = town.cluster.client("looker");
    eventually("it is granted", || theirs.post(reviews, &review).body["status"]["allowed"] == true);
    said(&town.plan("looker", "in-place"));
    said(&town.plimsoll("looker", &["apply", &town.file(), "--yes"]));
    let asked = asked("looker");
    assert!(!asked.is_empty() && asked.iter().all(|it| it.verb == "get" && it.name == "one"), "{asked:?}");
    said(&town.plimsoll("looker", &["rollback", "--yes"]));
}

fn is_it(asked: &Asked, right: &Right, kind: &str, verb: &str) -> bool {
    let is_there = match right.place {
        Place::Everywhere => true,
        Place::Named(names) => names.contains(&asked.name.as_str()),
        Place::Home => asked.namespace == "plimsoll",
    };
    is_there && asked.group == right.group && asked.kind == kind && asked.verb == verb
}

/// What the audit log does not show is needed all the same: without it the server refuses, and with it it does not.
fn is_refused_without(town: &Town) {
    let size = json!({
        "apiVersion": format!("{GROUP}/v1alpha1"), "kind": "MemorySize",
        "metadata": {"name": "deployment-web", "namespace": "shop"},
        "spec": {"plan": "p", "workload": {"kind": "Deployment", "name": "web"}, "containers": [{"name": "web", "before": {}}]},
    });
    let all: Vec<Value> = manifests().into_iter().chain([size]).collect();
    let [definition, _, policy, binding, size] = &all[..] else { panic!("{all:?}") };
    let theirs = town.cluster.client("lacking");
    for ((verb, kind), object) in UNSEEN.into_iter().zip([definition, policy, binding, size, policy]) {
        for manifest in &all {
            eventually("all is there", || town.admin.apply(manifest).status < 300);
        }
        town.admin.delete(&path(object));
        eventually("it is gone", || town.admin.get(&path(object)).status == 404);
        town.grant("apply", "lacking", |manifest| {
            for rule in manifest.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
                let is_of_it = rule["resources"].as_array().expect("kinds").contains(&json!(kind));
                if let (true, Some(verbs)) = (is_of_it, rule["verbs"].as_array_mut()) {
                    verbs.retain(|granted| granted != verb);
                }
            }
            if let Some(rules) = manifest.get_mut("rules").and_then(Value::as_array_mut) {
                rules.retain(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty()));
            }
        });
        // The API server takes a moment to notice a role.
        std::thread::sleep(Duration::from_secs(1));
        let answer = theirs.apply(object);
        assert!([403, 422].contains(&answer.status), "{verb} {kind}: {}", answer.body);
        town.grant("apply", "lacking", |_| {});
        eventually(kind, || theirs.apply(object).status < 300);
    }
    for manifest in all.iter().rev() {
        town.admin.delete(&path(manifest));
        eventually("it is gone", || town.admin.get(&path(manifest)).status == 404);
    }
}
