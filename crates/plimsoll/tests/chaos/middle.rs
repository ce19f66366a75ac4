//! What happens to a cluster in the middle of a wave.

use crate::shop::{ROLLED_BACK, Shop};
use plimsoll_real::cluster::Patch;
use serde_json::{Value, json};

/// A pod that has got its new size dies of memory: all is taken back.
pub fn a_pod_dies_of_memory(shop: &Shop, way: &str) {
    taken_back(shop, way, |pod| {
        let name = pod["metadata"]["name"].as_str().expect("a name");
        let change = json!({"metadata": {"annotations": {"plimsoll.dev/play-oom": way}}});
        shop.admin.patch(&format!("/api/v1/namespaces/shop/pods/{name}"), Patch::Merge, &change).ok();
        "was killed for want of memory"
    });
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
    let (out, err) = (shop.log("out"), shop.log("err"));
    let mut command = shop.command(&shop.cluster.kubeconfig, &["apply", &plan.path, "--yes"]);
    let mut apply = command.stdout(out).stderr(err).spawn().expect("plimsoll starts");
    let changed = || {
        let is_new = |pod: &Value| {
            let sizes = pod.pointer("/status/containerStatuses/0/resources/requests/memory");
            let olds = ["256Mi", "128Mi"];
            sizes.and_then(Value::as_str).is_some_and(|size| !olds.contains(&size) || is_small_web(pod))
        };
        shop.pods().into_iter().find(is_new)
    };
    shop.eventually("a pod has begun to change", |_| changed().is_some());
    let why = happens(&changed().expect("it has begun"));
    let code = apply.wait().expect("a state").code();
    let told = shop.logged();
    assert_eq!(code, Some(3), "{way}: {told}");
    assert!(told.contains(why), "{way}: {told}");
    assert_eq!(shop.outcome(&plan.id).as_deref(), Some(ROLLED_BACK));
}

/// What is new for one is old for the other.
fn is_small_web(pod: &Value) -> bool {
    let container = &pod["status"]["containerStatuses"][0];
    container["name"] == "web" && container["resources"]["requests"]["memory"] == "128Mi"
}
