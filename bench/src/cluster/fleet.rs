//! Nodes and pods of a cluster, and what they use.

use crate::Failure;
use crate::history::fleet::used_bytes;
use plimsoll_core::size::MIB;
use plimsoll_real::cluster::metrics::{self, Use};
use plimsoll_real::cluster::{Client, Cluster, Node};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const CONTAINER: &str = "app";
const NAMESPACES: u64 = 10;
/// Objects are created by so many at once.
const MAKERS: u64 = 4;
/// So much more than its use at first a pod requests, and no less than this, below which the autoscaler leaves no pod: nothing has
/// to be changed.
const ROOM: f64 = 1.3;
const REQUEST_MIB_MIN: u64 = 256;
const REQUEST_CPU: &str = "100m";

/// Nodes of 64 GiB.
pub fn nodes(count: u64) -> Vec<Node> {
    (0..count).map(|number| Node::new(&format!("node-{number}"), "64Gi", "16")).collect()
}

/// So many pods of so many Deployments.
#[derive(Clone, Copy)]
pub struct Fleet {
    pub deployments: u64,
    pub pods: u64,
}

impl Fleet {
    /// Makes all, waits until they run, and tells the cluster what they use.
    pub fn run(self, cluster: &Cluster, deadline: Instant) -> Result<(), Failure> {
        let admin = cluster.admin();
        for name in self.namespaces() {
            admin.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).created();
        }
        self.each(|number| self.create(&admin, number));
        let pods = loop {
            let pods = running(&admin);
            if pods.len() as u64 >= self.pods {
                break pods;
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "{} of {} pods run and the time is up\ngive it more --minutes",
                    pods.len(),
                    self.pods
                )
                .into());
            }
            std::thread::sleep(Duration::from_secs(2));
        };
        metrics::serve(cluster, move || used(&pods));
        Ok(())
    }

    /// The namespaces that its Deployments are in.
    pub fn namespaces(self) -> impl Iterator<Item = String> {
        (0..NAMESPACES.min(self.deployments)).map(namespace_of)
    }

    /// Does something for each Deployment, told by its namespace and name, several at once.
    pub fn each_deployment(self, act: impl Fn(&str, &str) + Sync) {
        self.each(|number| act(&namespace_of(number), &name_of(number)));
    }

    fn each(self, act: impl Fn(u64) + Sync) {
        std::thread::scope(|scope| {
            for maker in 0..MAKERS {
                let act = &act;
                scope.spawn(move || (maker..self.deployments).step_by(MAKERS as usize).for_each(act));
            }
        });
    }

    fn create(self, admin: &Client, number: u64) {
        let (namespace, name) = (namespace_of(number), name_of(number));
        // The first few have one more where it does not come out even.
        let replicas = self.pods / self.deployments + u64::from(number < self.pods % self.deployments);
        let request = ((used_bytes(number, now_ms()) * ROOM) as u64 / MIB).max(REQUEST_MIB_MIN);
        let size = json!({"requests": {"cpu": REQUEST_CPU, "memory": format!("{request}Mi")}});
        let labels = json!({"app": name, "number": number.to_string()});
        let container = json!({"name": CONTAINER, "image": "registry.example/app:1", "resources": size});
        let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
        let spec =
            json!({"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template});
        let object = json!({"metadata": {"name": name}, "spec": spec});
        admin.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &object).ok();
    }
}

fn namespace_of(number: u64) -> String {
    format!("team-{}", number % NAMESPACES)
}

fn name_of(number: u64) -> String {
    format!("service-{number}")
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// A pod that runs: its namespace, its name and the number of its Deployment.
struct Pod {
    namespace: String,
    name: String,
    number: u64,
}

fn running(admin: &Client) -> Vec<Pod> {
    let list = admin.get("/api/v1/pods?fieldSelector=status.phase=Running").ok();
    let pod = |pod: &Value| {
        let of = |value: &Value| value.as_str().map(str::to_string);
        let number = pod["metadata"]["labels"]["number"].as_str()?.parse().ok()?;
        Some(Pod {
            namespace: of(&pod["metadata"]["namespace"])?,
            name: of(&pod["metadata"]["name"])?,
            number,
        })
    };
    list["items"].as_array().into_iter().flatten().filter_map(pod).collect()
}

/// What pods use now: those of one Deployment nearly the same.
fn used(pods: &[Pod]) -> Vec<Use> {
    const APART_MS: i64 = 60_000;
    let now_ms = now_ms();
    let of = |(index, pod): (usize, &Pod)| Use {
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        container: CONTAINER.to_string(),
        at_s: now_ms / 1000,
        memory_bytes: used_bytes(pod.number, now_ms + index as i64 % 100 * APART_MS) as u64,
        cpu_millicores: 20 + pod.number % 30,
    };
    pods.iter().enumerate().map(of).collect()
}
