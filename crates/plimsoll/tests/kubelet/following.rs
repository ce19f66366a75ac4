//! The controller: sizes follow what eaters really use, a kill by the kernel raises at once, and a pod that is held to less than
//! its container is cured.

use crate::controller::Controller;
use crate::harbour::{Harbour, MIB, kubelet, memory};
use plimsoll_real::cluster::metrics::{self, Use};
use plimsoll_real::cluster::{Client, Cluster, Machine};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Duration;

const NAMESPACE: &str = "quay";

/// The sizes of the template, as (request, limit) in MiB.
const BEFORE: (u64, u64) = (96, 128);

/// Holds as many MiB as a file says, 30 at first. The file is in a volume, which outlives the container.
const NEEDY: &str = r#"cd /need
[ -e mib ] || echo 30 >mib
echo 'echo $1 >/need/mib' >set
while true; do
    need=$(cat mib)
    /bin/eater $need 5000 100000000 &
    while [ "$(cat mib)" = "$need" ]; do sleep 1; done
    kill $!
    wait
done"#;

/// For more than two minutes after a container has started anew its kubelet may lower nothing.
const SHRINK_TIMEOUT: Duration = Duration::from_secs(200);

fn open(cluster: &'static Cluster) -> Harbour {
    let harbour = Harbour::open(cluster, NAMESPACE);
    let container = json!({
        "name": "eater", "image": Machine::IMAGE, "command": ["/bin/sh", "-c", NEEDY],
        "resources": {"requests": memory(BEFORE.0), "limits": memory(BEFORE.1)},
        "volumeMounts": [{"name": "need", "mountPath": "/need"}],
    });
    harbour.deploy(1, &container, &json!([{"name": "need", "emptyDir": {}}]));
    let admin = harbour.admin.clone();
    metrics::serve(cluster, move || used(&admin));
    harbour.eventually("it holds what it needs", || holds(&harbour, 30));
    harbour
}

/// What the kubelet says of the use of our pods; of others nothing is told.
fn used(admin: &Client) -> Vec<Use> {
    let summary = admin.get(&format!("{}/stats/summary", kubelet())).body;
    let pods = summary["pods"].as_array().into_iter().flatten();
    let of = |pod: &Value| {
        let container = pod["containers"].as_array()?.iter().find(|one| one["name"] == "eater")?;
        Some(Use {
            namespace: NAMESPACE.into(),
            pod: pod["podRef"]["name"].as_str()?.into(),
            container: "eater".into(),
            at_s: jiff::Timestamp::now().as_second(),
            memory_bytes: container["memory"]["workingSetBytes"].as_u64()?,
            cpu_millicores: 10,
        })
    };
    pods.filter(|pod| pod["podRef"]["namespace"] == NAMESPACE).filter_map(of).collect()
}

fn follow(harbour: &Harbour) -> Controller {
    let policy = json!({
        "apiVersion": "plimsoll.dev/v1alpha1",
        "kind": "MemoryPolicy",
        "metadata": {"name": "all"},
        "spec": {"mode": "Auto", "budget": {"watchSeconds": 1, "patienceSeconds": 300}},
    });
    let path = format!("/apis/plimsoll.dev/v1alpha1/namespaces/{NAMESPACE}/memorypolicies");
    harbour.eventually("our kinds are served", || harbour.admin.get(&path).status == 200);
    harbour.admin.post(&path, &policy).created();
    let pace = ["--namespace", NAMESPACE, "--every", "4s", "--sample", "2s", "--learn", "12s"];
    Controller::start(&harbour.cluster.kubeconfig, &pace)
}

fn pod(harbour: &Harbour) -> Value {
    harbour.pods().into_iter().next().unwrap_or_default()
}

/// It needs so many MiB from now on.
fn needs(harbour: &Harbour, mib: u64) {
    harbour.eventually("it is told what it needs", || {
        harbour.run(&pod(harbour), &format!("/bin/sh /need/set {mib}")).is_some()
    });
}

/// It runs and has so many MiB by now.
fn holds(harbour: &Harbour, mib: u64) -> bool {
    harbour.of_kernel(&pod(harbour), "memory.current") >= Some(mib * MIB)
}

/// The limits of its container and of the pod as such, in MiB, as the kubelet reads them from the cgroups.
fn limits(harbour: &Harbour) -> (u64, u64) {
    let mib = |limits: &Value| {
        let text = limits["memory"].as_str().unwrap_or_default();
        text.strip_suffix("Mi").and_then(|mib| mib.parse().ok()).unwrap_or(0)
    };
    let status = &pod(harbour)["status"];
    (mib(&status["containerStatuses"][0]["resources"]["limits"]), mib(&status["resources"]["limits"]))
}

/// Down from what its template says, and watched to the end.
fn gets_less(harbour: &Harbour, controller: &Controller) {
    harbour.eventually("it has little more than it needs", || {
        let (container, pod) = limits(harbour);
        container == pod && container < 60
    });
    controller.says("MemoryResized");
    assert_eq!(harbour.restarts(), 0);
}

/// It suddenly needs more than it has: it is killed, and given more until that is enough. Where it was given more while it was
/// down its pod was held to less, and is cured.
fn is_killed_and_gets_more(harbour: &Harbour, controller: &Controller) {
    needs(harbour, 100);
    let was_held = Cell::new(false);
    harbour.eventually("it survives", || {
        let (container, pod) = limits(harbour);
        was_held.set(was_held.get() || pod < container);
        // A raise may be on its way still: of the pod it is told before that of its container.
        container == pod && pod >= 100 && holds(harbour, 100)
    });
    println!("its pod was held to less: {}", was_held.get());
    let said = controller.said();
    assert!(said.contains("OutOfMemory") && !said.contains("MemoryTakenBack"), "{said}");
}

/// It comes to need almost all that it has, and gets more before it needs that; later, when it needs little, less.
fn is_followed(harbour: &Harbour, controller: &Controller) {
    let (enough, _) = limits(harbour);
    let restarts = harbour.restarts();
    needs(harbour, enough * 94 / 100);
    harbour.eventually("it has more than it had", || limits(harbour).1 > enough + 1);
    let (most, _) = limits(harbour);
    needs(harbour, 30);
    harbour.eventually_within(SHRINK_TIMEOUT, "it has less again", || {
        let (container, pod) = limits(harbour);
        container == pod && pod < most
    });
    assert_eq!(harbour.restarts(), restarts);
    assert!(!controller.said().contains("MemoryTakenBack"), "{}", controller.said());
}

pub fn all(cluster: &'static Cluster) {
    let harbour = open(cluster);
    let controller = follow(&harbour);
    gets_less(&harbour, &controller);
    is_killed_and_gets_more(&harbour, &controller);
    is_followed(&harbour, &controller);
}
