//! Workloads of a test, each with its autoscaler.

use plimsoll_core::size::MIB;
use plimsoll_real::answered;
use plimsoll_real::cluster::{Client, Cluster, Patch, vpa};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);

/// The container of each.
pub const APP: &str = "app";
/// What it requests.
pub const REQUEST_BYTES: u64 = 512 * MIB;

/// Deployments in a namespace.
pub struct Pods {
    pub admin: Client,
    pub namespace: String,
    /// By their Deployment.
    names: BTreeMap<String, Vec<String>>,
}

impl Pods {
    /// Makes them, of so many pods each, and waits until they run.
    pub fn create<'a>(
        cluster: &Cluster,
        namespace: &str,
        deployments: impl Iterator<Item = (&'a str, usize)>,
    ) -> Pods {
        let admin = cluster.admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
        let mut expected = 0;
        for (name, replicas) in deployments {
            let object = deployment(name, replicas);
            admin.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &object).ok();
            vpa::create(&admin, namespace, name, "Off");
            expected += replicas;
        }
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let names = eventually("all run", || {
            let list = admin.get(&pods).body;
            let mut running: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for pod in list["items"].as_array().into_iter().flatten() {
                let (app, name) = (&pod["metadata"]["labels"]["app"], &pod["metadata"]["name"]);
                if pod["status"]["phase"] == "Running" {
                    let of = running.entry(app.as_str().unwrap().to_string()).or_default();
                    of.push(name.as_str().unwrap().to_string());
                }
            }
            let count = running.values().map(Vec::len).sum::<usize>();
            if count == expected { Ok(running) } else { Err(json!(running)) }
        });
        Pods { admin, namespace: namespace.to_string(), names }
    }

    /// The pod of a Deployment that has one, the first of one that has more.
    pub fn pod(&self, deployment: &str) -> String {
        self.names[deployment][0].clone()
    }

    /// The second pod of a Deployment.
    pub fn second_pod(&self, deployment: &str) -> String {
        self.names[deployment][1].clone()
    }

    /// Has its container die of memory; when that was, in milliseconds since 1970.
    pub fn kill(&self, deployment: &str) -> i64 {
        let pod = format!("/api/v1/namespaces/{}/pods/{}", self.namespace, self.pod(deployment));
        let change = json!({"metadata": {"annotations": {"plimsoll.dev/play-oom": "once"}}});
        self.admin.patch(&pod, Patch::Merge, &change).ok();
        let end = eventually("killed and back", || {
            let status = self.admin.get(&pod).body["status"]["containerStatuses"][0].clone();
            status["lastState"]["terminated"]["finishedAt"].as_str().map(str::to_string).ok_or(status)
        });
        end.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }
}

fn deployment(name: &str, replicas: usize) -> Value {
    let request = json!({"requests": {"memory": REQUEST_BYTES.to_string()}});
    let labels = json!({"app": name});
    let container = json!({"name": APP, "image": "registry.example/app:1", "resources": request});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template});
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Asks again and again until there is an answer; till then it is told what there is instead.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Result<T, Value>) -> T {
    answered(TIMEOUT, what, ask)
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
