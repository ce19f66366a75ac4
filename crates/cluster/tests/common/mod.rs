//! One real cluster for all tests of a file.

use plimsoll_real::cluster::{Cluster, Node};
use serde_json::json;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// It dies with the tests.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plimsoll-cluster");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        Cluster::start(&folder, &[Node::new("one", "7Gi", "4"), Node::new("two", "7Gi", "4")])
    })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

pub fn namespace(name: &str) {
    let object = json!({"metadata": {"name": name}});
    cluster().admin().post("/api/v1/namespaces", &object).created();
}

/// A container of 512Mi and 1Gi with a fixed heap, and a sidecar with a request of 64Mi and no limit.
pub fn deployment<T: serde::de::DeserializeOwned>(name: &str, replicas: u32) -> T {
    let app = json!({
        "name": "app",
        "image": "registry.example/app:1",
        "env": [{"name": "NODE_OPTIONS", "value": "--max-old-space-size=700"}],
        "resources": {"requests": {"memory": "512Mi", "cpu": "100m"}, "limits": {"memory": "1Gi"}},
    });
    let proxy = json!({
        "name": "proxy",
        "image": "registry.example/proxy:1",
        "resources": {"requests": {"memory": "64Mi"}},
    });
    let object = json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [app, proxy]},
            },
        },
    });
    serde_json::from_value(object).expect("a deployment")
}

/// Asks again and again until it is so.
pub async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !ask().await {
        assert!(started.elapsed() < Duration::from_secs(60), "not so after 60 s: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
