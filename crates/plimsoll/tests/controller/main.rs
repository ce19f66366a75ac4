//! `plimsoll controller` on a real API server: sizes follow use, a kill raises at once, whoever leads next goes on, and all is
//! as it was when nobody wants it any more.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/controller.rs"]
mod controller;
mod shop;

use common::PLIMSOLL;
use controller::{Controller, eventually};
use plimsoll_cluster::rights::{Purpose, rights};
use plimsoll_real::cluster::{Asked, Patch};
use serde_json::{Value, json};
use shop::Shop;
use std::process::Command;
use std::time::Duration;

fn policy(mode: &str) -> Value {
    json!({
        "apiVersion": "plimsoll.dev/v1alpha1",
        "kind": "MemoryPolicy",
        "metadata": {"name": "all"},
        "spec": {
            "mode": mode,
            "exclude": {"workloads": ["mine"]},
            "bounds": [{"min": "32Mi"}],
            "budget": {"watchSeconds": 1, "patienceSeconds": 20},
            "publishVerticalPodAutoscalers": true,
        },
    })
}

/// What the server refuses by itself, each with the words that it says.
fn is_validated(shop: &Shop) {
    let check = |change: &dyn Fn(&mut Value), words: &str| {
        let mut object = policy("Auto");
        change(&mut object["spec"]);
        let answer = shop.admin.post(&shop.policies(), &object);
        assert_eq!(answer.status, 422, "{words}: {:?}", answer.body);
        assert!(answer.body["message"].as_str().expect("a message").contains(words), "{:?}", answer.body);
    };
    check(&|spec| spec["mode"] = json!("Sometimes"), "Unsupported value");
    check(&|spec| spec["bounds"] = json!([{"min": "2Gi", "max": "1Gi"}]), "min must not be above max");
    check(&|spec| spec["bounds"] = json!([{"min": "much"}]), "spec.bounds[0].min");
    check(&|spec| spec["risk"] = json!("0%"), "risk must be above 0%");
    check(&|spec| spec["risk"] = json!("80%"), "at most 50%");
    check(&|spec| spec["schedule"] = json!({"from": "25:00", "to": "06:00"}), "spec.schedule.from");
    check(&|spec| spec["schedule"] = json!({"from": "06:00", "to": "06:00"}), "from and to must differ");
    check(
        &|spec| spec["selector"] = json!({"matchExpressions": [{"key": "app", "operator": "In"}]}),
        "In and NotIn need values",
    );
    check(&|spec| spec["budget"] = json!({"workloadsAtOnce": 0}), "workloadsAtOnce");
}

fn follows_use(shop: &Shop, controller: &Controller) {
    eventually("web follows its use", || {
        shop.limits("web").iter().all(|limit| (105..=180).contains(limit)) && shop.status()["sized"] == 1
    });
    assert_eq!((shop.limits("mine"), shop.limits("scaled")), (vec![1024], vec![1024]));
    let status = shop.status();
    assert_eq!(status["conditions"][0]["status"], "True", "{status}");
    assert_eq!((&status["workloads"], &status["leftAloneCount"]), (&json!(2), &json!(1)), "{status}");
    let why = status["leftAlone"][0]["reason"].as_str().expect("a reason");
    assert!(why.contains("HorizontalPodAutoscaler 'scaled'"), "{why}");
    eventually("an event says so", || {
        shop.events("web").iter().any(|event| event["reason"] == "MemoryResized")
    });
    let metrics = controller.metrics();
    for line in [
        "plimsoll_controller_leader 1",
        "plimsoll_controller_use_known 1",
        "plimsoll_controller_workloads_sized{namespace=\"shop\",policy=\"all\"} 1",
        "plimsoll_controller_orders_total{order=\"resize_pod\",outcome=\"done\"}",
        "plimsoll_controller_loop_seconds_count",
        // It is seen at 0, so that the first kill is a rise.
        "plimsoll_controller_events_total{reason=\"OutOfMemory\"} 0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    eventually("what is right is published", || {
        let published = shop.admin.get(&shop.vertical("plimsoll-deployment-web"));
        let target =
            &published.body["status"]["recommendation"]["containerRecommendations"][0]["target"]["memory"];
        published.body["spec"]["updatePolicy"]["updateMode"] == "Off" && target.is_string()
    });
}

fn a_kill_raises(shop: &Shop) {
    let before = shop.limits("web");
    let pod = shop.pods("web")[0]["metadata"]["name"].as_str().expect("a name").to_string();
    let oom = json!({"metadata": {"annotations": {"plimsoll.dev/play-oom": "once"}}});
    shop.admin.patch(&format!("/api/v1/namespaces/shop/pods/{pod}"), Patch::Merge, &oom).ok();
    eventually("all of web have more", || {
        shop.limits("web").iter().all(|limit| *limit * 10 > before[0] * 11)
    });
    eventually("an event says so", || {
        shop.events("web").iter().any(|event| event["reason"] == "OutOfMemory")
    });
}

/// Of two one leads; when it dies, the other goes on with what was known.
fn another_goes_on(shop: &Shop, mut first: Controller) -> Controller {
    let second = shop::start(shop);
    second.says("standing by");
    first.kill();
    second.says("leading");
    let before = shop.limits("web");
    shop.uses("web", before[0] * 95 / 100);
    eventually("web gets more before it needs it", || {
        shop.limits("web").iter().all(|limit| *limit > before[0])
    });
    second
}

/// What was learnt survives an end, though a new one would follow everything for an hour first.
fn a_restart_resumes(shop: &Shop, mut second: Controller) -> Controller {
    second.terminate();
    let third = shop::start(shop);
    third.says("leading");
    let limits = shop.limits("web");
    shop.uses("web", limits[0] * 97 / 100);
    eventually("web gets more", || shop.limits("web").iter().all(|limit| *limit > limits[0]));
    third
}

/// `plimsoll plan` does not touch what a policy governs.
fn a_plan_keeps_off(shop: &Shop) {
    let size = json!({
        "namespace": "shop", "kind": "Deployment", "workload": "web", "container": "app", "pods": 3,
        "recommended_request_bytes": 700 << 20, "recommended_limit_bytes": 900 << 20,
        "limit_reason": "made up", "peak_bytes": 20 << 20, "non_reclaimable_bytes": null,
    });
    let now = jiff::Timestamp::now().to_string();
    let report = json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": [size], "skipped": []});
    let path = shop::folder().join("web.json");
    std::fs::write(&path, report.to_string()).expect("a file");
    let mut plan = Command::new(PLIMSOLL);
    plan.args(["plan", "-n", "shop", "--recommendations"]).arg(&path).env("KUBECONFIG", shop.kubeconfig());
    let said = plan.output().expect("plimsoll starts");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("MemoryPolicy 'all' has its sizes follow use"), "{said}");
}

/// Rights that the audit log has as something else: what is applied to make an object is a `patch` there, and needs `create`
/// too. A kill that happens again is the same event, which this test does not play.
const UNSEEN: [(&str, &str); 4] = [
    ("create", "memorysizes"),
    ("create", "verticalpodautoscalers"),
    ("create", "configmaps"),
    ("patch", "events"),
];

/// Nothing was asked for that its roles do not grant, and nothing is granted that was not asked for.
fn has_the_rights_it_needs(shop: &Shop) {
    let asked = shop.asked();
    let denied: Vec<_> = asked.iter().filter(|asked| !asked.is_allowed).collect();
    assert!(denied.is_empty(), "not granted: {denied:?}");
    for right in rights(Purpose::Controller) {
        for (kind, verb) in
            right.kinds.iter().flat_map(|kind| right.verbs.iter().map(move |verb| (kind, verb)))
        {
            let is_it =
                |asked: &Asked| (&*asked.group, &*asked.kind, &*asked.verb) == (right.group, *kind, *verb);
            assert!(
                asked.iter().any(is_it) || UNSEEN.contains(&(*verb, *kind)),
                "{verb} {kind} is granted and not used"
            );
        }
    }
}

#[test]
fn sizes_follow_use_and_all_goes_back() {
    let shop = Shop::open();
    is_validated(&shop);
    let before = shop.specs();
    shop.admin.post(&shop.policies(), &policy("Auto")).created();
    let watch = shop.watch_readiness();
    let first = shop::start(&shop);
    first.says("leading");
    follows_use(&shop, &first);
    assert!(watch.fewest_ready() >= 5, "a pod was not ready");
    a_plan_keeps_off(&shop);
    a_kill_raises(&shop);
    let second = another_goes_on(&shop, first);
    let mut third = a_restart_resumes(&shop, second);
    assert_eq!(shop.specs(), before, "templates are never touched");
    shop.admin.delete(&format!("{}/all", shop.policies())).ok();
    eventually("all is as it was", || {
        let sizes = shop.admin.get("/apis/plimsoll.dev/v1alpha1/namespaces/shop/memorysizes");
        shop.limits("web") == [1024; 3] && sizes.body["items"].as_array().is_some_and(Vec::is_empty)
    });
    eventually("nothing is published", || {
        shop.admin.get(&shop.vertical("plimsoll-deployment-web")).status == 404
    });
    third.terminate();
    has_the_rights_it_needs(&shop);
    std::thread::sleep(Duration::from_millis(100));
}
