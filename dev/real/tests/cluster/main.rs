//! A real control plane, and kubelets played by kwok: what they do is what Kubernetes 1.36 does.

mod pods;

use plimsoll_real::cluster::{Cluster, Node, Options, Patch, User};
use pods::{Namespace, condition, container, eventually, has, size, status_of};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{OnceLock, RwLock};

const VIEWER_TOKEN: &str = "viewer-token";

/// The API server goes away only while nobody else needs it.
static USERS: RwLock<()> = RwLock::new(());

/// One cluster for all tests of this file; it dies with them.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let nodes = [Node::new("one", "7Gi", "4"), Node::new("small", "2Gi", "2")];
        let users = vec![User::new(VIEWER_TOKEN, "viewer", &["viewers"])];
        Cluster::start_with(&folder, &nodes, &Options { users, ..Options::default() })
    })
}

#[test]
fn the_pods_of_a_deployment_run_and_say_what_they_have() {
    let _user = USERS.read();
    let names = Namespace::new("deployment");
    let labels = json!({"app": "shop"});
    let template =
        json!({"metadata": {"labels": labels}, "spec": {"containers": [container("app", "32Mi")]}});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": labels}, "template": template});
    let object = json!({"metadata": {"name": "shop"}, "spec": spec});
    names.admin.post(&names.deployments, &object).ok();
    eventually("two replicas are ready", || {
        let deployment = names.admin.get(&format!("{}/shop", names.deployments)).body;
        if deployment["status"]["readyReplicas"] == 2 { Ok(()) } else { Err(deployment) }
    });
    let pods = names.admin.get(&names.pods).ok();
    let pods = pods["items"].as_array().unwrap();
    assert_eq!(pods.len(), 2);
    for pod in pods {
        assert!(has(pod, "app", "32Mi"), "{pod:#}");
        let status = status_of(pod, "app");
        assert_eq!(status["image"], "registry.example/app:1");
        assert_eq!((&status["started"], &status["ready"]), (&json!(true), &json!(true)));
        assert_eq!(status["restartCount"], 0);
    }
}

#[test]
fn a_resize_reaches_one_container_of_several_without_a_restart() {
    let _user = USERS.read();
    let names = Namespace::new("resize");
    let sidecar =
        json!({"name": "proxy", "image": "proxy", "restartPolicy": "Always", "resources": size("16Mi")});
    let containers =
        [container("app", "32Mi"), container("cache", "16Mi"), json!({"name": "plain", "image": "i"})];
    names.create("shop", &json!({"initContainers": [sidecar], "containers": containers}));
    let first = names.running("shop");
    assert_eq!(first["status"]["initContainerStatuses"][0]["resources"], size("16Mi"));
    assert_eq!(status_of(&first, "plain")["resources"], json!({}));
    for memory in ["48Mi", "24Mi"] {
        names.resize("shop", "cache", memory);
        let pod = names.pod_once("shop", "resized", |pod| has(pod, "cache", memory));
        assert!(has(&pod, "app", "32Mi"));
        assert_eq!(status_of(&pod, "cache")["restartCount"], 0);
        assert_eq!(status_of(&pod, "cache")["state"], status_of(&first, "cache")["state"]);
    }
}

#[test]
fn a_resize_goes_as_it_is_played_and_through_when_that_is_over() {
    let _user = USERS.read();
    let names = Namespace::new("played");
    let check = |play: &str, kind: &str, reason: &str, message: &str, allocated: &str| {
        names.create(play, &json!({"containers": [container("app", "32Mi")]}));
        names.running(play);
        names.annotate(play, "play-resize", &json!(play));
        names.resize(play, "app", "24Mi");
        let pod = names.pod_once(play, reason, |pod| condition(pod, kind)["reason"] == reason);
        let condition = condition(&pod, kind);
        assert_eq!(condition["status"], "True");
        assert_eq!(condition["observedGeneration"], pod["metadata"]["generation"]);
        assert!(condition["message"].as_str().unwrap().starts_with(message), "{condition}");
        let status = status_of(&pod, "app");
        assert_eq!(status["resources"], size("32Mi"), "{play}");
        assert_eq!(status["allocatedResources"]["memory"], allocated, "{play}");
        names.annotate(play, "play-resize", &Value::Null);
        names.pod_once(play, "resized", |pod| has(pod, "app", "24Mi"));
    };
    check("deferred", "PodResizePending", "Deferred", "Node didn't have enough resource: memory", "32Mi");
    check("infeasible", "PodResizePending", "Infeasible", "In-place resize of containers", "32Mi");
    let refused = r#"cannot decrease memory limits: attempting to set container "app" memory limit (24Mi) below current"#;
    check("error", "PodResizeInProgress", "Error", refused, "24Mi");
}

#[test]
fn a_resize_that_is_taken_back_leaves_nothing() {
    let _user = USERS.read();
    let names = Namespace::new("back");
    for (play, kind) in [("deferred", "PodResizePending"), ("error", "PodResizeInProgress")] {
        names.create(play, &json!({"containers": [container("app", "32Mi")]}));
        names.running(play);
        names.annotate(play, "play-resize", &json!(play));
        names.resize(play, "app", "24Mi");
        names.pod_once(play, kind, |pod| condition(pod, kind)["reason"].is_string());
        names.resize(play, "app", "32Mi");
        names.pod_once(play, "as it was", |pod| has(pod, "app", "32Mi"));
    }
}

#[test]
fn a_slow_resize_is_seen_in_progress() {
    let _user = USERS.read();
    let names = Namespace::new("slow");
    names.create("shop", &json!({"containers": [container("app", "32Mi")]}));
    names.running("shop");
    names.annotate("shop", "play-resize", &json!("slow"));
    names.resize("shop", "app", "24Mi");
    let pod = names
        .pod_once("shop", "in progress", |pod| condition(pod, "PodResizeInProgress")["status"] == "True");
    assert_eq!(status_of(&pod, "app")["resources"], size("32Mi"));
    names.pod_once("shop", "resized", |pod| has(pod, "app", "24Mi"));
}

#[test]
fn a_container_dies_of_memory_once_for_each_id() {
    let _user = USERS.read();
    let names = Namespace::new("oom");
    let containers = [container("app", "32Mi"), container("cache", "16Mi")];
    names.create("shop", &json!({"containers": containers}));
    names.running("shop");
    names.annotate("shop", "play-oom-container", &json!("cache"));
    let dies = |id: &str, restarts: u64| {
        names.annotate("shop", "play-oom", &json!(id));
        names.pod_once("shop", "ready again", |pod| {
            let status = status_of(pod, "cache");
            status["restartCount"] == restarts && condition(pod, "Ready")["status"] == "True"
        })
    };
    dies("first", 1);
    // Nothing else happens to it: a resize goes through with the count as it was.
    names.resize("shop", "app", "24Mi");
    let pod = names.pod_once("shop", "resized", |pod| has(pod, "app", "24Mi"));
    let status = status_of(&pod, "cache");
    assert_eq!(status["restartCount"], 1);
    assert_eq!(status["lastState"]["terminated"]["reason"], "OOMKilled");
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 137);
    assert_eq!((&status["ready"], &status["started"]), (&json!(true), &json!(true)));
    assert_eq!(status_of(&pod, "app")["restartCount"], 0);
    dies("second", 2);
}

#[test]
fn what_is_not_restarted_has_failed_when_it_dies_of_memory() {
    let _user = USERS.read();
    let names = Namespace::new("failed");
    names.create("once", &json!({"restartPolicy": "Never", "containers": [container("app", "16Mi")]}));
    names.running("once");
    names.annotate("once", "play-oom", &json!("first"));
    let pod = names.pod_once("once", "Failed", |pod| pod["status"]["phase"] == "Failed");
    let status = status_of(&pod, "app");
    assert_eq!(status["state"]["terminated"]["reason"], "OOMKilled");
    assert_eq!(status["restartCount"], 0);
}

#[test]
fn a_job_completes_and_a_deleted_pod_goes() {
    let _user = USERS.read();
    let names = Namespace::new("ends");
    let spec = json!({"restartPolicy": "Never", "containers": [container("app", "16Mi")]});
    let job = json!({"metadata": {"name": "nightly"}, "spec": {"template": {"spec": spec}}});
    let jobs = "/apis/batch/v1/namespaces/ends/jobs";
    names.admin.post(jobs, &job).ok();
    eventually("the job is complete", || {
        let job = names.admin.get(&format!("{jobs}/nightly")).body;
        if job["status"]["succeeded"] == 1 { Ok(()) } else { Err(job) }
    });
    names.create("shop", &json!({"containers": [container("app", "16Mi")]}));
    names.running("shop");
    let deleted = names.admin.delete(&format!("{}/shop", names.pods)).ok();
    assert!(deleted["metadata"]["deletionTimestamp"].is_string(), "it goes gracefully");
    eventually("the pod is gone", || {
        let answer = names.admin.get(&format!("{}/shop", names.pods));
        if answer.status == 404 { Ok(()) } else { Err(answer.body) }
    });
}

#[test]
fn a_pod_too_large_is_scheduled_once_another_has_shrunk() {
    let _user = USERS.read();
    let names = Namespace::new("room");
    let pinned = |memory: &str| {
        let selector = json!({"kubernetes.io/hostname": "small"});
        json!({"nodeSelector": selector, "containers": [container("app", memory)]})
    };
    names.create("wide", &pinned("1536Mi"));
    names.running("wide");
    names.create("waits", &pinned("1Gi"));
    let pod = names.pod_once("waits", "unschedulable", |pod| {
        condition(pod, "PodScheduled")["reason"] == "Unschedulable"
    });
    assert!(condition(&pod, "PodScheduled")["message"].as_str().unwrap().contains("Insufficient memory"));
    // What was asked for does not make room; what the kubelet has given back does.
    names.annotate("wide", "play-resize", &json!("deferred"));
    names.resize("wide", "app", "512Mi");
    names.pod_once("wide", "deferred", |pod| condition(pod, "PodResizePending")["reason"] == "Deferred");
    assert_eq!(names.pod("waits")["status"]["phase"], "Pending");
    names.annotate("wide", "play-resize", &Value::Null);
    names.running("waits");
}

#[test]
fn who_may_only_view_may_not_resize() {
    let _user = USERS.read();
    let names = Namespace::new("rights");
    let binding = json!({
        "metadata": {"name": "viewers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "viewers"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    names.admin.post(bindings, &binding).created();
    names.create("shop", &json!({"containers": [container("app", "16Mi")]}));
    let viewer = cluster().client(VIEWER_TOKEN);
    eventually("the viewer sees pods", || {
        let answer = viewer.get(&names.pods);
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    });
    let change = json!({"spec": {"containers": [{"name": "app", "resources": size("24Mi")}]}});
    let answer = viewer.patch(&format!("{}/shop/resize", names.pods), Patch::Strategic, &change);
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(cluster().client("nobody").get(&names.pods).status, 401);
}

#[test]
fn a_service_account_comes_in_by_its_token() {
    let _user = USERS.read();
    let names = Namespace::new("accounts");
    let accounts = "/api/v1/namespaces/accounts/serviceaccounts";
    names.admin.post(accounts, &json!({"metadata": {"name": "plimsoll"}})).ok();
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let answer = names.admin.post(&format!("{accounts}/plimsoll/token"), &request).ok();
    let client = cluster().client(answer["status"]["token"].as_str().unwrap());
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).ok();
    assert_eq!(answer["status"]["userInfo"]["username"], "system:serviceaccount:accounts:plimsoll");
    assert_eq!(client.get(&names.pods).status, 403);
}

#[test]
fn no_pod_is_resized_beyond_its_node() {
    let _user = USERS.read();
    let names = Namespace::new("beyond");
    names.create("shop", &json!({"containers": [container("app", "16Mi")]}));
    names.running("shop");
    let change = json!({"spec": {"containers": [{"name": "app", "resources": size("8Gi")}]}});
    let answer = names.admin.patch(&format!("{}/shop/resize", names.pods), Patch::Strategic, &change);
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body["message"].as_str().unwrap().contains("enough allocatable"), "{}", answer.body);
}

#[test]
fn the_cluster_goes_on_after_its_api_server_was_killed() {
    let _alone = USERS.write();
    let names = Namespace::new("restart");
    names.create("before", &json!({"containers": [container("app", "16Mi")]}));
    names.running("before");
    cluster().restart_apiserver();
    names.resize("before", "app", "24Mi");
    names.pod_once("before", "resized", |pod| has(pod, "app", "24Mi"));
    names.create("after", &json!({"containers": [container("app", "16Mi")]}));
    names.running("after");
}
