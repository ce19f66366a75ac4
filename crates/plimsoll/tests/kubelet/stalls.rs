//! Stalls: a container whose files do not fit below its limit waits for memory. The kernel kills nobody for it and nothing restarts,
//! but its kubelet tells.

use crate::harbour::{Harbour, MIB, memory, went_back};
use plimsoll_cluster::access::Access;
use plimsoll_cluster::summary::{may_read, read};
use plimsoll_cluster::watch::Watch;
use plimsoll_core::inventory::{Abilities, Pressure};
use plimsoll_real::cluster::{Cluster, Machine};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Duration;

const NAMESPACE: &str = "shoal";

/// The sizes of the template, as (request, limit) in MiB.
const BEFORE: (u64, u64) = (96, 256);
const AFTER: (u64, u64) = (64, 112);

/// Writes a file of 120 MiB or so, holds 60 MiB, and when it is told so reads here and there in the file. With the lower limit there is room for
/// less than half of it: each other page is waited for, which is much on a slow machine too.
const READER: &str = r#"cd /files
i=0
while [ $i -lt 60 ]; do
    cat /bin/busybox
    i=$((i + 1))
done >file
echo 'echo yes >/files/go' >read
echo yes >written
/bin/eater 60 0 100000000 &
while true; do
    if [ -e go ]; then /bin/eater 0 0 5000 file here and there; else sleep 1; fi
done"#;

/// The kernel's averages, what the kubelet makes of them, and our readings lag behind.
const TOLD_WITHIN: Duration = Duration::from_secs(150);

fn open(cluster: &'static Cluster) -> Harbour {
    let harbour = Harbour::open(cluster, NAMESPACE);
    let container = json!({
        "name": "eater", "image": Machine::IMAGE, "command": ["/bin/sh", "-c", READER],
        "resources": {"requests": memory(BEFORE.0), "limits": memory(BEFORE.1)},
        "volumeMounts": [{"name": "files", "mountPath": "/files"}],
    });
    harbour.deploy(1, &container, &json!([{"name": "files", "emptyDir": {}}]));
    harbour.eventually_within(TOLD_WITHIN, "its file is written", || {
        harbour.run(&pod(&harbour), "/bin/cat /files/written").is_some()
    });
    // What it has of the file in memory makes room for something else, which ends.
    harbour.run(&pod(&harbour), "/bin/eater 170 0 0");
    harbour
}

fn pod(harbour: &Harbour) -> Value {
    harbour.pods().into_iter().next().unwrap_or_default()
}

/// As our reader has it.
fn pressure(harbour: &Harbour) -> Option<Pressure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let kubeconfig = Some(harbour.cluster.kubeconfig.clone());
        let client = Access { kubeconfig, context: None }.client().await.expect("a client");
        assert!(may_read(&client).await, "an administrator may");
        let nodes = vec![Machine::NAME.to_string(), "nowhere".to_string()];
        let read = read(client.clone(), nodes, Duration::from_secs(8)).await;
        let of = |name: &str| read.iter().find(|(node, _)| node == name).and_then(|(_, read)| read.clone());
        assert_eq!(of("nowhere"), None);
        let watch = Watch::start(&client, Some(NAMESPACE)).await.expect("a watch");
        let synced = watch.synced(Duration::from_secs(30)).await.expect("synced");
        let mut seen = synced.inventory(0, Abilities::default());
        let pod = seen.pods.values_mut().next()?;
        of(Machine::NAME)?.fill(pod);
        let running = &pod.containers[0];
        println!("the reader has {:?} and {:?} bytes", running.pressure, running.used_bytes);
        assert!(running.used_bytes > Some(0) || running.pressure.is_none());
        running.pressure
    })
}

/// All is as before the plan, and nobody was killed.
fn is_as_before(harbour: &Harbour) -> bool {
    harbour.restarts() == 0 && harbour.of_kernel(&pod(harbour), "memory.max") == Some(BEFORE.1 * MIB)
}

/// It reads nothing while it gets less, and everything then.
fn is_taken_back(harbour: &Harbour) {
    let calm = Cell::new(None);
    harbour.eventually_within(TOLD_WITHIN, "it is known to wait for nothing", || {
        calm.set(pressure(harbour));
        calm.get().is_some_and(|pressure| pressure.highest() < 20)
    });
    // Longer than it takes to be told of on a slow machine: what is found ends the watch.
    let plan = harbour.plan(AFTER, 80, &["--watch", "300s"]);
    let apply = harbour.apply(&plan);
    harbour
        .eventually("it has less", || harbour.of_kernel(&pod(harbour), "memory.max") == Some(AFTER.1 * MIB));
    harbour.eventually("it is told to read", || harbour.run(&pod(harbour), "/bin/sh /files/read").is_some());
    harbour.eventually_within(TOLD_WITHIN, "it waits for memory", || {
        pressure(harbour).is_some_and(|pressure| pressure.highest() > 100)
    });
    println!("{}", harbour.run(&pod(harbour), "/bin/cat /sys/fs/cgroup/memory.pressure").unwrap_or_default());
    let said = went_back(&apply.wait_with_output().expect("an output"), "waits for memory");
    println!("{said}");
    assert!(said.contains("container eater waits for memory") && said.contains("before the wave"), "{said}");
    harbour.eventually("all is as before", || is_as_before(harbour));
}

pub fn all(cluster: &'static Cluster) {
    let harbour = open(cluster);
    is_taken_back(&harbour);
}
