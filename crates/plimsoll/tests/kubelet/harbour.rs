//! A namespace of the machine, with eaters of a Deployment in it, and `plimsoll` at work on them.

use crate::common::PLIMSOLL;
use plimsoll_real::cluster::{Client, Cluster};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const MIB: u64 = 1 << 20;

/// Under emulation a pod takes ten seconds to start, and more where the machine has other work.
const TIMEOUT: Duration = Duration::from_secs(300);

pub struct Harbour {
    pub cluster: &'static Cluster,
    pub admin: Client,
    /// For what belongs to a test.
    pub folder: PathBuf,
    /// By which `plimsoll` finds the cluster: the administrator's, at first.
    pub kubeconfig: PathBuf,
    namespace: &'static str,
}

/// So many MiB, as Kubernetes writes them.
pub fn memory(mib: u64) -> Value {
    json!({"memory": format!("{mib}Mi")})
}

impl Harbour {
    pub fn open(cluster: &'static Cluster, namespace: &'static str) -> Harbour {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(namespace);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let admin = cluster.admin();
        admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
        Harbour { cluster, admin, folder, kubeconfig: cluster.kubeconfig.clone(), namespace }
    }

    /// The Deployment `eater`, of pods with this container, which is called so too.
    pub fn deploy(&self, replicas: u32, container: &Value, volumes: &Value) {
        // The machine has no network for pods.
        let pod = json!({
            "hostNetwork": true, "terminationGracePeriodSeconds": 0,
            "containers": [container], "volumes": volumes,
        });
        let deployment = json!({
            "metadata": {"name": "eater"},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": "eater"}},
                "template": {"metadata": {"labels": {"app": "eater"}}, "spec": pod},
            },
        });
        let path = format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace);
        self.admin.post(&path, &deployment).created();
    }

    /// A plan of a request and a limit in MiB, by a history that has seen this peak.
    pub fn plan(&self, (request, limit): (u64, u64), peak_mib: u64, more: &[&str]) -> PathBuf {
        let container = json!({
            "namespace": self.namespace, "kind": "Deployment", "workload": "eater", "container": "eater", "pods": 2,
            "recommended_request_bytes": request * MIB, "recommended_limit_bytes": limit * MIB,
            "limit_reason": "for a test", "peak_bytes": peak_mib * MIB, "non_reclaimable_bytes": null,
        });
        let now = jiff::Timestamp::now().to_string();
        let report =
            json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": [container], "skipped": []});
        let (recommendations, plan) = (self.folder.join("sizes.json"), self.folder.join("plan.json"));
        std::fs::write(&recommendations, report.to_string()).expect("recommendations");
        let mut command = self.command(&["plan", "-n", self.namespace, "--way", "in-place"]);
        command.arg("--recommendations").arg(recommendations).arg("--save").arg(&plan).args(more);
        passed(&command.output().expect("plimsoll starts"));
        plan
    }

    pub fn apply(&self, plan: &Path) -> Child {
        let mut command = self.command(&["apply", "--yes"]);
        command.arg(plan).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("plimsoll starts")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PLIMSOLL);
        command.args(args).env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null());
        command
    }

    pub fn eventually(&self, what: &str, so: impl Fn() -> bool) {
        self.eventually_within(TIMEOUT, what, so);
    }

    pub fn eventually_within(&self, timeout: Duration, what: &str, so: impl Fn() -> bool) {
        let started = Instant::now();
        while !so() {
            let pods = self.pods();
            let statuses: Vec<&Value> = pods.iter().map(|pod| &pod["status"]).collect();
            assert!(started.elapsed() < timeout, "not so after {timeout:?}: {what}: {statuses:#?}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    pub fn pods(&self) -> Vec<Value> {
        let pods = self.admin.get(&format!("/api/v1/namespaces/{}/pods", self.namespace)).ok();
        let pods = pods["items"].as_array().expect("pods").clone();
        pods.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
    }

    /// What a file of its container's cgroup says.
    pub fn of_kernel(&self, pod: &Value, file: &str) -> Option<u64> {
        let text = self.run(pod, &format!("/bin/cat /sys/fs/cgroup/{file}"))?;
        text.trim().parse().ok()
    }

    /// What a command prints in a pod's container.
    pub fn run(&self, pod: &Value, command: &str) -> Option<String> {
        let (namespace, name) = (self.namespace, pod["metadata"]["name"].as_str()?);
        let command = command.replace(' ', "%20");
        let path = format!("{}/run/{namespace}/{name}/eater?cmd={command}", kubelet());
        let answer = self.admin.post(&path, &Value::Null);
        (answer.status == 200).then(|| answer.body.as_str().map_or(answer.body.to_string(), str::to_string))
    }

    /// How often their containers have started anew.
    pub fn restarts(&self) -> u64 {
        let of = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or(0);
        self.pods().iter().map(of).sum()
    }
}

/// The path by which the API server hands requests on to the kubelet.
pub fn kubelet() -> String {
    format!("/api/v1/nodes/{}/proxy", plimsoll_real::cluster::Machine::NAME)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

pub fn passed(output: &Output) {
    assert!(output.status.success(), "{:?}\n{}", output.status, said(output));
}

/// It went back by itself, for a reason with these words; all that it said.
pub fn went_back(output: &Output, words: &str) -> String {
    let said = said(output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(words), "{said}");
    said
}
