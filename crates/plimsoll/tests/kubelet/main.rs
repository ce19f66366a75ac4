//! `plimsoll plan`, `apply`, `rollback` and `controller` where containers run: a real kubelet under cgroup v2, on a machine that
//! QEMU emulates. What is refused, kept and killed here, the kernel refuses, keeps and kills.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/controller.rs"]
mod controller;
mod following;
mod harbour;
mod plans;
mod stalls;

use plimsoll_real::cluster::{Cluster, Machine, Options, User};
use serde_json::json;
use std::path::Path;
use std::sync::OnceLock;

/// Somebody who may apply plans, and not ask kubelets; called by the token.
const SAILOR: &str = "sailor";

/// One cluster with a machine for all tests, with our kinds; it dies with them. `None`, said why, where there can be none.
fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let start = || {
        if let Some(obstacle) = Machine::obstacle() {
            println!("skipped: {obstacle}");
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubelet");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let users = vec![User::new(SAILOR, SAILOR, &[])];
        let cluster =
            Cluster::start_with(&folder, &[], &Options { machine: true, users, ..Options::default() });
        controller::install(&cluster.admin(), &["crd"]);
        grant(&cluster);
        Some(cluster)
    };
    CLUSTER.get_or_init(start).as_ref()
}

/// The roles for `plimsoll apply`.
fn grant(cluster: &Cluster) {
    let admin = cluster.admin();
    controller::install(&admin, &["crd", "--rbac", "apply"]);
    let group = "rbac.authorization.k8s.io";
    for (kind, place) in [("ClusterRole", ""), ("Role", "namespaces/plimsoll/")] {
        let binding = json!({
            "metadata": {"name": SAILOR},
            "roleRef": {"apiGroup": group, "kind": kind, "name": "plimsoll-apply"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": SAILOR}],
        });
        admin.post(&format!("/apis/{group}/v1/{place}{}bindings", kind.to_lowercase()), &binding).created();
    }
}

#[test]
fn sizes_are_changed_and_taken_back_where_containers_run() {
    if let Some(cluster) = cluster() {
        // One after the other: only one plan at a time may be at work in a cluster.
        plans::all(cluster);
        stalls::all(cluster);
    }
}

#[test]
fn sizes_follow_use_where_containers_run() {
    if let Some(cluster) = cluster() {
        following::all(cluster);
    }
}
