//! A real kubelet and real containers under cgroup v2, on a machine that QEMU emulates: what becomes of limits and resizes.

mod eaters;
#[allow(dead_code)]
#[path = "../cluster/pods.rs"]
mod pods;

use eaters::{Eaters, MIB};
use plimsoll_real::cluster::{Cluster, Machine, Options};
use pods::{condition, has, size, status_of};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;

/// One cluster with a machine for all tests of this file; it dies with them.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubelet");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Cluster::start_with(&folder, &[], &Options { machine: true, ..Options::default() })
    })
}

/// Whether there can be a machine; where not, that is said.
fn is_possible() -> bool {
    let obstacle = Machine::obstacle();
    obstacle.iter().for_each(|obstacle| println!("skipped: {obstacle}"));
    obstacle.is_none()
}

#[test]
fn a_container_that_takes_more_than_its_limit_is_killed_and_started_again() {
    if !is_possible() {
        return;
    }
    let eaters = Eaters::new("killed");
    eaters.start("shop", "64Mi", &["100", "1000", "600000"]);
    let pod = eaters
        .pods
        .pod_once("shop", "killed twice", |pod| status_of(pod, "app")["restartCount"].as_u64() >= Some(2));
    let status = status_of(&pod, "app");
    assert_eq!(status["lastState"]["terminated"]["reason"], "OOMKilled", "{status}");
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 137);
}

#[test]
fn a_resize_reaches_the_cgroups_of_the_container_and_its_pod_without_a_restart() {
    if !is_possible() {
        return;
    }
    let eaters = Eaters::new("resized");
    eaters.start("shop", "128Mi", &["20", "0", "600000"]);
    let first = eaters.holding("shop", 20);
    assert_eq!((eaters.limit("shop"), eaters.limit_of_pod("shop")), (128 * MIB, 128 * MIB));
    for (memory, mib) in [("256Mi", 256), ("96Mi", 96)] {
        eaters.pods.resize("shop", "app", memory);
        let pod = eaters.pods.pod_once("shop", "resized", |pod| has(pod, "app", memory));
        assert_eq!(status_of(&pod, "app")["restartCount"], 0);
        assert_eq!(status_of(&pod, "app")["state"], status_of(&first, "app")["state"]);
        assert_eq!((eaters.limit("shop"), eaters.limit_of_pod("shop")), (mib * MIB, mib * MIB));
    }
}

#[test]
fn a_limit_below_use_is_refused_until_it_is_taken_back() {
    if !is_possible() {
        return;
    }
    let eaters = Eaters::new("refused");
    eaters.start("shop", "96Mi", &["50", "0", "600000"]);
    eaters.holding("shop", 50);
    eaters.pods.resize("shop", "app", "32Mi");
    let pod = eaters
        .pods
        .pod_once("shop", "refused", |pod| condition(pod, "PodResizeInProgress")["reason"] == "Error");
    let refusal = condition(&pod, "PodResizeInProgress");
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("below current usage"), "{message}");
    assert_eq!(refusal["status"], "True");
    assert_eq!(status_of(&pod, "app")["resources"], size("96Mi"));
    assert_eq!(status_of(&pod, "app")["allocatedResources"], json!({"memory": "32Mi"}));
    assert_eq!((eaters.limit("shop"), eaters.limit_of_pod("shop")), (96 * MIB, 96 * MIB));
    eaters.pods.resize("shop", "app", "96Mi");
    let pod = eaters.pods.pod_once("shop", "as it was", |pod| has(pod, "app", "96Mi"));
    assert_eq!(status_of(&pod, "app")["restartCount"], 0);
}

/// kubernetes/kubernetes#138760: the container comes back with its new limit, and dies at that of its pod, which is set only
/// with that of a container that runs.
#[test]
fn a_limit_that_is_raised_while_the_container_is_down_does_not_reach_its_pod() {
    if !is_possible() {
        return;
    }
    let eaters = Eaters::new("raised");
    eaters.start("shop", "64Mi", &["100", "10000", "600000"]);
    let restarts = |pod: &Value| status_of(pod, "app")["restartCount"].as_u64().unwrap_or(0);
    let down = eaters.pods.pod_once("shop", "down", |pod| {
        restarts(pod) > 0 && status_of(pod, "app")["state"]["terminated"].is_object()
    });
    eaters.pods.resize("shop", "app", "192Mi");
    let again = eaters.pods.pod_once("shop", "killed again", |pod| restarts(pod) > restarts(&down) + 1);
    assert_eq!(status_of(&again, "app")["allocatedResources"]["memory"], "192Mi");
    assert_eq!(status_of(&again, "app")["lastState"]["terminated"]["reason"], "OOMKilled");
    assert_eq!(eaters.limit_of_pod("shop"), 64 * MIB);
    assert_eq!(again["status"]["resources"]["limits"]["memory"], "64Mi", "the kubelet tells");
    // The way out is another resize, while it runs.
    eaters.pods.pod_once("shop", "running", |pod| status_of(pod, "app")["state"]["running"].is_object());
    eaters.pods.resize("shop", "app", "193Mi");
    eaters.holding("shop", 100);
    assert_eq!((eaters.limit("shop"), eaters.limit_of_pod("shop")), (193 * MIB, 193 * MIB));
}

#[test]
fn the_api_server_hands_on_what_the_kubelet_knows_of_use() {
    if !is_possible() {
        return;
    }
    let eaters = Eaters::new("used");
    eaters.start("shop", "96Mi", &["50", "0", "600000"]);
    eaters.holding("shop", 50);
    // Its numbers are up to ten seconds old.
    let used = pods::eventually("all of it is seen", || match eaters.used("shop", "app") {
        Ok(used) if used < 50 * MIB => Err(json!(used)),
        other => other,
    });
    assert!(used < 60 * MIB, "{used}");
}
