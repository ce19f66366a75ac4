//! What containers use now, from `metrics.k8s.io` (metrics-server, or whoever serves it).
//!
//! It is the working set: what the kernel could take back of it counts too, so that nothing is sized too small by it.

use crate::ClusterError;
use jiff::Timestamp;
use kube::Client;
use plimsoll_core::inventory::Inventory;
use plimsoll_core::inventory::quantity::Quantity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The largest answer that is read, in bytes: 100,000 pods have about 50 MB.
const ANSWER_MAX_BYTES: usize = 256 << 20;

/// Use of all containers at about one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// When the latest of it was read, in milliseconds since 1970; `None` where there is nothing.
    pub at_ms: Option<i64>,
    /// In bytes, by namespace and name of the pod, and name of the container.
    bytes: BTreeMap<(String, String), Vec<(String, u64)>>,
}

#[derive(Debug, Deserialize)]
struct PodMetricsList {
    items: Vec<PodMetrics>,
}

#[derive(Debug, Deserialize)]
struct PodMetrics {
    metadata: Metadata,
    timestamp: Option<Timestamp>,
    #[serde(default)]
    containers: Vec<ContainerMetrics>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
}

#[derive(Debug, Deserialize)]
struct ContainerMetrics {
    name: String,
    usage: Used,
}

#[derive(Debug, Deserialize)]
struct Used {
    memory: Option<String>,
}

/// Asks for the use of all pods, of one namespace or all.
pub async fn usage(client: &Client, namespace: Option<&str>) -> Result<Usage, ClusterError> {
    let what = "the use of pods (metrics.k8s.io)";
    let path = match namespace {
        Some(namespace) => format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"),
        None => "/apis/metrics.k8s.io/v1beta1/pods".to_string(),
    };
    let failed = |message: String| ClusterError::Failed { what: what.to_string(), message };
    let request = http::Request::get(path).body(Vec::new()).map_err(|error| failed(error.to_string()))?;
    let text = client.request_text(request).await.map_err(|error| ClusterError::of(what, error))?;
    if text.len() > ANSWER_MAX_BYTES {
        return Err(failed(format!("{} bytes are more than is read", text.len())));
    }
    let list: PodMetricsList = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(Usage::of(list))
}

impl Usage {
    fn of(list: PodMetricsList) -> Usage {
        let mut usage = Usage::default();
        for pod in list.items {
            let at_ms = pod.timestamp.map(Timestamp::as_millisecond);
            usage.at_ms = usage.at_ms.max(at_ms);
            let of = |container: ContainerMetrics| {
                let memory = Quantity::try_from(container.usage.memory?).ok()?;
                Some((container.name, memory.bytes()))
            };
            let containers = pod.containers.into_iter().filter_map(of).collect();
            usage.bytes.insert((pod.metadata.namespace, pod.metadata.name), containers);
        }
        usage
    }

    /// Writes it into an inventory; of what nothing was read stays as it is.
    pub fn fill(&self, inventory: &mut Inventory) {
        for (key, containers) in &self.bytes {
            let Some(pod) = inventory.pods.get_mut(key) else { continue };
            for running in &mut pod.containers {
                let used = containers.iter().find(|(name, _)| *name == running.name);
                running.used_bytes = used.map(|(_, bytes)| *bytes).or(running.used_bytes);
            }
        }
    }
}
