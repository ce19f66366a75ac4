//! What happens to a cluster in the middle of a wave.

use crate::shop::{ROLLED_BACK, Saved, Shop, said};
use plimsoll_real::cluster::Patch;
use serde_json::{Value, json};
use std::process::Child;
use std::time::Duration;

/// A pod that has got its new size dies of memory: all is taken back.
pub fn a_pod_dies_of_memory(shop: &Shop, way: &str) {
    taken_back(shop, way, |pod| {
        play(shop, &pod_path(pod), "oom", Some(way));
        "was killed for want of memory"
    });
    shop.assert_as_before();
}

/// Its node evicts a pod that has got its new size: all is taken back.
pub fn a_pod_is_evicted(shop: &Shop, way: &str) {
    taken_back(shop, way, |pod| {
        play(shop, &pod_path(pod), "evict", Some("memory"));
        "was evicted: node one ran short of memory"
    });
    shop.assert_as_before();
}

/// A node runs short of memory for longer than a watch: all is taken back, while it is short still.
pub fn a_node_runs_short_of_memory(shop: &Shop) {
    taken_back(shop, "in-place", |_| {
        play(shop, NODE, "pressure", Some("memory"));
        "node one runs short of memory, which it did not before the wave"
    });
    shop.assert_as_before();
    play(shop, NODE, "pressure", None);
}

/// A node runs short of memory for a moment: nothing gets smaller meanwhile, then it goes on.
pub fn a_node_is_short_of_memory_for_a_moment(shop: &Shop) {
    let plan = shop.plan_watched("in-place", "10s");
    let mut apply = begin(shop, &plan);
    play(shop, NODE, "pressure", Some("memory"));
    shop.eventually("it is held", |shop| shop.logged().contains("node one runs short of memory"));
    let held = wanted(shop);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(wanted(shop), held);
    assert!(apply.try_wait().expect("a state").is_none(), "{}", shop.logged());
    play(shop, NODE, "pressure", None);
    assert_eq!(apply.wait().expect("a state").code(), Some(0), "{}", shop.logged());
    shop.assert_applied(&plan, "in-place");
    said(&shop.plimsoll(&["rollback", &plan.id, "--yes"]));
    shop.assert_as_before();
}

/// Somebody deploys: all of ours is taken back, and theirs stays.
pub fn somebody_deploys(shop: &mut Shop, way: &str) {
    let image = format!("registry.example/app:{way}");
    taken_back(shop, way, |_| {
        shop.deploy("web", &json!({"spec": {"containers": [{"name": "web", "image": image}]}}));
        "web: somebody else"
    });
    shop.expect_image("web", &image);
    shop.assert_as_before();
}

/// Applies a plan, and has something happen once the first pod is on its way to what the plan says.
fn taken_back(shop: &Shop, way: &str, happens: impl FnOnce(&Value) -> &'static str) {
    let plan = shop.plan(way);
    let mut apply = begin(shop, &plan);
    let why = happens(&changed(shop).expect("it has begun"));
    let code = apply.wait().expect("a state").code();
    let told = shop.logged();
    assert_eq!(code, Some(3), "{way}: {told}");
    assert!(told.contains(why), "{way}: {told}");
    assert_eq!(shop.outcome(&plan.id).as_deref(), Some(ROLLED_BACK));
}

/// Begins to apply a plan, until the first pod is on its way to what the plan says.
fn begin(shop: &Shop, plan: &Saved) -> Child {
    let (out, err) = (shop.log("out"), shop.log("err"));
    let mut command = shop.command(&shop.cluster.kubeconfig, &["apply", &plan.path, "--yes"]);
    let apply = command.stdout(out).stderr(err).spawn().expect("plimsoll starts");
    shop.eventually("a pod has begun to change", |shop| changed(shop).is_some());
    apply
}

fn changed(shop: &Shop) -> Option<Value> {
    let is_new = |pod: &Value| {
        let sizes = pod.pointer("/status/containerStatuses/0/resources/requests/memory");
        let olds = ["256Mi", "128Mi"];
        sizes.and_then(Value::as_str).is_some_and(|size| !olds.contains(&size) || is_small_web(pod))
    };
    shop.pods().into_iter().find(is_new)
}

/// What the containers of all pods should have.
fn wanted(shop: &Shop) -> Vec<Value> {
    shop.pods().iter().map(|pod| pod["spec"]["containers"][0]["resources"].clone()).collect()
}

const NODE: &str = "/api/v1/nodes/one";

fn pod_path(pod: &Value) -> String {
    format!("/api/v1/namespaces/shop/pods/{}", pod["metadata"]["name"].as_str().expect("a name"))
}

/// Has kwok play something (see `dev/controlplane/README.md`), or no more.
fn play(shop: &Shop, path: &str, what: &str, value: Option<&str>) {
    let name = format!("plimsoll.dev/play-{what}");
    shop.admin.patch(path, Patch::Merge, &json!({"metadata": {"annotations": {name: value}}})).ok();
}

/// What is new for one is old for the other.
fn is_small_web(pod: &Value) -> bool {
    let container = &pod["status"]["containerStatuses"][0];
    container["name"] == "web" && container["resources"]["requests"]["memory"] == "128Mi"
}
