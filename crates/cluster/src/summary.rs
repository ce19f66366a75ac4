//! What kubelets say of their containers (`/stats/summary`): how much they wait for memory (PSI), and what they use now.
//!
//! The API server hands it on to whom it grants `get` of `nodes/proxy`, which is much: we do not ask for that right, and who has not got
//! it is not seen to try. A kubelet that does not answer is no error: what its containers wait for is not known.

use futures_util::{AsyncReadExt, StreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use plimsoll_core::inventory::pressure::PERCENT;
use plimsoll_core::inventory::{Pod, Pressure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The largest answer that is read, in bytes: a node of 500 pods has about 1 MB.
const ANSWER_MAX_BYTES: u64 = 16 << 20;
/// A node has so long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// So many are asked at the same time.
const NODES_AT_ONCE: usize = 16;
/// What was read so much earlier than the latest of a node is of a container that is read no more.
const OLD_MS: i64 = 60_000;

/// What a kubelet says of its containers, by the uid of their pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    pods: BTreeMap<String, Vec<(String, Reading)>>,
}

/// What kubelets say, by the names of their nodes; `None` of one that says nothing.
pub type Answers = Vec<(String, Option<Summary>)>;

/// What it says of one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Reading {
    pressure: Option<Pressure>,
    used_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    node: Node,
    #[serde(default)]
    pods: Vec<PodMeasured>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Node {
    cpu: Option<Cpu>,
    /// Its kubelet, its runtime, and all pods together.
    system_containers: Vec<Measured>,
}

#[derive(Debug, Deserialize)]
struct PodMeasured {
    #[serde(rename = "podRef")]
    pod: PodRef,
    #[serde(default)]
    containers: Vec<Measured>,
}

#[derive(Debug, Deserialize)]
struct PodRef {
    uid: String,
}

/// A container.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Measured {
    name: String,
    cpu: Option<Cpu>,
    memory: Option<Memory>,
}

#[derive(Debug, Deserialize)]
struct Cpu {
    psi: Option<Psi>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    time: Option<Timestamp>,
    working_set_bytes: Option<u64>,
    psi: Option<Psi>,
}

#[derive(Debug, Deserialize)]
struct Psi {
    some: Line,
    full: Line,
}

#[derive(Debug, Deserialize)]
struct Line {
    total: u64,
    avg10: f64,
    avg60: f64,
}

/// Whether the server would let us.
pub async fn may_read(client: &Client) -> bool {
    let of = |text: &str| Some(text.to_string());
    let asked = ResourceAttributes {
        verb: of("get"),
        resource: of("nodes"),
        subresource: of("proxy"),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec { resource_attributes: Some(asked), ..Default::default() },
        ..Default::default()
    };
    let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await;
    answer.is_ok_and(|review| review.status.is_some_and(|status| status.allowed))
}

/// Asks the kubelets of these nodes, in this order: what each says, or that it says nothing. Of those that have not been asked when
/// that has taken so long there is no word.
pub async fn read(client: Client, nodes: Vec<String>, within: Duration) -> Answers {
    let until = Instant::now() + within;
    let client = &client;
    let one = async |node: String| {
        if Instant::now() >= until {
            return None;
        }
        let answer = timeout(ANSWER_WITHIN, read_one(client, &node)).await;
        Some((node, answer.ok().flatten()))
    };
    stream::iter(nodes).map(one).buffer_unordered(NODES_AT_ONCE).filter_map(async |read| read).collect().await
}

async fn read_one(client: &Client, node: &str) -> Option<Summary> {
    let path = format!("/api/v1/nodes/{node}/proxy/stats/summary?only_cpu_and_memory=true");
    let request = http::Request::get(path).body(Vec::new()).ok()?;
    let answer = client.request_stream(request).await.ok()?;
    let mut text = Vec::new();
    answer.take(ANSWER_MAX_BYTES).read_to_end(&mut text).await.ok()?;
    // What was cut off is no JSON.
    serde_json::from_slice(&text).ok().map(Summary::of)
}

impl Summary {
    fn of(answer: Answer) -> Summary {
        let all = || answer.pods.iter().flat_map(|pod| &pod.containers);
        let of_node = answer.node.system_containers.iter();
        let is_told = has_waited(answer.node.cpu.as_ref()) || of_node.chain(all()).any(Measured::has_waited);
        let latest_ms = all().filter_map(Measured::at_ms).max().unwrap_or(0);
        let is_late = |measured: &&Measured| measured.at_ms().is_some_and(|ms| ms >= latest_ms - OLD_MS);
        let reading = |measured: &Measured| (measured.name.clone(), measured.reading(is_told));
        let of_pod = |pod: &PodMeasured| {
            let containers = pod.containers.iter().filter(is_late).map(reading).collect();
            (pod.pod.uid.clone(), containers)
        };
        Summary { pods: answer.pods.iter().map(of_pod).collect() }
    }

    /// Writes into a pod's containers what they wait, and what they use where nothing else says so.
    pub fn fill(&self, pod: &mut Pod) {
        let Some(read) = self.pods.get(&pod.uid) else { return };
        for running in &mut pod.containers {
            let Some((_, reading)) = read.iter().find(|(name, _)| *name == running.name) else { continue };
            running.pressure = reading.pressure;
            running.used_bytes = running.used_bytes.or(reading.used_bytes);
        }
    }
}

/// Where the kernel does not count it (cgroup v1, `psi=0`) a kubelet says 0 all the same (1.36, `pkg/kubelet/stats/helper.go`). On a
/// node that counts it something has waited for a CPU. How long it says in microseconds, as the kernel does; by its types it is
/// nanoseconds, so only its averages are used.
fn has_waited(cpu: Option<&Cpu>) -> bool {
    cpu.and_then(|cpu| cpu.psi.as_ref()).is_some_and(|psi| psi.some.total > 0)
}

impl Measured {
    fn at_ms(&self) -> Option<i64> {
        Some(self.memory.as_ref()?.time?.as_millisecond())
    }

    fn has_waited(&self) -> bool {
        let memory = self.memory.as_ref().and_then(|memory| memory.psi.as_ref());
        has_waited(self.cpu.as_ref()) || memory.is_some_and(|psi| psi.some.total > 0)
    }

    fn reading(&self, is_told: bool) -> Reading {
        let memory = self.memory.as_ref();
        let psi = memory.and_then(|memory| memory.psi.as_ref()).filter(|_| is_told);
        let permille = |percent: f64| (percent * f64::from(PERCENT)).round().clamp(0.0, 1000.0) as u32;
        let pressure = psi.map(|psi| Pressure {
            last_10s_permille: permille(psi.full.avg10),
            last_60s_permille: permille(psi.full.avg60),
        });
        Reading { pressure, used_bytes: memory.and_then(|memory| memory.working_set_bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::inventory::{Running, Sizes};
    use serde_json::{Value, json};

    fn psi(some_total: u64, [avg10, avg60]: [f64; 2]) -> Value {
        let line = |total: u64| json!({"total": total, "avg10": avg10, "avg60": avg60, "avg300": 0.5});
        json!({"full": line(some_total / 2), "some": line(some_total)})
    }

    fn memory(at: &str, psi: Value) -> Value {
        json!({
            "time": at, "usageBytes": 9_000_000, "workingSetBytes": 7_000_000, "rssBytes": 6_000_000, "pageFaults": 3, "psi": psi,
        })
    }

    /// What is known of the container `app` of a pod after that, in tenths of a percent and in bytes.
    fn check(node: Value, containers: Value, expect: (Option<(u32, u32)>, Option<u64>)) {
        let pod =
            json!({"podRef": {"name": "web-1", "namespace": "shop", "uid": "u1"}, "containers": containers});
        let answer = json!({"node": node, "pods": [pod, {"podRef": {"uid": "u2"}}]}).to_string();
        let summary = Summary::of(serde_json::from_str(&answer).expect("a summary"));
        let running = Running {
            name: "app".into(),
            desired: Sizes::default(),
            actual: None,
            restarts: 0,
            is_running: true,
            oom_kills: Vec::new(),
            used_bytes: None,
            pressure: None,
        };
        let mut pod = Pod {
            workload: None,
            uid: "u1".into(),
            node: Some("one".into()),
            is_ready: true,
            is_leaving: false,
            containers: vec![running],
            resize: None,
        };
        summary.fill(&mut pod);
        let found = &pod.containers[0];
        let pressure = found.pressure.map(|it| (it.last_10s_permille, it.last_60s_permille));
        assert_eq!((pressure, found.used_bytes), expect, "{answer}");
        // Use that somebody else knows stays, and so does what another pod of that name has.
        pod.containers[0].used_bytes = Some(1);
        summary.fill(&mut pod);
        assert_eq!(pod.containers[0].used_bytes, Some(1));
        pod.uid = "u3".into();
        pod.containers[0].pressure = None;
        summary.fill(&mut pod);
        assert_eq!(pod.containers[0].pressure, None);
    }

    #[test]
    fn what_a_kubelet_says_is_known_and_what_it_does_not_is_not() {
        let (now, earlier) = ("2026-11-29T15:00:00Z", "2026-11-29T14:58:00Z");
        let waits = json!({"nodeName": "one", "cpu": {"time": now, "psi": psi(5, [0.1, 0.1])}});
        let app = |memory: Value| json!([{"name": "other", "memory": {"time": now}}, {"name": "app", "memory": memory}]);
        let used = Some(7_000_000);
        check(waits.clone(), app(memory(now, psi(0, [0.0, 0.0]))), (Some((0, 0)), used));
        check(waits.clone(), app(memory(now, psi(900, [21.44, 1e-3]))), (Some((214, 0)), used));
        check(waits.clone(), app(memory(now, psi(900, [120.0, -1.0]))), (Some((1000, 0)), used));
        check(waits.clone(), app(memory(now, Value::Null)), (None, used));
        check(waits.clone(), app(json!({"time": now})), (None, None));
        check(waits.clone(), app(Value::Null), (None, None));
        check(waits.clone(), json!([]), (None, None));
        check(waits.clone(), app(memory(earlier, psi(900, [20.0, 20.0]))), (None, None));
        // The kernel counts nothing, or the kubelet is too old to say.
        check(
            json!({"cpu": {"psi": psi(0, [0.0, 0.0])}}),
            app(memory(now, psi(0, [0.0, 0.0]))),
            (None, used),
        );
        check(json!({}), app(memory(now, psi(0, [0.0, 0.0]))), (None, used));
        check(json!({}), app(memory(now, psi(900, [3.0, 4.0]))), (Some((30, 40)), used));
        let kubelet = json!({"systemContainers": [{"name": "kubelet", "cpu": {"psi": psi(5, [0.0, 0.0])}}]});
        check(kubelet, app(memory(now, psi(0, [0.0, 0.0]))), (Some((0, 0)), used));
    }
}
