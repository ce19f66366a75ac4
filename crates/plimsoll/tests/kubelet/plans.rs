//! Plans: sizes are changed in place, and taken back where that is not borne.

use crate::SAILOR;
use crate::harbour::{Harbour, MIB, memory, passed, went_back};
use plimsoll_real::cluster::{Cluster, Machine, Patch};
use serde_json::{Value, json};

/// What each eater holds.
const HELD_MIB: u64 = 40;

/// The sizes of their template, as (request, limit) in MiB.
const BEFORE: (u64, u64) = (96, 128);

/// Two eaters of a Deployment.
fn open(cluster: &'static Cluster) -> Harbour {
    let mut harbour = Harbour::open(cluster, "harbour");
    // Who does not know what is used goes by history.
    harbour.kubeconfig = cluster.kubeconfig_for(SAILOR, SAILOR);
    let container = json!({
        "name": "eater", "image": Machine::IMAGE, "args": [HELD_MIB.to_string(), "0", "100000000"],
        "resources": sizes(BEFORE),
    });
    harbour.deploy(2, &container, &json!([]));
    harbour.eventually("two eaters hold what they hold", || is_so(&harbour, BEFORE));
    harbour
}

fn sizes((request, limit): (u64, u64)) -> Value {
    json!({"requests": memory(request), "limits": memory(limit)})
}

/// Both pods are ready and settled, hold what they hold, and have these sizes: by what the API says they should have, by
/// what the kubelet says they have, and by the kernel, their containers and the pods as such.
fn is_so(harbour: &Harbour, (request, limit): (u64, u64)) -> bool {
    let sizes = sizes((request, limit));
    let pods = harbour.pods();
    pods.len() == 2
        && pods.iter().all(|pod| {
            let conditions = pod["status"]["conditions"].as_array();
            let is = |kind: &str| {
                let found = conditions.into_iter().flatten().find(|one| one["type"] == kind);
                found.is_some_and(|one| one["status"] == "True")
            };
            is("Ready")
                && !is("PodResizePending")
                && !is("PodResizeInProgress")
                && pod["spec"]["containers"][0]["resources"] == sizes
                && pod["status"]["containerStatuses"][0]["resources"] == sizes
                && harbour.of_kernel(pod, "memory.max") == Some(limit * MIB)
                // The kubelet reads it from the cgroup of the pod.
                && pod["status"]["resources"]["limits"] == sizes["limits"]
                && harbour.of_kernel(pod, "memory.current") >= Some(HELD_MIB * MIB)
        })
}

/// Running pods and new ones get the plan's sizes, and rolled back all is as it was, without a restart.
fn there_and_back(harbour: &Harbour) {
    let plan = harbour.plan((56, 64), 41, &["--watch", "2s"]);
    passed(&harbour.apply(&plan).wait_with_output().expect("an output"));
    assert!(is_so(harbour, (56, 64)));
    let gone = harbour.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
    harbour.admin.delete(&format!("/api/v1/namespaces/harbour/pods/{gone}")).ok();
    harbour.eventually("a new pod has the sizes too", || is_so(harbour, (56, 64)));
    passed(&harbour.command(&["rollback", "--yes"]).output().expect("plimsoll starts"));
    assert!(is_so(harbour, BEFORE));
    assert_eq!(harbour.restarts(), 0);
}

/// By its history it would be enough; the kubelet knows that it is in use.
fn below_use(harbour: &Harbour) {
    let plan = harbour.plan((24, 32), 20, &["--watch", "2s", "--patience", "20s"]);
    went_back(&harbour.apply(&plan).wait_with_output().expect("an output"), "below current usage");
    harbour.eventually("all is as before", || is_so(harbour, BEFORE));
    assert_eq!(harbour.restarts(), 0, "nobody was killed");
}

/// The limit was borne, until more was needed: the kernel kills, and the sizes of before come back.
fn killed_while_watched(harbour: &Harbour) {
    let plan = harbour.plan((56, 64), 41, &["--watch", "60s"]);
    let apply = harbour.apply(&plan);
    let is_sized = |pod: &&Value| harbour.of_kernel(pod, "memory.max") == Some(64 * MIB);
    harbour.eventually("the first pod has its size", || harbour.pods().iter().any(|pod| is_sized(&pod)));
    let pods = harbour.pods();
    let first = pods.iter().find(is_sized).expect("the first pod");
    assert_eq!(harbour.run(first, "/bin/eater 60 0 1000"), None, "it is killed");
    went_back(&apply.wait_with_output().expect("an output"), "was killed for want of memory");
    harbour.eventually("all is as before", || is_so(harbour, BEFORE));
    assert_eq!(harbour.restarts(), 1);
}

/// A pod that is raised while its container is down is held to its old limit as a whole (kubernetes#138760). On the way back, as on
/// any, it is cured.
fn held_down(harbour: &Harbour) {
    // For more than a minute after a container has started anew the kubelet lowers nothing.
    harbour.admin.delete("/api/v1/namespaces/harbour/pods").ok();
    harbour.eventually("all pods are new", || is_so(harbour, BEFORE) && harbour.restarts() == 0);
    let plan = harbour.plan((56, 64), 41, &["--watch", "2s"]);
    passed(&harbour.apply(&plan).wait_with_output().expect("an output"));

    let name = harbour.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
    let pod = || harbour.admin.get(&format!("/api/v1/namespaces/harbour/pods/{name}")).ok();
    let status = |what: &str| pod()["status"]["containerStatuses"][0][what].clone();
    // After its first end it is started anew at once, later it is down for a while.
    let restarts = status("restartCount").as_u64();
    harbour.eventually("it is down", || {
        let is_down = status("restartCount").as_u64() > restarts && status("state")["terminated"].is_object();
        if !is_down {
            harbour.run(&pod(), "/bin/eater 60 0 1000");
        }
        is_down
    });
    // Somebody brings back what is meant before the rollback does.
    let change = json!({"spec": {"containers": [{"name": "eater", "resources": sizes(BEFORE)}]}});
    let path = format!("/api/v1/namespaces/harbour/pods/{name}/resize");
    harbour.admin.patch(&path, Patch::Strategic, &change).ok();
    harbour.eventually("it is held down", || {
        let pod = pod();
        harbour.of_kernel(&pod, "memory.max") == Some(BEFORE.1 * MIB)
            && harbour.of_kernel(&pod, "memory.current") >= Some(HELD_MIB * MIB)
    });
    assert_eq!(pod()["status"]["resources"]["limits"]["memory"], "64Mi");

    let restarts = harbour.restarts();
    passed(&harbour.command(&["rollback", "--yes"]).output().expect("plimsoll starts"));
    assert!(is_so(harbour, BEFORE), "{:#?}", harbour.pods());
    assert_eq!(harbour.restarts(), restarts);
}

/// One after the other.
pub fn all(cluster: &'static Cluster) {
    let harbour = open(cluster);
    there_and_back(&harbour);
    below_use(&harbour);
    killed_while_watched(&harbour);
    held_down(&harbour);
}
