//! The chart's agent on a node where containers run: the image that `make image` makes, in containerd, with the mounts, account and limits
//! of the chart, under cgroup v2. What it shows is of pods that the kubelet runs, and a kill is the kernel's.
//!
//! `PLIMSOLL_IMAGE` names the image; `make node` makes and names it.

#[path = "../common/mod.rs"]
mod common;
#[path = "../kubelet/harbour.rs"]
#[allow(dead_code)]
mod harbour;
#[path = "../chart/helm.rs"]
#[allow(dead_code)]
mod helm;

use common::cluster::within;
use harbour::{Harbour, memory};
use plimsoll_real::cluster::{Client, Cluster, Machine, Options, Patch};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the agent may read the node.
const NODES: &str = "nodes";
const EATERS: &str = "harbour";
/// Under emulation all takes long, and longer where the machine has other work.
const WITHIN: Duration = Duration::from_secs(120);

/// Made by the first who asks, and never dropped: it dies with this process.
fn cluster(image: PathBuf) -> &'static Cluster {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let options = Options { machine: true, image: Some(image), ..Options::default() };
    Box::leak(Box::new(Cluster::start_with(&folder, &[], &options)))
}

/// The chart with the agent alone. Its pods get what this cluster has not: a network, a service of the API server, and what the admission
/// of service accounts mounts.
fn install(cluster: &Cluster, admin: &Client) {
    let labels = json!({"pod-security.kubernetes.io/enforce": "privileged"});
    admin.post("/api/v1/namespaces", &json!({"metadata": {"name": NODES, "labels": labels}})).created();
    let home = tempfile::tempdir().expect("a folder");
    let chart = helm::chart().display().to_string();
    let what = ["install", "plimsoll", &chart, "--namespace", NODES, "--set"];
    let mut command = helm::helm(home.path(), &what);
    command.arg("agent.enabled=true,agent.interval=2s,serve.enabled=false,kinds.install=false");
    helm::said(&command.env("KUBECONFIG", &cluster.kubeconfig).output().expect("helm starts"));
    let (address, port) = Machine::APISERVER;
    let env = json!([
        {"name": "KUBERNETES_SERVICE_HOST", "value": address},
        {"name": "KUBERNETES_SERVICE_PORT", "value": port},
    ]);
    let mount = json!({"name": "account", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true});
    let namespace = json!({"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}});
    let sources = json!([
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]);
    let spec = json!({
        "hostNetwork": true,
        "containers": [{"name": "agent", "env": env, "volumeMounts": [mount]}],
        "volumes": [{"name": "account", "projected": {"sources": sources}}],
    });
    let path = format!("/apis/apps/v1/namespaces/{NODES}/daemonsets/plimsoll-agent");
    admin.patch(&path, Patch::Strategic, &json!({"spec": {"template": {"spec": spec}}})).ok();
}

/// The value of the first series of a name that has all of these pieces.
fn value(text: &str, name: &str, pieces: &[&str]) -> Option<f64> {
    let is = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'))
            && pieces.iter().all(|piece| line.contains(piece))
    };
    text.lines().find(is)?.rsplit_once(' ')?.1.parse().ok()
}

/// What the agent shows, as a pod beside it reads it.
fn shown(harbour: &Harbour) -> String {
    let pods = harbour.pods();
    let asked = pods.iter().find(|pod| pod["metadata"]["labels"]["app"] == "eater");
    let get = "/bin/busybox wget -qO- http://127.0.0.1:9677/metrics";
    asked.and_then(|pod| harbour.run(pod, get)).unwrap_or_default()
}

#[test]
fn the_agent_sees_what_a_kubelet_runs_and_the_kernel_kills() {
    let Some(image) = std::env::var_os("PLIMSOLL_IMAGE").map(PathBuf::from) else {
        println!("skipped: PLIMSOLL_IMAGE names no image\nrun it by make node");
        return;
    };
    if let Some(obstacle) = Machine::obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let cluster = cluster(image.canonicalize().expect("the image"));
    let harbour = Harbour::open(cluster, EATERS);
    let container = json!({
        "name": "eater", "image": Machine::IMAGE, "args": ["40", "0", "100000000"],
        "resources": {"requests": memory(64), "limits": memory(96)},
    });
    harbour.deploy(1, &container, &json!([]));
    install(cluster, &harbour.admin);
    sees(&harbour);
    counts_kills(&harbour);
}

/// What the agent shows and says, for whoever has to find out why something does not come.
fn seen(harbour: &Harbour) -> String {
    let path = format!("/api/v1/namespaces/{NODES}/pods");
    let pods = harbour.admin.get(&path).body;
    let name = pods["items"][0]["metadata"]["name"].as_str().unwrap_or_default();
    let said = harbour.admin.get(&format!("{path}/{name}/log")).body;
    format!("{}\nthe agent says: {said}\n{:#}", shown(harbour), pods["items"][0]["status"])
}

fn sees(harbour: &Harbour) {
    let eater = ["namespace=\"harbour\",pod=\"eater-", "container=\"eater\""];
    let is_shown = || value(&shown(harbour), "plimsoll_container_memory_usage_bytes", &eater).is_some();
    within(WITHIN, "the agent shows the eater", is_shown, || seen(harbour));
    let text = shown(harbour);
    println!("{text}");
    let of = |name: &str| value(&text, &format!("plimsoll_container_{name}"), &eater);
    let mib = |name: &str| of(name).map(|bytes| bytes / 1048576.0);
    assert!(mib("memory_nonreclaimable_bytes").is_some_and(|mib| (40.0..60.0).contains(&mib)), "{text}");
    assert_eq!(mib("memory_limit_bytes"), Some(96.0));
    assert_eq!(mib("memory_request_bytes"), Some(64.0));
    assert!(of("memory_pressure_stalled_seconds_total").is_some());
    assert_eq!(of("oom_kills_total"), Some(0.0));
    let info = [&eater[..], &["workload_kind=\"Deployment\",workload=\"eater\",node=\"machine\""]].concat();
    assert_eq!(value(&text, "plimsoll_container_info", &info), Some(1.0), "{text}");
    let itself = ["namespace=\"nodes\"", "container=\"agent\""];
    let own = value(&text, "plimsoll_container_memory_nonreclaimable_bytes", &itself).expect("its own");
    println!("the agent itself: {:.1} MiB that no reclaim can free", own / 1048576.0);
    for what in ["cgroups", "psi", "peak", "pods"] {
        assert_eq!(value(&text, "plimsoll_agent_blind", &[&format!("what=\"{what}\"")]), Some(0.0), "{text}");
    }
}

/// The kernel kills all of the container, the kubelet starts it anew, and the pod is deleted; the count stays.
fn counts_kills(harbour: &Harbour) {
    let killed =
        ["namespace=\"harbour\",workload_kind=\"Deployment\",workload=\"eater\",container=\"eater\""];
    let count = |text: &str| value(text, "plimsoll_oom_kills_total", &killed).unwrap_or_default();
    let pod = harbour.pods().remove(0);
    // It holds 40 of 96 MiB.
    let _ = harbour.run(&pod, "/bin/eater 200 0 1000");
    within(WITHIN, "the kill is counted", || count(&shown(harbour)) >= 1.0, || seen(harbour));
    let before = count(&shown(harbour));
    let name = pod["metadata"]["name"].as_str().expect("a name").to_string();
    harbour.admin.delete(&format!("/api/v1/namespaces/{EATERS}/pods/{name}")).ok();
    let is_anew = || {
        let text = shown(harbour);
        let used = |pieces: &[&str]| value(&text, "plimsoll_container_memory_usage_bytes", pieces);
        used(&[&name]).is_none() && used(&["container=\"eater\""]).is_some() && count(&text) >= before
    };
    within(WITHIN, "another pod is there, and the count as before", is_anew, || seen(harbour));
}
