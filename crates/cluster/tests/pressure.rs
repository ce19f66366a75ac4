//! What is seen of nodes that run short of memory, and of pods that are evicted for it: kubelets are played by kwok, the
//! controllers that replace those pods are Kubernetes' own.

mod common;

use common::{cluster, deployment, eventually, namespace, runtime};
use plimsoll_cluster::access::Access;
use plimsoll_cluster::watch::{Synced, Watch};
use plimsoll_core::inventory::{Abilities, Inventory, Kind, WorkloadId};
use plimsoll_real::cluster::Patch;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const NAMESPACE: &str = "evicts";

async fn watch() -> Synced {
    let kubeconfig = Some(cluster().kubeconfig.clone());
    let client = Access { kubeconfig, context: None }.client().await.expect("a client");
    let watch = Watch::start(&client, Some(NAMESPACE)).await.expect("a watch");
    watch.synced(Duration::from_secs(20)).await.expect("synced")
}

fn seen(watch: &Synced) -> Inventory {
    watch.inventory(0, Abilities::default())
}

fn play(path: &str, what: &str, value: Option<&str>) {
    let name = format!("plimsoll.dev/play-{what}");
    let change = json!({"metadata": {"annotations": {name: value}}});
    cluster().admin().patch(path, Patch::Merge, &change).ok();
}

fn pods_of(seen: &Inventory, kind: Kind) -> Vec<(String, String)> {
    let of_it = |workload: &WorkloadId| workload.kind == kind;
    let pods = seen.pods.iter().filter(|(_, pod)| pod.workload.as_ref().is_some_and(of_it) && pod.is_ready);
    pods.map(|((_, name), pod)| (name.clone(), pod.uid.clone())).collect()
}

/// A workload of this kind, by whose plural it and its pods are called: two pods, or one on each of two nodes.
fn deploy(kind: &str, change: impl Fn(&mut Value)) {
    let mut object: Value = deployment(kind, 2);
    change(&mut object["spec"]);
    cluster().admin().post(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/{kind}"), &object).created();
}

#[test]
fn who_was_evicted_for_memory_is_known_though_it_is_gone() {
    namespace(NAMESPACE);
    deploy("deployments", |_| ());
    deploy("statefulsets", |spec| spec["serviceName"] = json!("none"));
    deploy("daemonsets", |spec| drop(spec.as_object_mut().expect("an object").remove("replicas")));
    runtime().block_on(async {
        let watch = watch().await;
        let mut evicted = BTreeSet::new();
        for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet] {
            eventually("pods ready", async || pods_of(&seen(&watch), kind).len() == 2).await;
            let [(disk, _), (memory, uid)] = &pods_of(&seen(&watch), kind)[..] else { panic!("two") };
            let path = |pod: &String| format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}");
            play(&path(disk), "evict", Some("ephemeral-storage"));
            play(&path(memory), "evict", Some("memory"));
            evicted.insert(uid.clone());
            eventually("both are replaced, and one was short of memory", async || {
                let seen = seen(&watch);
                let pods = pods_of(&seen, kind);
                let is_new = pods.len() == 2 && pods.iter().all(|(_, other)| other != uid);
                is_new && seen.evicted.keys().cloned().collect::<BTreeSet<_>>() == evicted
            })
            .await;
            let found = &seen(&watch).evicted[uid];
            assert_eq!((&found.pod, found.workload.kind), (memory, kind));
            assert!(["one", "two"].contains(&found.node.as_str()), "{found:?}");
        }
        // A Deployment's stays; of the others only who watched knows.
        let later = self::watch().await;
        assert_eq!(seen(&later).evicted.len(), 1);
        assert_eq!(seen(&later.after(&watch)).evicted.len(), 3);
    });
}

#[test]
fn a_node_that_runs_short_of_memory_is_seen() {
    runtime().block_on(async {
        let watch = watch().await;
        let pressed = || {
            let nodes = seen(&watch).nodes;
            nodes.iter().filter(|(_, node)| node.is_pressed).map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert!(pressed().is_empty());
        play("/api/v1/nodes/two", "pressure", Some("memory"));
        eventually("it is short", async || pressed() == ["two"]).await;
        play("/api/v1/nodes/two", "pressure", None);
        eventually("it is not any more", async || pressed().is_empty()).await;
    });
}
