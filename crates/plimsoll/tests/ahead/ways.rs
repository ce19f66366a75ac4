//! Each way to have more pods: what is set goes up for who comes and back to what people had, by a role that grants that and no more.

use crate::served::Served;
use crate::town::{Shop, USER, as_user, cluster, comes_to, eventually, reserve};
use plimsoll_cluster::rights::{Purpose, rights};
use plimsoll_real::cluster::{Asked, Patch};
use serde_json::{Value, json};

/// A way, and where what is set is to be found.
struct Way {
    name: &'static str,
    kinds: &'static str,
    ahead: &'static str,
    /// VERSION/KINDS/NAME
    path: &'static str,
    field: &'static str,
    /// What people have there, and what is there while three pods are wanted.
    numbers: (Value, Value),
}

fn ways() -> [Way; 5] {
    [
        Way {
            name: "by-statefulset",
            kinds: "statefulsets",
            ahead: "statefulset: by-statefulset/backend",
            path: "apps/v1/statefulsets/backend",
            field: "replicas",
            numbers: (json!(1), json!(3)),
        },
        Way {
            name: "by-deployment",
            kinds: "deployments",
            ahead: "deployment: by-deployment/backend",
            path: "apps/v1/deployments/backend",
            field: "replicas",
            numbers: (json!(1), json!(3)),
        },
        Way {
            name: "by-hpa",
            kinds: "statefulsets",
            ahead: "hpa: by-hpa/scaler",
            path: "autoscaling/v2/horizontalpodautoscalers/scaler",
            field: "minReplicas",
            numbers: (json!(1), json!(3)),
        },
        Way {
            name: "by-keda",
            kinds: "deployments",
            ahead: "scaled_object: by-keda/scaler",
            path: "keda.sh/v1alpha1/scaledobjects/scaler",
            field: "minReplicaCount",
            numbers: (json!(1), json!(3)),
        },
        Way {
            name: "by-buffer",
            kinds: "statefulsets",
            ahead: "capacity_buffer: by-buffer/spare, buffer_for: statefulset/backend",
            path: "autoscaling.x-k8s.io/v1beta1/capacitybuffers/spare",
            field: "replicas",
            // One of three pods is there.
            numbers: (json!(0), json!(2)),
        },
    ]
}

fn autoscaler(kind: &str) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    json!({"metadata": {"name": "scaler"}, "spec": {
        "minReplicas": 1, "maxReplicas": 5,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": "backend"},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }})
}

fn open(way: &Way, dry_run: bool) -> (Shop, Served) {
    let ahead = format!("dry_run: {dry_run}, {}", way.ahead);
    let shop = Shop::open(way.name, way.kinds, &ahead);
    match way.name {
        "by-hpa" => shop.make("autoscaling/v2", "horizontalpodautoscalers", &autoscaler("StatefulSet")),
        "by-keda" => {
            let spec = json!({"scaleTargetRef": {"name": "backend"}, "minReplicaCount": 1, "triggers": []});
            let object = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "scaler"}, "spec": spec});
            shop.make("keda.sh/v1alpha1", "scaledobjects", &object);
        }
        _ => {}
    }
    let served = shop.serve(&shop.sqlite(), &as_user());
    (shop, served)
}

/// Up when it is time, which is at once for somebody who comes in a minute, and back when it is cancelled.
fn goes_up_and_back(way: &Way) {
    let (shop, served) = open(way, false);
    let id = reserve(&served, 60, json!({"lead_minutes": 30}));
    let set = || shop.object(way.path)["spec"][way.field].clone();
    eventually(way.name, || set() == way.numbers.1, || shop.object(way.path).to_string());
    let said = comes_to(&served, &id, "scale", "done");
    assert!(said.contains(&format!("went from {} to {}", way.numbers.0, way.numbers.1)), "{said}");
    match way.name {
        // Nobody is there who would scale by it.
        "by-keda" => {
            let said = comes_to(&served, &id, "ready", "failed");
            assert_eq!(said, "1 of 3 pods are ready");
        }
        "by-buffer" => {
            comes_to(&served, &id, "ready", "failed");
            let condition = json!({"type": "Provisioning", "status": "True", "reason": "FitsExistingCapacity",
                "message": "", "lastTransitionTime": "2026-12-01T00:00:00Z"});
            let status = json!({"status": {"replicas": 2, "conditions": [condition]}});
            let path = "/apis/autoscaling.x-k8s.io/v1beta1/namespaces/by-buffer/capacitybuffers/spare/status";
            shop.admin.patch(path, Patch::Merge, &status).ok();
            assert_eq!(comes_to(&served, &id, "ready", "done"), "3 of 3 pods are ready");
        }
        _ => {
            assert_eq!(comes_to(&served, &id, "health", "done"), "3 of 3 pods are ready");
            let status = || served.get("/api/capacity/status").body["regions"][0].clone();
            eventually("status goes by what is there", || status()["pods"] == 3, || status().to_string());
        }
    }
    let target = served.get("/api/capacity/scaling").body["targets"][0].clone();
    assert_eq!((&target["pods"], &target["for_ids"]), (&json!(3), &json!([id])), "{target}");
    let cancelled = served.ask("DELETE", &format!("/api/capacity/schedule/{id}"), &[], None);
    assert_eq!(cancelled.status, 200);
    eventually("it is back", || set() == way.numbers.0, || shop.object(way.path).to_string());
    comes_to(&served, &id, "scale_down", "done");
    let marks = shop.object(way.path)["metadata"]["annotations"].to_string();
    assert!(!marks.contains("plimsoll.dev/least"), "{marks}");
}

fn changes_nothing_in_a_dry_run() {
    let [first, ..] = ways();
    let way = Way { name: "dry", ahead: "statefulset: dry/backend", ..first };
    let (shop, served) = open(&way, true);
    let id = reserve(&served, 60, json!({"lead_minutes": 30}));
    let said = comes_to(&served, &id, "scale", "skipped");
    assert_eq!(said, "dry run: statefulset dry/backend would go from 1 to 3");
    assert_eq!(comes_to(&served, &id, "ready", "failed"), "1 of 3 pods are ready");
    assert_eq!(shop.object(way.path)["spec"]["replicas"], 1);
    let scaling = served.get("/api/capacity/scaling").body;
    assert_eq!((&scaling["dry_run"], &scaling["via"]), (&json!(true), &json!("statefulset dry/backend")));
}

fn keeps_off_what_something_else_scales() {
    let [first, ..] = ways();
    let way = Way { name: "taken", ahead: "statefulset: taken/backend", ..first };
    let (shop, served) = open(&way, false);
    shop.make("autoscaling/v2", "horizontalpodautoscalers", &autoscaler("StatefulSet"));
    let id = reserve(&served, 60, json!({"lead_minutes": 30}));
    let said = comes_to(&served, &id, "scale", "failed");
    assert!(said.contains("HorizontalPodAutoscaler 'scaler' scales it"), "{said}");
    let metrics = served.get("/metrics").body.as_str().expect("text").to_string();
    assert!(metrics.contains("\nplimsoll_capacity_scaling_failing{region=\"\"} 1\n"), "{metrics}");
    assert_eq!(shop.object(way.path)["spec"]["replicas"], 1);
}

/// Nothing was asked for that its role does not grant, and nothing is granted that was not asked for.
fn has_the_rights_it_needs() {
    let asked = cluster().asked(USER);
    let denied: Vec<&Asked> = asked.iter().filter(|asked| !asked.is_allowed).collect();
    assert!(denied.is_empty(), "not granted: {denied:?}");
    for right in rights(Purpose::Serve) {
        for (kind, verb) in
            right.kinds.iter().flat_map(|kind| right.verbs.iter().map(move |verb| (kind, verb)))
        {
            let is_it =
                |asked: &Asked| (&*asked.group, &*asked.kind, &*asked.verb) == (right.group, *kind, *verb);
            assert!(asked.iter().any(is_it), "{verb} {kind} is granted and not used");
        }
    }
}

#[test]
fn each_way_goes_up_and_back_by_its_rights() {
    std::thread::scope(|scope| {
        let all: Vec<_> = ways().into_iter().map(|way| scope.spawn(move || goes_up_and_back(&way))).collect();
        let dry = scope.spawn(changes_nothing_in_a_dry_run);
        let taken = scope.spawn(keeps_off_what_something_else_scales);
        for one in all.into_iter().chain([dry, taken]) {
            one.join().expect("it goes up and back");
        }
    });
    has_the_rights_it_needs();
}
