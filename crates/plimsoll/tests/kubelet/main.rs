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

use plimsoll_real::cluster::{Cluster, Machine, Options};
use std::path::Path;
use std::sync::OnceLock;

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
        let cluster = Cluster::start_with(&folder, &[], &Options { machine: true, ..Options::default() });
        controller::install(&cluster.admin(), &["crd"]);
        Some(cluster)
    };
    CLUSTER.get_or_init(start).as_ref()
}

#[test]
fn sizes_are_changed_and_taken_back_where_containers_run() {
    if let Some(cluster) = cluster() {
        plans::all(cluster);
    }
}

#[test]
fn sizes_follow_use_where_containers_run() {
    if let Some(cluster) = cluster() {
        following::all(cluster);
    }
}

#[test]
fn what_waits_for_memory_gets_back_what_it_had() {
    if let Some(cluster) = cluster() {
        stalls::all(cluster);
    }
}
