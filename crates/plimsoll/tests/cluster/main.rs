//! `plimsoll plan`, `apply`, `rollback` and `history` on a real API server: the second team's cluster, there and back again.

#[path = "../common/mod.rs"]
mod common;
mod diagnosed;
mod kept;
mod scaling;
mod shop;
mod stacked;

use serde_json::json;
use shop::{COMPONENTS, Shop, command, plimsoll, said, started, warned};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// There and back again, with the cluster looked at meanwhile: no pod is ever missing where sizes change in place.
fn there_and_back(namespace: &'static str, way: &str) {
    let shop = Shop::open(namespace, &COMPONENTS);
    assert_eq!(shop.actual(), (4224, 0));
    let plan = &shop.plan(way).path;
    assert!(said(&plimsoll(&["apply", plan, "--dry-run"])).contains("passes its check"));
    assert!(shop.is_as_before(), "a dry run changes nothing");

    let mut apply =
        command(&["apply", plan, "--yes"]).stdout(Stdio::piped()).spawn().expect("plimsoll starts");
    let mut fewest = 10;
    while apply.try_wait().expect("a state").is_none() {
        fewest = fewest.min(shop.ready());
        std::thread::sleep(Duration::from_millis(100));
    }
    said(&apply.wait_with_output().expect("an output"));
    shop.expect("the sizes of the team", 1120);
    if way == "in-place" {
        assert_eq!((fewest, shop.is_as_before()), (10, true), "pods stay ready, templates as they are");
        // A pod that comes anew gets its size too.
        let name = shop.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
        shop.admin.delete(&format!("/api/v1/namespaces/{namespace}/pods/{name}")).ok();
        shop.expect("a new pod has its size too", 1120);
    }
    let history = said(&plimsoll(&["history"]));
    assert!(history.contains("applied"), "{history}");

    let started = Instant::now();
    said(&plimsoll(&["rollback", "--yes"]));
    shop.expect_as_before();
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    assert!(said(&plimsoll(&["history"])).contains("rolled-back"));
}

fn two_at_once(namespace: &'static str) {
    let shop = Shop::open(namespace, &COMPONENTS);
    let plan = &shop.plan("in-place").path;
    let first = started(&["apply", plan, "--yes"]);
    std::thread::sleep(Duration::from_secs(2));
    let error = warned(&plimsoll(&["apply", plan, "--yes"]), 4);
    assert!(error.contains(&format!("process {}", first.id())), "{error}");
    said(&first.wait_with_output().expect("an output"));
    said(&plimsoll(&["rollback", "--yes"]));
}

fn a_stranger_in_between(namespace: &'static str) {
    let shop = Shop::open(namespace, &COMPONENTS);
    let plan = &shop.plan("in-place").path;
    // Somebody deploys after the plan was made: it does not pass its check.
    let backend = format!("{}/backend", shop.deployments());
    let theirs = json!({"spec": {"template": {"spec": {"containers":
        [{"name": "backend", "resources": {"requests": {"memory": "600Mi"}}}]}}}});
    shop.admin.patch(&backend, plimsoll_real::cluster::Patch::Strategic, &theirs).ok();
    let refused = warned(&plimsoll(&["apply", plan, "--yes"]), 5);
    assert!(refused.contains("backend"), "{refused}");
}

/// One cluster, one lease: one after the other.
#[test]
fn there_and_back_again() {
    diagnosed::a_killed_pod("diagnosed");
    there_and_back("in-place", "in-place");
    there_and_back("rollout", "rollout");
    two_at_once("two");
    a_stranger_in_between("stranger");
    kept::whatever_is_lost("kept");
    kept::in_a_rollout("kept-rollout");
    stacked::plan_on_plan("stacked");
    // From here on what is used now is known.
    scaling::autoscalers_come_to_what_is_told();
}
