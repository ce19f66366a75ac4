//! Whose cgroups are, as a real API server tells it.

use super::common::cluster::eventually;
use super::kernel::{ID, Kernel, SANDBOX, container, pod};
use super::process::{Agent, promtool, value};
use super::{MIB, common};
use plimsoll_real::cluster::{Client, Cluster, Node, Patch};
use serde_json::{Value, json};
use std::path::Path;

const OTHER: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A pod of this spec on the node, running with these ids of containers; its uid.
fn run(admin: &Client, namespace: &str, metadata: Value, containers: Value, ids: &[(&str, &str)]) -> String {
    let name = metadata["name"].as_str().expect("a name").to_string();
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let pod = json!({"metadata": metadata, "spec": {"nodeName": "one", "containers": containers}});
    let uid = admin.post(&path, &pod).created()["metadata"]["uid"].as_str().expect("a uid").to_string();
    let path = format!("{path}/{name}");
    eventually("it runs", || admin.get(&path).body["status"]["phase"] == "Running", String::new);
    let mut status = admin.get(&path).ok()["status"].clone();
    for state in status["containerStatuses"].as_array_mut().expect("states") {
        let id = ids.iter().find(|(name, _)| state["name"] == *name);
        state["containerID"] = json!(format!("containerd://{}", id.expect("an id").1));
    }
    admin.patch(&format!("{path}/status"), Patch::Merge, &json!({"status": status})).ok();
    uid
}

#[test]
fn a_cgroup_is_its_containers_of_its_pod() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-cluster");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let cluster = Cluster::start(&folder, &[Node::new("one", "7Gi", "4"), Node::new("two", "7Gi", "4")]);
    let admin = cluster.admin();
    for namespace in ["shop", "ci"] {
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
    }
    let size = json!({"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}});
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8c", "uid": "u", "controller": true}]);
    let metadata =
        json!({"name": "web-5d4f8c-x", "labels": {"pod-template-hash": "5d4f8c"}, "ownerReferences": owner});
    let containers = json!([{"name": "app", "image": "registry.example/app:1", "resources": size}]);
    let web = run(&admin, "shop", metadata, containers, &[("app", ID)]);
    let annotations = json!({
        "job.runner.gitlab.com/name": "build: [\"a\"]", "job.runner.gitlab.com/url": "https://gitlab.example.com/shop/web/-/jobs/7",
    });
    let env =
        json!([{"name": "CI_JOB_STAGE", "value": "test"}, {"name": "GITLAB_USER_LOGIN", "value": "jane"}]);
    let containers = json!([{"name": "build", "image": "node:20", "env": env}]);
    let job = run(
        &admin,
        "ci",
        json!({"name": "runner-1", "annotations": annotations}),
        containers,
        &[("build", OTHER)],
    );

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
    let labels = "{namespace=\"shop\",pod=\"web-5d4f8c-x\",container=\"app\",cgroup=\"\"}";
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
    let _ = common::tools();
}
