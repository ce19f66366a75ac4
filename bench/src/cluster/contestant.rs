//! Who is measured. Another one is another entry of [`ALL`]: who it is to the API server, how it is started, and which histogram
//! at its `/metrics` its loops are in.

use super::fleet::Fleet;
use crate::Failure;
use plimsoll_real::Server;
use plimsoll_real::cluster::vpa::{self, Autoscaler};
use plimsoll_real::cluster::{Client, Cluster, User};
use plimsoll_real::eventually;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where contestants enter.
pub struct Arena<'a> {
    pub cluster: &'a Cluster,
    pub fleet: Fleet,
    pub autoscaler: Autoscaler<'a>,
    /// From the start of one loop to the next.
    pub interval: Duration,
    /// Calls a second that the autoscaler may make, where that is not left to it.
    pub qps: Option<u64>,
    /// The plimsoll to measure.
    pub plimsoll: &'a Path,
}

/// One or more programs that do the job together.
pub struct Contestant {
    pub name: &'static str,
    /// Each of its programs is somebody else to the API server, by whom its calls are counted.
    pub users: &'static [&'static str],
    /// Makes the objects it needs and starts its programs.
    pub enter: fn(&Arena) -> Result<Vec<Program>, Failure>,
    /// Takes its objects away again, once its programs are dead: the next one may have to leave alone what others look after.
    pub leave: fn(&Arena),
}

/// A running program that goes round in a loop.
pub struct Program {
    pub name: &'static str,
    /// Whose calls are its.
    pub user: &'static str,
    /// The histogram of how long its loops took, in seconds.
    pub loops: &'static str,
    /// What is in the labels of the histogram's series that is meant; empty if there is only one.
    pub label: &'static str,
    pub server: Server,
}

const RECOMMENDER: &str = "vpa-recommender";
const UPDATER: &str = "vpa-updater";
const OURS: &str = "plimsoll-controller";
const POLICIES: &str = "/apis/plimsoll.dev/v1alpha1/namespaces";

/// All of them, in the order in which they are measured.
pub const ALL: [Contestant; 3] = [
    Contestant { name: "VPA 1.8.1", users: &[RECOMMENDER, UPDATER], enter: autoscaler, leave: no_autoscaler },
    // As the recommender: what is right is written into a VerticalPodAutoscaler for each Deployment.
    Contestant {
        name: "plimsoll, mode Recommend, publishing",
        users: &[OURS],
        enter: |arena| {
            controller(arena, &json!({"mode": "Recommend", "publishVerticalPodAutoscalers": true}))
        },
        leave: no_policies,
    },
    // As both: and it finds something to change, a pod after the other, while it goes round.
    Contestant {
        name: "plimsoll, mode Auto, resizing",
        users: &[OURS],
        enter: |arena| controller(arena, &json!({"mode": "Auto"})),
        leave: no_policies,
    },
];

/// Somebody who may do all.
pub fn user(name: &str) -> User {
    User::new(&format!("{name}-token"), name, &["system:masters"])
}

/// As its own manifests start it, but for the interval and what is asked for.
fn autoscaler(arena: &Arena) -> Result<Vec<Program>, Failure> {
    let admin = arena.cluster.admin();
    arena.fleet.each_deployment(|namespace, name| vpa::create(&admin, namespace, name, "Recreate"));
    let kubeconfig = |name: &str| arena.cluster.kubeconfig_of(&user(name));
    let arguments = |of: &str| {
        let qps = arena.qps.map(|qps| [format!("--kube-api-qps={qps}"), format!("--kube-api-burst={qps}")]);
        let interval = format!("--{of}-interval={}s", arena.interval.as_secs());
        qps.into_iter().flatten().chain([interval]).collect::<Vec<_>>()
    };
    let recommender = Program {
        name: "recommender",
        user: RECOMMENDER,
        loops: "vpa_recommender_execution_latency_seconds",
        label: "step=\"total\"",
        server: arena.autoscaler.recommender(&kubeconfig(RECOMMENDER), &arguments("recommender")),
    };
    let updater = Program {
        name: "updater",
        user: UPDATER,
        loops: "vpa_updater_execution_latency_seconds",
        label: "step=\"total\"",
        server: arena.autoscaler.updater(&kubeconfig(UPDATER), &arguments("updater")),
    };
    Ok(vec![recommender, updater])
}

fn no_autoscaler(arena: &Arena) {
    let admin = arena.cluster.admin();
    arena.fleet.namespaces().for_each(|namespace| vpa::delete_all(&admin, &namespace));
}

/// One policy for each namespace.
fn controller(arena: &Arena, spec: &Value) -> Result<Vec<Program>, Failure> {
    let admin = arena.cluster.admin();
    install(arena, &admin)?;
    for namespace in arena.fleet.namespaces() {
        let policy = json!({
            "apiVersion": "plimsoll.dev/v1alpha1", "kind": "MemoryPolicy", "metadata": {"name": "all"}, "spec": spec,
        });
        admin.post(&format!("{POLICIES}/{namespace}/memorypolicies"), &policy).created();
    }
    let kubeconfig = arena.cluster.kubeconfig_of(&user(OURS)).display().to_string();
    let (program, every) = (arena.plimsoll.display().to_string(), format!("{}s", arena.interval.as_secs()));
    let arguments =
        ["controller", "--kubeconfig", &kubeconfig, "--every", &every, "--sample", &every, "--learn", "1s"];
    let listen = |port| vec![format!("--listen=127.0.0.1:{port}")];
    Ok(vec![Program {
        name: "controller",
        user: OURS,
        loops: "plimsoll_controller_loop_seconds",
        label: "",
        server: Server::start(&program, &arguments, listen, "/healthz"),
    }])
}

/// Our kinds, as `plimsoll crd` prints them.
fn install(arena: &Arena, admin: &Client) -> Result<(), Failure> {
    let printed = Command::new(arena.plimsoll).arg("crd").output()?;
    admin.apply_all(&String::from_utf8(printed.stdout)?);
    let namespace = arena.fleet.namespaces().next().unwrap_or_default();
    eventually(|| admin.get(&format!("{POLICIES}/{namespace}/memorypolicies")).status == 200);
    Ok(())
}

fn no_policies(arena: &Arena) {
    let admin = arena.cluster.admin();
    for namespace in arena.fleet.namespaces() {
        admin.delete(&format!("{POLICIES}/{namespace}/memorypolicies"));
        vpa::delete_all(&admin, &namespace);
    }
    // What was learnt goes too: each contestant begins with nothing.
    admin.delete("/api/v1/namespaces/plimsoll/configmaps");
    admin.delete("/apis/coordination.k8s.io/v1/namespaces/plimsoll/leases/controller");
}
