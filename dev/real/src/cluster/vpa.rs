//! The Vertical Pod Autoscaler as it is, 1.8.1: its recommender and its updater, each a process that speaks to a cluster.
//!
//! Its admission controller is not here: pods that the updater evicts come back with the sizes of their template.

use super::{Client, Cluster, program, programs};
use crate::process::{Server, free_port, wait_until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::slice;

const API: &str = "/apis/autoscaling.k8s.io/v1";

/// The autoscaler's programs, for a cluster that knows its kinds.
#[derive(Debug)]
pub struct Autoscaler<'a> {
    cluster: &'a Cluster,
    programs: PathBuf,
}

impl<'a> Autoscaler<'a> {
    /// Tells the cluster of its kinds, and waits until it knows them.
    pub fn install(cluster: &'a Cluster) -> Autoscaler<'a> {
        let programs = programs(&["vpa-recommender", "vpa-updater"]);
        let kinds = std::fs::read_to_string(programs.join("vpa-v1-crd-gen.yaml")).expect("its kinds");
        let admin = cluster.admin();
        admin.apply_all(&kinds);
        let kinds = ["verticalpodautoscalers", "verticalpodautoscalercheckpoints"];
        let known = |kind: &&str| admin.get(&format!("{API}/{kind}")).status == 200;
        wait_until(&mut [], || kinds.iter().all(known));
        Autoscaler { cluster, programs }
    }

    /// Starts the recommender: it reads use from metrics.k8s.io, and history from checkpoints where the arguments do not say
    /// `--storage=prometheus`. Its first loop is an interval later.
    pub fn recommender(&self, kubeconfig: &Path, arguments: &[String]) -> Server {
        self.start("vpa-recommender", kubeconfig, arguments)
    }

    /// Starts the updater, which evicts pods though no admission controller is there to size the new ones.
    pub fn updater(&self, kubeconfig: &Path, arguments: &[String]) -> Server {
        let alone = ["--use-admission-controller-status=false".to_string()];
        self.start("vpa-updater", kubeconfig, &[&alone, arguments].concat())
    }

    fn start(&self, name: &str, kubeconfig: &Path, arguments: &[String]) -> Server {
        let port = free_port();
        let ours = [
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--address=127.0.0.1:{port}"),
            // Without it each sample is a line of the log.
            "--v=1".to_string(),
        ];
        let arguments = [&ours, arguments].concat();
        let mut process = program(&self.cluster.folder, &self.programs, name, &arguments);
        let url = format!("http://127.0.0.1:{port}");
        let metrics = format!("{url}/metrics");
        wait_until(slice::from_mut(&mut process), || ureq::get(&metrics).call().is_ok());
        Server::of(process, url)
    }
}

/// An autoscaler for the Deployment of its name, in this update mode: `Off`, `Recreate`, `InPlaceOrRecreate`.
pub fn create(admin: &Client, namespace: &str, name: &str, mode: &str) {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
    let spec = json!({"targetRef": target, "updatePolicy": {"updateMode": mode}});
    let object = json!({
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": name},
        "spec": spec,
    });
    admin.post(&format!("{API}/namespaces/{namespace}/verticalpodautoscalers"), &object).ok();
}

/// Deletes all autoscalers of a namespace and what was kept for them.
pub fn delete_all(admin: &Client, namespace: &str) {
    for kind in ["verticalpodautoscalers", "verticalpodautoscalercheckpoints"] {
        admin.delete(&format!("{API}/namespaces/{namespace}/{kind}")).ok();
    }
}

/// What is recommended for a container: `target`, `lowerBound` and `upperBound`; null where there is nothing yet.
pub fn recommendation(admin: &Client, namespace: &str, name: &str, container: &str) -> Value {
    let object = admin.get(&format!("{API}/namespaces/{namespace}/verticalpodautoscalers/{name}")).body;
    let all = object["status"]["recommendation"]["containerRecommendations"].as_array();
    let of = |recommended: &&Value| recommended["containerName"] == container;
    all.into_iter().flatten().find(of).cloned().unwrap_or(Value::Null)
}

/// The status of a container's checkpoint, in which its histograms are; null where there is none yet.
pub fn checkpoint(admin: &Client, namespace: &str, name: &str, container: &str) -> Value {
    let kind = "verticalpodautoscalercheckpoints";
    admin.get(&format!("{API}/namespaces/{namespace}/{kind}/{name}-{container}")).body["status"].clone()
}
