//! `plimsoll plan`, `apply` and `rollback` where containers run: a real kubelet under cgroup v2, on a machine that QEMU emulates.
//! What is refused, kept and killed here, the kernel refuses, keeps and kills.

mod common;

use common::PLIMSOLL;
use plimsoll_real::cluster::{Client, Cluster, Machine, Options, Patch};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;

/// What each eater holds.
const HELD_MIB: u64 = 40;

/// The sizes of their template, as (request, limit) in MiB.
const BEFORE: (u64, u64) = (96, 128);

/// Under emulation a pod takes ten seconds to start, and more where the machine has other work.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Two eaters of a Deployment on the machine.
struct Harbour {
    cluster: Cluster,
    folder: PathBuf,
    admin: Client,
}

impl Harbour {
    fn open() -> Harbour {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("harbour");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let cluster = Cluster::start_with(&folder, &[], &Options { machine: true, ..Options::default() });
        let harbour = Harbour { admin: cluster.admin(), cluster, folder };
        harbour.admin.post("/api/v1/namespaces", &json!({"metadata": {"name": "harbour"}})).created();
        let memory = |mib: u64| json!({"memory": format!("{mib}Mi")});
        let container = json!({
            "name": "eater", "image": Machine::IMAGE, "args": [HELD_MIB.to_string(), "0", "100000000"],
            "resources": {"requests": memory(BEFORE.0), "limits": memory(BEFORE.1)},
        });
        // The machine has no network for pods.
        let pod = json!({"hostNetwork": true, "terminationGracePeriodSeconds": 0, "containers": [container]});
        let deployment = json!({
            "metadata": {"name": "eater"},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": {"app": "eater"}},
                "template": {"metadata": {"labels": {"app": "eater"}}, "spec": pod},
            },
        });
        harbour.admin.post("/apis/apps/v1/namespaces/harbour/deployments", &deployment).ok();
        harbour.eventually("two eaters hold what they hold", |harbour| harbour.is_so(BEFORE));
        harbour
    }

    fn eventually(&self, what: &str, so: impl Fn(&Harbour) -> bool) {
        let started = Instant::now();
        while !so(self) {
            let pods = self.pods();
            let statuses: Vec<&Value> = pods.iter().map(|pod| &pod["status"]).collect();
            assert!(started.elapsed() < TIMEOUT, "not so after {TIMEOUT:?}: {what}: {statuses:#?}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn pods(&self) -> Vec<Value> {
        let pods = self.admin.get("/api/v1/namespaces/harbour/pods").ok();
        let pods = pods["items"].as_array().expect("pods").clone();
        pods.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
    }

    /// Both pods are ready and settled, hold what they hold, and have these sizes: by what the API says they should have, by
    /// what the kubelet says they have, and by the kernel, their containers and the pods as such.
    fn is_so(&self, (request, limit): (u64, u64)) -> bool {
        let sizes = json!({"requests": {"memory": format!("{request}Mi")}, "limits": {"memory": format!("{limit}Mi")}});
        let pods = self.pods();
        pods.len() == 2
            && pods.iter().all(|pod| {
                let conditions = pod["status"]["conditions"].as_array();
                let is = |kind: &str| {
                    let found = conditions.into_iter().flatten().find(|one| one["type"] == kind);
                    found.is_some_and(|one| one["status"] == "True")
                };
                is("Ready")
                    && !is("PodResizePending")
                    && !is("PodResizeInProgress")
                    && pod["spec"]["containers"][0]["resources"] == sizes
                    && pod["status"]["containerStatuses"][0]["resources"] == sizes
                    && self.of_kernel(pod, "memory.max") == Some(limit * MIB)
                    // The kubelet reads it from the cgroup of the pod.
                    && pod["status"]["resources"]["limits"] == sizes["limits"]
                    && self.of_kernel(pod, "memory.current") >= Some(HELD_MIB * MIB)
            })
    }

    /// What a file of its container's cgroup says.
    fn of_kernel(&self, pod: &Value, file: &str) -> Option<u64> {
        let text = self.run(pod, &format!("/bin/cat /sys/fs/cgroup/{file}"))?;
        text.trim().parse().ok()
    }

    /// What a command prints in a pod's container.
    fn run(&self, pod: &Value, command: &str) -> Option<String> {
        let (machine, name) = (Machine::NAME, pod["metadata"]["name"].as_str()?);
        let command = command.replace(' ', "%20");
        let path = format!("/api/v1/nodes/{machine}/proxy/run/harbour/{name}/eater?cmd={command}");
        let answer = self.admin.post(&path, &Value::Null);
        (answer.status == 200).then(|| answer.body.as_str().map_or(answer.body.to_string(), str::to_string))
    }

    /// How often their containers have started anew.
    fn restarts(&self) -> u64 {
        let of = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or(0);
        self.pods().iter().map(of).sum()
    }

    /// A plan of a request and a limit in MiB, by a history that has seen this peak.
    fn plan(&self, (request, limit): (u64, u64), peak_mib: u64, more: &[&str]) -> PathBuf {
        let container = json!({
            "namespace": "harbour", "kind": "Deployment", "workload": "eater", "container": "eater", "pods": 2,
            "recommended_request_bytes": request * MIB, "recommended_limit_bytes": limit * MIB,
            "limit_reason": "for a test", "peak_bytes": peak_mib * MIB, "non_reclaimable_bytes": null,
        });
        let now = jiff::Timestamp::now().to_string();
        let report =
            json!({"schema": "plimsoll.rightsize/1", "as_of": now, "containers": [container], "skipped": []});
        let (recommendations, plan) = (self.folder.join("sizes.json"), self.folder.join("plan.json"));
        std::fs::write(&recommendations, report.to_string()).expect("recommendations");
        let mut command = self.command(&["plan", "-n", "harbour", "--way", "in-place"]);
        command.arg("--recommendations").arg(recommendations).arg("--save").arg(&plan).args(more);
        passed(&command.output().expect("plimsoll starts"));
        plan
    }

    fn apply(&self, plan: &Path) -> Child {
        let mut command = self.command(&["apply", "--yes"]);
        command.arg(plan).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("plimsoll starts")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PLIMSOLL);
        command.args(args).env("KUBECONFIG", &self.cluster.kubeconfig).stdin(Stdio::null());
        command
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

fn passed(output: &Output) {
    assert!(output.status.success(), "{:?}\n{}", output.status, said(output));
}

/// It went back by itself, for a reason with these words.
fn went_back(output: &Output, words: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(words), "{said}");
}

/// Running pods and new ones get the plan's sizes, and rolled back all is as it was, without a restart.
fn there_and_back(harbour: &Harbour) {
    let plan = harbour.plan((56, 64), 41, &["--watch", "2s"]);
    passed(&harbour.apply(&plan).wait_with_output().expect("an output"));
    assert!(harbour.is_so((56, 64)));
    let gone = harbour.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
    harbour.admin.delete(&format!("/api/v1/namespaces/harbour/pods/{gone}")).ok();
    harbour.eventually("a new pod has the sizes too", |harbour| harbour.is_so((56, 64)));
    passed(&harbour.command(&["rollback", "--yes"]).output().expect("plimsoll starts"));
    assert!(harbour.is_so(BEFORE));
    assert_eq!(harbour.restarts(), 0);
}

/// By its history it would be enough; the kubelet knows that it is in use.
fn below_use(harbour: &Harbour) {
    let plan = harbour.plan((24, 32), 20, &["--watch", "2s", "--patience", "20s"]);
    went_back(&harbour.apply(&plan).wait_with_output().expect("an output"), "below current usage");
    harbour.eventually("all is as before", |harbour| harbour.is_so(BEFORE));
    assert_eq!(harbour.restarts(), 0, "nobody was killed");
}

/// The limit was borne, until more was needed: the kernel kills, and the sizes of before come back.
fn killed_while_watched(harbour: &Harbour) {
    let plan = harbour.plan((56, 64), 41, &["--watch", "60s"]);
    let apply = harbour.apply(&plan);
    let is_sized = |pod: &&Value| harbour.of_kernel(pod, "memory.max") == Some(64 * MIB);
    harbour
        .eventually("the first pod has its size", |harbour| harbour.pods().iter().any(|pod| is_sized(&pod)));
    let pods = harbour.pods();
    let first = pods.iter().find(is_sized).expect("the first pod");
    assert_eq!(harbour.run(first, "/bin/eater 60 0 1000"), None, "it is killed");
    went_back(&apply.wait_with_output().expect("an output"), "was killed for want of memory");
    harbour.eventually("all is as before", |harbour| harbour.is_so(BEFORE));
    assert_eq!(harbour.restarts(), 1);
}

/// A pod that was raised while its container was down is held to its old limit as a whole (kubernetes#138760). A plan's resize
/// ends that.
fn held_down(harbour: &Harbour) {
    // For more than a minute after a container has started anew the kubelet lowers nothing.
    harbour.admin.delete("/api/v1/namespaces/harbour/pods").ok();
    harbour.eventually("all pods are new", |harbour| harbour.is_so(BEFORE) && harbour.restarts() == 0);
    let name = harbour.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
    let pod = || harbour.admin.get(&format!("/api/v1/namespaces/harbour/pods/{name}")).ok();
    let status = |what: &str| pod()["status"]["containerStatuses"][0][what].clone();
    let resize = |(request, limit): (u64, u64)| {
        let sizes = json!({"requests": {"memory": format!("{request}Mi")}, "limits": {"memory": format!("{limit}Mi")}});
        let change = json!({"spec": {"containers": [{"name": "eater", "resources": sizes}]}});
        let path = format!("/api/v1/namespaces/harbour/pods/{name}/resize");
        harbour.admin.patch(&path, Patch::Strategic, &change).ok();
    };
    let holds = |limit: u64| {
        let pod = pod();
        harbour.of_kernel(&pod, "memory.max") == Some(limit * MIB)
            && harbour.of_kernel(&pod, "memory.current") >= Some(HELD_MIB * MIB)
    };
    resize((56, 64));
    harbour.eventually("the pod has less", |_| holds(64));
    // After its first end it is started anew at once, later it is down for a while.
    let restarts = status("restartCount").as_u64();
    harbour.eventually("it is down", |harbour| {
        let is_down = status("restartCount").as_u64() > restarts && status("state")["terminated"].is_object();
        if !is_down {
            harbour.run(&pod(), "/bin/eater 60 0 1000");
        }
        is_down
    });
    resize(BEFORE);
    harbour.eventually("it is held down", |_| holds(BEFORE.1));
    assert_eq!(pod()["status"]["resources"]["limits"]["memory"], "64Mi");

    let plan = harbour.plan((96, 160), 61, &["--watch", "2s"]);
    passed(&harbour.apply(&plan).wait_with_output().expect("an output"));
    harbour.eventually("all have the plan's sizes", |harbour| harbour.is_so((96, 160)));
}

/// One machine: one after the other.
#[test]
fn sizes_are_changed_and_taken_back_where_containers_run() {
    if let Some(obstacle) = Machine::obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let harbour = Harbour::open();
    there_and_back(&harbour);
    below_use(&harbour);
    killed_while_watched(&harbour);
    held_down(&harbour);
}
