//! What a pod's status tells of its end, by `plimsoll diagnose`.

use crate::shop::{COMPONENTS, Shop, plimsoll, said, warned};
use plimsoll_real::cluster::Patch;
use serde_json::json;

/// A pod that was killed at its limit, as the kubelet writes it; one that is well; and none.
pub fn a_killed_pod(namespace: &'static str) {
    let shop = Shop::open(namespace, &COMPONENTS[..1]);
    let pods = shop.pods();
    let name = |index: usize| pods[index]["metadata"]["name"].as_str().expect("a name").to_string();
    let of = |pod: &str| format!("{namespace}/{pod}");
    let fine = said(&plimsoll(&["diagnose", &of(&name(0))]));
    assert!(fine.contains("no container has died of memory"), "{fine}");

    let mut statuses = pods[0]["status"]["containerStatuses"].clone();
    let container = statuses[0]["name"].as_str().expect("a name").to_string();
    statuses[0]["restartCount"] = json!(3);
    statuses[0]["lastState"] = json!({"terminated": {
        "reason": "OOMKilled", "exitCode": 137, "startedAt": "2026-11-30T10:00:00Z",
        "finishedAt": "2026-11-30T11:00:00Z", "containerID": "containerd://1",
    }});
    let path = format!("/api/v1/namespaces/{namespace}/pods/{}/status", name(0));
    shop.admin.patch(&path, Patch::Merge, &json!({"status": {"containerStatuses": statuses}})).ok();
    let killed = said(&plimsoll(&["diagnose", &of(&name(0))]));
    for part in [
        format!("container {container}: died of memory"),
        "OOMKilled, exit code 137, at 2026-11-30T11:00:00Z".to_string(),
        "3 restarts".to_string(),
        format!("plimsoll rightsize --namespace {namespace}"),
    ] {
        assert!(killed.contains(&part), "{part}\n{killed}");
    }
    assert_eq!(killed.lines().count(), 5, "{killed}");
    let nobody = warned(&plimsoll(&["diagnose", &of("nobody")]), 125);
    assert!(nobody.contains("there is no pod"), "{nobody}");
}
