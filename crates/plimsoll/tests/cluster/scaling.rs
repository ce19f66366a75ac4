//! Deployments that are scaled by memory: what `plimsoll plan` says of their autoscalers is what Kubernetes' own controller does.

use crate::common::cluster::{eventually, used};
use crate::shop::{cluster, folder, plimsoll, said};
use plimsoll_real::cluster::Client;
use plimsoll_real::cluster::metrics;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAMESPACE: &str = "scaling";
/// Of one to six pods that request 256Mi, with a target of 80 %: what each uses whatever the load, in MiB, pods at first, and
/// what comes of it.
const ALL: [(&str, u64, u32, u32, &str); 4] = [
    ("pinned", 300, 1, 6, "pins-max"),
    ("never", 205, 3, 3, "never-shrinks"),
    ("rests", 164, 6, 4, "rests-above-min"),
    ("follows", 100, 6, 1, "follows"),
];
/// It looks each second; a wrong move would come by then.
const STAYS: Duration = Duration::from_secs(4);

fn deployments() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments")
}

fn deploy(admin: &Client, name: &str, replicas: u32) {
    let resources = json!({"requests": {"memory": "256Mi", "cpu": "10m"}, "limits": {"memory": "512Mi"}});
    let container = json!({"name": "app", "image": "registry.example/app:1", "resources": resources});
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}});
    let spec =
        json!({"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template});
    admin.post(&deployments(), &json!({"metadata": {"name": name}, "spec": spec})).created();
}

fn scale_by_memory(admin: &Client, name: &str) {
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let spec = json!({
        "minReplicas": 1, "maxReplicas": 6,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": target}}],
        // It comes down at once instead of after five minutes.
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    });
    let path = format!("/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers");
    admin.post(&path, &json!({"metadata": {"name": name}, "spec": spec})).created();
}

fn used_mib(app: &str) -> Option<u64> {
    ALL.iter().find(|(name, ..)| app == *name).map(|(_, mib, ..)| *mib)
}

/// Replicas that are asked for and ready, of all.
fn replicas(admin: &Client) -> Vec<(u64, u64)> {
    let of = |(name, ..): &(&str, u64, u32, u32, &str)| {
        let deployment = admin.get(&format!("{}/{name}", deployments())).ok();
        let count = |value: &Value| value.as_u64().unwrap_or(0);
        (count(&deployment["spec"]["replicas"]), count(&deployment["status"]["readyReplicas"]))
    };
    ALL.iter().map(of).collect()
}

/// What a plan without a single size leaves alone.
fn plan(form: &str) -> String {
    let now = jiff::Timestamp::now().to_string();
    let report = json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": [], "skipped": []});
    let path = folder().join("none.json");
    std::fs::write(&path, report.to_string()).expect("a file");
    let path = path.to_str().expect("a path");
    said(&plimsoll(&["plan", "-n", NAMESPACE, "--recommendations", path, "-o", form]))
}

/// Advice by name.
fn advice() -> Vec<Value> {
    let plan: Value = serde_json::from_str(&plan("json")).expect("a plan");
    let all = plan["left_alone"].as_array().expect("what is left alone");
    let of = |(name, ..): &(&str, u64, u32, u32, &str)| {
        let of_it = all
            .iter()
            .find(|left| left["workload"]["name"] == *name && left["code"] == "memory-autoscaler")
            .unwrap_or_else(|| panic!("{name}: {plan}"));
        of_it["scaling"].clone()
    };
    ALL.iter().map(of).collect()
}

/// Told first, then seen.
pub fn autoscalers_come_to_what_is_told() {
    let admin = cluster().admin();
    admin.post("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}})).created();
    for (name, _, first, ..) in ALL {
        scale_by_memory(&admin, name);
        deploy(&admin, name, first);
    }
    let unknown = advice();
    assert!(unknown.iter().all(|one| one["outcome"] == "use-unknown"), "{unknown:?}");

    let seen = || format!("{:?}", replicas(&admin));
    let at_first = ALL.map(|(_, _, first, ..)| (u64::from(first), u64::from(first)));
    eventually("all pods are ready", || replicas(&admin) == at_first, seen);
    let reader = admin.clone();
    metrics::serve(cluster(), move || used(&reader, NAMESPACE, used_mib));
    let told = advice();
    let rest = ALL.map(|(_, _, _, rest, _)| (u64::from(rest), u64::from(rest)));
    eventually("all have come to rest", || replicas(&admin) == rest, seen);
    let until = Instant::now() + STAYS;
    while Instant::now() < until {
        assert_eq!(replicas(&admin), rest, "they stay there");
        std::thread::sleep(Duration::from_millis(200));
    }
    for ((name, mib, _, rest, outcome), told) in ALL.iter().zip(&told) {
        assert_eq!((&told["outcome"], &told["base_bytes"]), (&json!(outcome), &json!(mib << 20)), "{told}");
        let is_told = told["resting_replicas"] == *rest || *outcome == "never-shrinks";
        assert!(is_told, "{name}: {told}");
    }
    eventually("its status says that it wants more", || advice()[0]["is_held_at_max"] == true, seen);
    let diff = plan("diff");
    for words in ["it goes to its most, 6 pods, and stays", "without load it keeps 4 pods", "TooManyReplicas"]
    {
        assert!(diff.contains(words), "{words}\n{diff}");
    }
    admin.delete(&format!("/api/v1/namespaces/{NAMESPACE}")).ok();
}
