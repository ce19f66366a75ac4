//! Whose cgroups are, as a real API server tells it.

use super::MIB;
use super::common::cluster::eventually;
use super::kernel::{ID, Kernel, SANDBOX, container, pod};
use super::process::{Agent, promtool, value};
use plimsoll_real::cluster::{Client, Cluster, Node, Patch};
use serde_json::json;
use std::path::Path;

const OTHER: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// The one pod of a namespace, once it runs and its container has this id; its name and uid.
fn runs(admin: &Client, namespace: &str, id: &str) -> (String, String) {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let pod = || admin.get(&path).ok()["items"][0].clone();
    eventually("it runs", || pod()["status"]["phase"] == "Running", || admin.get(&path).body.to_string());
    let pod = pod();
    let of = |key: &str| pod["metadata"][key].as_str().expect("a text").to_string();
    let mut states = pod["status"]["containerStatuses"].clone();
    states[0]["containerID"] = json!(format!("containerd://{id}"));
    let change = json!({"status": {"containerStatuses": states}});
    admin.patch(&format!("{path}/{}/status", of("name")), Patch::Merge, &change).ok();
    (of("name"), of("uid"))
}

#[test]
fn a_cgroup_is_its_containers_of_its_pod() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-cluster");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let cluster = Cluster::start(&folder, &[Node::new("one", "7Gi", "4")]);
    let admin = cluster.admin();
    for namespace in ["shop", "ci"] {
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
    }
    let size = json!({"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}});
    let containers = json!([{"name": "app", "image": "registry.example/app:1", "resources": size}]);
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": containers}});
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": template}});
    admin.post("/apis/apps/v1/namespaces/shop/deployments", &deployment).created();
    let annotations = json!({
        "job.runner.gitlab.com/name": "build: [\"a\"]",
        "job.runner.gitlab.com/url": "https://gitlab.example.com/shop/web/-/jobs/7",
    });
    let env =
        json!([{"name": "CI_JOB_STAGE", "value": "test"}, {"name": "GITLAB_USER_LOGIN", "value": "jane"}]);
    let containers = json!([{"name": "build", "image": "node:20", "env": env}]);
    let runner = json!({"metadata": {"name": "runner-1", "annotations": annotations}, "spec": {"containers": containers}});
    admin.post("/api/v1/namespaces/ci/pods", &runner).created();
    let (name, web) = runs(&admin, "shop", ID);
    let (_, job) = runs(&admin, "ci", OTHER);

    let kernel = Kernel::new();
    for (uid, id) in [(&web, ID), (&web, SANDBOX), (&job, OTHER)] {
        kernel.group(&pod(uid), "max", 0);
        kernel.group(&container(uid, id), "536870912", 0);
    }
    let kubeconfig = cluster.kubeconfig.display().to_string();
    let start = || {
        Agent::start(&[
            "--root",
            kernel.root(),
            "--kubeconfig",
            &kubeconfig,
            "--node",
            "one",
            "--interval",
            "1s",
        ])
    };
    let agent = start();
    let text = agent.metrics();
    let labels = format!("{{namespace=\"shop\",pod=\"{name}\",container=\"app\",cgroup=\"\"}}");
    let labels = labels.as_str();
    assert_eq!(value(&text, "plimsoll_container_memory_usage_bytes", &[labels]), Some(100.0 * MIB), "{text}");
    assert_eq!(value(&text, "plimsoll_container_memory_request_bytes", &[labels]), Some(256.0 * MIB));
    let info =
        ["workload_kind=\"Deployment\",workload=\"web\",node=\"one\"", "image=\"registry.example/app:1\""];
    assert_eq!(value(&text, "plimsoll_container_info", &info), Some(1.0));
    let info = ["container=\"build\"", r#"ci_project="shop/web",ci_job="build: [\"a\"]",ci_stage="test""#];
    assert_eq!(value(&text, "plimsoll_container_info", &info), Some(1.0), "{text}");
    assert_eq!(value(&text, "plimsoll_agent_cgroups", &[]), Some(2.0), "a sandbox is nobody's container");
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"pods\""]), Some(0.0));
    assert!(!text.contains("jane"));
    assert_eq!(promtool(&text), "");

    // The job's pod is killed as a whole, and deleted.
    kernel.kills(&pod(&job), 1);
    kernel.remove(&container(&job, OTHER));
    admin.delete("/api/v1/namespaces/ci/pods/runner-1?gracePeriodSeconds=0");
    let whose = ["namespace=\"ci\"", "container=\"build\"", "ci_project=\"shop/web\"", "ci_stage=\"test\""];
    agent.shows("the job's kill", |text| value(text, "plimsoll_oom_kills_total", &whose) == Some(1.0));
    kernel.remove(&pod(&job));
    agent.shows("that it stays", |text| value(text, "plimsoll_agent_cgroups", &[]) == Some(1.0));
    assert_eq!(agent.value("plimsoll_oom_kills_total", &whose), Some(1.0));
    agent.terminate();

    // Without the cluster it goes on with what the paths tell.
    drop(cluster);
    let agent = start();
    let text = agent.metrics();
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"pods\""]), Some(1.0), "{text}");
    assert_eq!(
        value(&text, "plimsoll_container_memory_usage_bytes", &["container=\"0123456789ab\""]),
        Some(100.0 * MIB)
    );
}
