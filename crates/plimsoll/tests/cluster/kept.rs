//! What undoes a plan is in the cluster and on this machine: either may be lost, and with the plan's own file both.

use crate::shop::{COMPONENTS, Saved, Shop, cluster, folder, plimsoll, said, started, store, warned};
use plimsoll_real::cluster::Patch;
use serde_json::{Value, json};
use std::fs;

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/plimsoll/leases/apply";
const IN_PLACE: &str = "in-place";
const ROLLOUT: &str = "rollout";
const CONFIG_MAPS: &str = "/api/v1/namespaces/plimsoll/configmaps";

/// A plan dies of kill -9 in the middle, then this is lost of what is known of it; it is put back all the same.
pub fn whatever_is_lost(namespace: &'static str) {
    let shop = Shop::open(namespace, &COMPONENTS[..2]);
    the_clusters(&shop, IN_PLACE);
    ours(&shop);
    damaged(&shop);
    both(&shop, IN_PLACE);
    gone_on_with_elsewhere(&shop);
    another_cluster(&shop);
    no_store(&shop);
}

/// Where templates change, what can be told without a journal is told by other things.
pub fn in_a_rollout(namespace: &'static str) {
    let shop = Shop::open(namespace, &COMPONENTS[..2]);
    the_clusters(&shop, ROLLOUT);
    both(&shop, ROLLOUT);
}

/// Somebody tidies up, and with our namespace its copy is gone.
fn the_clusters(shop: &Shop, way: &str) {
    let plan = killed(shop, way);
    shop.admin.delete("/api/v1/namespaces/plimsoll").ok();
    shop.eventually("it is gone", |shop| shop.admin.get("/api/v1/namespaces/plimsoll").status == 404);
    assert_eq!(entry(&plan), (json!("applying"), json!(["here"])));
    let taken = warned(&plimsoll(&["rollback", "--yes"]), 0);
    assert!(taken.contains("the cluster has lost it"), "{taken}");
    over(shop, &plan);
}

/// The machine that carried it out is gone, with its store.
fn ours(shop: &Shop) {
    let plan = killed(shop, IN_PLACE);
    fs::remove_dir_all(store()).expect("a store");
    assert_eq!(entry(&plan), (json!("applying"), json!(["cluster"])));
    assert_eq!(warned(&plimsoll(&["rollback", "--yes"]), 0), "");
    over(shop, &plan);
}

/// Of the text in the cluster half is missing, or all; or an older one was put back.
fn damaged(shop: &Shop) {
    for what in ["half", "nothing", "older"] {
        let plan = killed(shop, IN_PLACE);
        let path = format!("{CONFIG_MAPS}/plan-{}", plan.id);
        let text = shop.admin.get(&path).ok()["data"]["journal"].as_str().expect("a journal").to_string();
        let (left, expect) = match what {
            "half" => (json!({"journal": &text[..text.len() / 2]}), "a copy that is not understood"),
            "nothing" => (json!({"journal": null}), "a copy that is not understood (it is empty)"),
            _ => (json!({"revision": "0"}), "an older copy"),
        };
        shop.admin.patch(&path, Patch::Merge, &json!({"data": left})).ok();
        if what == "nothing" {
            nor_ours(&plan);
        }
        let taken = warned(&plimsoll(&["rollback", &plan.id, "--yes"]), 0);
        assert!(taken.contains(expect), "{taken}");
        over(shop, &plan);
    }
}

/// Where our own copy is not understood either nothing is done, and nothing is written over.
fn nor_ours(plan: &Saved) {
    let file = store().join(format!("plans/{}.json", plan.id));
    let whole = fs::read_to_string(&file).expect("a copy");
    let third = &whole[..whole.len() / 3];
    fs::write(&file, third).expect("written");
    for args in [["rollback", &plan.id, "--yes"], ["apply", &plan.path, "--yes"]] {
        let refused = warned(&plimsoll(&args), 125);
        assert!(refused.contains("not understood (it is empty)"), "{refused}");
        assert!(refused.contains("passed over"), "{refused}");
    }
    assert_eq!(fs::read_to_string(&file).expect("a copy"), third);
    fs::write(&file, whole).expect("written");
}

/// Both are lost: nothing is done by guessing, and what the plan's file says was before is put back.
fn both(shop: &Shop, way: &str) {
    let plan = killed(shop, way);
    let told = (shop.specs(), shop.memory_sizes());
    shop.admin.delete(CONFIG_MAPS).ok();
    fs::remove_dir_all(store()).expect("a store");
    let refused = warned(&plimsoll(&["rollback", &plan.id, "--yes"]), 125);
    assert!(refused.contains("plimsoll rollback plan.json"), "{refused}");
    warned(&plimsoll(&["rollback", "--yes"]), 125);
    // What has been changed would pass for how it was before.
    warned(&plimsoll(&["apply", &plan.path, "--yes"]), if way == IN_PLACE { 125 } else { 5 });
    assert_eq!((shop.specs(), shop.memory_sizes()), told);
    let said = warned(&plimsoll(&["rollback", &plan.path, "--yes"]), 0);
    assert!(said.contains("neither the cluster nor this machine knows"), "{said}");
    over(shop, &plan);
}

/// Another machine put it back: ours is told, and believes it.
fn gone_on_with_elsewhere(shop: &Shop) {
    let plan = killed(shop, IN_PLACE);
    let elsewhere = folder().join("elsewhere");
    said(&plimsoll(&["rollback", "--yes", "--store", elsewhere.to_str().expect("a path")]));
    assert_eq!(entry(&plan), (json!("rolled-back"), json!(["cluster", "here"])));
    let taken = warned(&plimsoll(&["rollback", &plan.id, "--yes"]), 0);
    assert!(taken.contains("newer than this machine's"), "{taken}");
    shop.expect_as_before();
}

/// What was carried out elsewhere is not put back here; but a cluster may have another address by now.
fn another_cluster(shop: &Shop) {
    let plan = killed(shop, IN_PLACE);
    shop.admin.delete(CONFIG_MAPS).ok();
    let file = store().join(format!("plans/{}.json", plan.id));
    let ours = fs::read_to_string(&file).expect("a copy");
    let moved = ours.replace(&cluster().url, "https://elsewhere:6443");
    assert_ne!(moved, ours);
    let uid = "\"uid\":\"";
    fs::write(&file, moved.replace(uid, &format!("{uid}x"))).expect("written");
    let refused = warned(&plimsoll(&["rollback", &plan.id, "--yes"]), 125);
    assert!(refused.contains("it was carried out at https://elsewhere:6443"), "{refused}");
    assert!(!said(&plimsoll(&["history"])).contains(&plan.id));
    // No cluster is asked for what this machine knows.
    let local = ["history", "--local", "--kubeconfig", "/nowhere"];
    assert!(said(&plimsoll(&local)).contains("https://elsewhere:6443"));
    let unseen = warned(&plimsoll(&["history", "--kubeconfig", "/nowhere"]), 125);
    assert!(unseen.contains("plimsoll history --local"), "{unseen}");
    fs::write(&file, moved).expect("written");
    warned(&plimsoll(&["rollback", &plan.id, "--yes"]), 0);
    over(shop, &plan);
}

/// A store that cannot be written stands in nobody's way, and is said to be.
fn no_store(shop: &Shop) {
    let plan = shop.plan(IN_PLACE);
    let file = folder().join("file");
    fs::write(&file, "").expect("written");
    let no_folder = file.to_str().expect("a path");
    let apply = warned(&plimsoll(&["apply", &plan.path, "--yes", "--store", no_folder]), 0);
    assert!(apply.contains("check --store"), "{apply}");
    assert_eq!(apply.matches("check --store").count(), 1, "{apply}");
    said(&plimsoll(&["rollback", "--yes"]));
    over(shop, &plan);
}

/// A plan that was begun, changed something, and died.
fn killed(shop: &Shop, way: &str) -> Saved {
    let plan = shop.plan(way);
    let before = shop.actual();
    let mut apply = started(&["apply", &plan.path, "--yes"]);
    let is_at_it =
        |shop: &Shop| shop.actual() != before && (way == ROLLOUT || !shop.memory_sizes().is_empty());
    shop.eventually("something has changed", is_at_it);
    apply.kill().expect("killed");
    apply.wait().expect("it is over");
    // It holds its lease for some seconds more.
    shop.admin.delete(LEASE).ok();
    plan
}

/// It is put back, and both copies say so.
fn over(shop: &Shop, plan: &Saved) {
    shop.expect_as_before();
    assert_eq!(entry(plan), (json!("rolled-back"), json!(["cluster", "here"])));
}

/// What came of a plan, and who knows of it.
fn entry(plan: &Saved) -> (Value, Value) {
    let history = said(&plimsoll(&["history", "-o", "json"]));
    let history: Value = serde_json::from_str(&history).expect("JSON");
    let entry = history.as_array().expect("entries").iter().find(|entry| entry["id"] == plan.id.as_str());
    let entry = entry.unwrap_or_else(|| panic!("{} is not in {history}", plan.id));
    (entry["outcome"].clone(), entry["known_to"].clone())
}
