//! The small cluster of `examples/rightsize`: its workloads as an API server has them, and two weeks of their memory, which end now.

use crate::cluster::metrics::{self, Use};
use crate::cluster::{Client, Cluster};
use crate::openmetrics;
use crate::process::wait_until;
use crate::write::Series;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where all of it is.
pub const NAMESPACE: &str = "hub";

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rightsize").join(name)
}

/// What `examples/rightsize/record` writes, moved so that its last reading is now.
pub fn recorded() -> Vec<Series> {
    let output = Command::new(example("record")).output().expect("examples/rightsize/record starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all = openmetrics::series(&String::from_utf8(output.stdout).expect("a text"));
    let ends = all.iter().filter_map(|series| series.samples.last()).map(|(at_ms, _)| *at_ms);
    let later_ms = Timestamp::now().as_millisecond() - ends.max().expect("a reading");
    all.iter_mut().flat_map(|series| &mut series.samples).for_each(|(at_ms, _)| *at_ms += later_ms);
    all
}

/// Makes its workloads and a volume, waits until their pods are ready, and serves what they use: as much as at the end of the recording.
pub fn open(cluster: &Cluster, recorded: &[Series]) {
    let admin = cluster.admin();
    let text = std::fs::read_to_string(example("hub.yaml")).expect("examples/rightsize/hub.yaml");
    admin.apply_all(&text);
    admin.post("/api/v1/persistentvolumes", &volume()).created();
    wait_until(&mut [], || {
        let pods = pods(&admin);
        pods.len() == 10 && pods.iter().all(|pod| pod["status"]["phase"] == "Running")
    });
    let last = last(recorded);
    metrics::serve(cluster, move || pods(&admin).iter().filter_map(|pod| used(pod, &last)).collect());
}

/// Nobody provides volumes here: one for whoever claims it.
fn volume() -> Value {
    json!({
        "metadata": {"name": "volume"},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/srv"}},
    })
}

fn pods(admin: &Client) -> Vec<Value> {
    let all = admin.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).body;
    all["items"].as_array().cloned().unwrap_or_default()
}

/// By container, in bytes.
fn last(recorded: &[Series]) -> BTreeMap<String, u64> {
    let of = |series: &Series| {
        let label =
            |wanted: &str| series.labels.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let is_use = label("__name__").is_some_and(|name| name == "container_memory_working_set_bytes");
        is_use.then_some((label("container")?.clone(), series.samples.last()?.1 as u64))
    };
    recorded.iter().filter_map(of).collect()
}

fn used(pod: &Value, last: &BTreeMap<String, u64>) -> Option<Use> {
    let container = pod["metadata"]["labels"]["app"].as_str()?;
    Some(Use {
        namespace: NAMESPACE.into(),
        pod: pod["metadata"]["name"].as_str()?.into(),
        container: container.into(),
        at_s: Timestamp::now().as_second(),
        memory_bytes: *last.get(container)?,
        cpu_millicores: 10,
    })
}
