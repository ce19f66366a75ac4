//! Workloads of a test, each with its autoscaler.

use plimsoll_core::size::MIB;
use plimsoll_real::cluster::{Client, Cluster, Patch, vpa};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The container of each.
pub const APP: &str = "app";
/// What it requests.
pub const REQUEST_BYTES: u64 = 512 * MIB;

/// Deployments of one pod each in a namespace.
pub struct Pods {
    pub admin: Client,
    pub namespace: String,
    /// By their Deployment.
    names: BTreeMap<String, String>,
}

impl Pods {
    /// Makes them, and waits until they run.
    pub fn create<'a>(
        cluster: &Cluster,
        namespace: &str,
        deployments: impl Iterator<Item = &'a str>,
    ) -> Pods {
        let admin = cluster.admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
        let names: Vec<&str> = deployments.collect();
        for name in &names {
            admin.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment(name)).ok();
            vpa::create(&admin, namespace, name, "Off");
        }
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let names = eventually("all run", || {
            let list = admin.get(&pods).body;
            let all = list["items"].as_array().into_iter().flatten();
            let running: BTreeMap<String, String> = all
                .filter(|pod| pod["status"]["phase"] == "Running")
                .map(|pod| (&pod["metadata"]["labels"]["app"], &pod["metadata"]["name"]))
                .map(|(app, name)| (app.as_str().unwrap().to_string(), name.as_str().unwrap().to_string()))
                .collect();
            if running.len() == names.len() { Ok(running) } else { Err(json!(running)) }
        });
        Pods { admin, namespace: namespace.to_string(), names }
    }

    /// The pod of a Deployment.
    pub fn pod(&self, deployment: &str) -> String {
        self.names[deployment].clone()
    }

    /// Has its container die of memory; when that was, in milliseconds since 1970.
    pub fn kill(&self, deployment: &str) -> i64 {
        let pod = format!("/api/v1/namespaces/{}/pods/{}", self.namespace, self.names[deployment]);
        let change = json!({"metadata": {"annotations": {"plimsoll.dev/play-oom": "once"}}});
        self.admin.patch(&pod, Patch::Merge, &change).ok();
        let end = eventually("killed and back", || {
            let status = self.admin.get(&pod).body["status"]["containerStatuses"][0].clone();
            status["lastState"]["terminated"]["finishedAt"].as_str().map(str::to_string).ok_or(status)
        });
        end.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }
}

fn deployment(name: &str) -> Value {
    let request = json!({"requests": {"memory": REQUEST_BYTES.to_string()}});
    let labels = json!({"app": name});
    let container = json!({"name": APP, "image": "registry.example/app:1", "resources": request});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": labels}, "template": template});
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Asks again and again until there is an answer; till then it is told what there is instead.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Result<T, Value>) -> T {
    let started = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(instead) => {
                assert!(
                    started.elapsed() < Duration::from_secs(60),
                    "not so after 60 s: {what}: {instead:#}"
                );
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A quantity of memory as Kubernetes writes it.
pub fn bytes(quantity: &Value) -> u64 {
    const UNITS: [(&str, u64); 6] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
    ];
    let text = quantity.as_str().unwrap_or_else(|| panic!("no quantity: {quantity}"));
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit_bytes) = unit.unwrap_or((text, 1));
    number.parse::<u64>().unwrap_or_else(|error| panic!("{text}: {error}")) * unit_bytes
}
