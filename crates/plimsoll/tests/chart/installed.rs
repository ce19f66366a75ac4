//! The chart on a real API server: every object is taken by it, and a release is installed, tested, upgraded, rolled back,
//! removed and installed again.

use crate::harbour::{Harbour, PRIVILEGED, RELEASE, RESTRICTED, policy};
use crate::helm::{NAMESPACE, chart, refused, rendered, said, value_sets};
use crate::running::{is_answered_as_its_test_asks, leads};
use plimsoll_real::cluster::Patch;
use plimsoll_real::cluster::manifests::path;
use serde_json::{Value, json};

/// A controller that does not let a test wait.
const CONTROLLER: &str =
    "controller.enabled=true,controller.every=3s,controller.sample=1s,controller.learn=6s";

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

/// Kinds that somebody has made by `plimsoll crd` are taken over when that is said, and not before.
fn is_installed(harbour: &Harbour) {
    for kind in std::fs::read_dir(chart().join("files/crds")).expect("kinds").flatten() {
        harbour.admin.apply_all(&std::fs::read_to_string(kind.path()).expect("a kind"));
    }
    let chart = chart().display().to_string();
    let install = ["install", RELEASE, &chart, "--wait", "--timeout", "90s"];
    let why = refused(&harbour.helm(NAMESPACE, &install, &[CONTROLLER]));
    assert!(why.contains("invalid ownership metadata"), "{why}");
    said(&harbour.helm(NAMESPACE, &[&install[..], &["--take-ownership"]].concat(), &[CONTROLLER]));
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
    harbour.upgrade(&[CONTROLLER, "serve.config.capacity.lead=45m", "serve.ahead.namespaces[0]=shop"]);
    assert_ne!(sum(), before);
    assert!(harbour.config_map("plimsoll-serve-config", "plimsoll.yaml").contains("lead: 45m"));
    assert_eq!(ready(&harbour.deployment("plimsoll-serve")), 1);
}

/// What an account may is what its part needs, and where: `patch apps/deployments/scale`.
fn rights_end_where_they_should(harbour: &Harbour) {
    let check = |account: &str, what: &str, namespace: &str, expect: bool| {
        let (verb, kind) = what.split_once(' ').expect("a verb and a kind");
        let parts: Vec<&str> = kind.split('/').collect();
        let [group, kinds, below] = parts[..] else { panic!("{kind}") };
        let attributes = json!({"verb": verb, "group": group, "resource": kinds, "subresource": below, "namespace": namespace});
        let user = format!("system:serviceaccount:{NAMESPACE}:plimsoll-{account}");
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": attributes},
        });
        let answer = harbour.admin.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review).ok();
        assert_eq!(answer["status"]["allowed"], expect, "{account}: {what} in {namespace}");
    };
    check("serve", "patch apps/deployments/scale", "shop", true);
    check("serve", "patch apps/deployments/scale", PRIVILEGED, false);
    check("serve", "patch apps/deployments/", "shop", false);
    check("serve", "create authentication.k8s.io/tokenreviews/", "", true);
    check("controller", "patch /pods/resize", "shop", true);
    check("controller", "create /configmaps/", NAMESPACE, true);
    check("controller", "create /configmaps/", "shop", false);
    check("controller", "patch apps/deployments/", "shop", false);
    for account in ["serve", "controller"] {
        check(account, "get /secrets/", NAMESPACE, false);
        check(account, "create /pods/exec", "shop", false);
        check(account, "get /nodes/proxy", "", false);
    }
}

/// From SQLite to PostgreSQL: what was promised before stays on its volume.
fn is_moved(harbour: &Harbour) {
    let settings = [
        CONTROLLER,
        "serve.config.capacity.lead=45m",
        "serve.replicas=2",
        "serve.store.postgresql.existingSecret=plimsoll-database",
        "serve.access.kubernetes.groups.study=reserve",
    ];
    harbour.upgrade(&settings);
    let deployment = harbour.deployment("plimsoll-serve");
    assert_eq!((ready(&deployment), &deployment["spec"]["strategy"]["type"]), (2, &json!("RollingUpdate")));
    assert_eq!(deployment["spec"]["template"]["spec"]["volumes"].as_array().map(Vec::len), Some(2));
    assert!(harbour.is_claimed());
    assert_eq!(harbour.budget()["spec"]["maxUnavailable"], 1);
}

/// Releases that Helm 3 has made are patched by the client; there a claim that comes back would lose its volume.
fn is_patched_by_clients(harbour: &Harbour) {
    let chart = chart().display().to_string();
    let run = |what: &[&str], settings: &[&str]| {
        let how = ["--server-side=false", "--wait", "--timeout", "90s"];
        said(&harbour.helm("shop", &[what, &how].concat(), &[&["kinds.install=false"], settings].concat()));
    };
    let strategy = || {
        let path = "/apis/apps/v1/namespaces/shop/deployments/old-plimsoll-serve";
        harbour.admin.get(path).ok()["spec"]["strategy"]["type"].clone()
    };
    run(&["install", "old", &chart], &[]);
    run(&["upgrade", "old", &chart], &["serve.store.postgresql.existingSecret=plimsoll-database"]);
    assert_eq!(strategy(), "RollingUpdate");
    let rollback = ["rollback", "old", "1", "--server-side=false", "--wait", "--timeout", "90s"];
    said(&harbour.helm("shop", &rollback, &[]));
    assert_eq!(strategy(), "Recreate");
    said(&harbour.helm("shop", &["uninstall", "old", "--wait", "--timeout", "90s"], &[]));
    run(&["install", "old", &chart], &["serve.store.volume.existingClaim=old-plimsoll-serve"]);
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
    let agents = harbour
        .admin
        .get(&format!("/apis/apps/v1/namespaces/{PRIVILEGED}/daemonsets/agents-plimsoll-agent"))
        .ok();
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
        items
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| item["metadata"]["name"].clone())
            .collect::<Vec<_>>()
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
    rights_end_where_they_should(&harbour);
    is_moved(&harbour);
    is_answered_as_its_test_asks(&harbour);
    is_rolled_back(&harbour);
    agents_are_where_they_may_be(&harbour);
    is_patched_by_clients(&harbour);
    is_removed_and_comes_back(&harbour);
}
