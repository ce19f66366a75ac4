//! A kubelet, as far as memory goes, for a node whose pods nobody runs (`kwok` plays what the API server sees of it): each of its pods has
//! a cgroup where a kubelet would make it, with a process in it, and gets the limit that the API says. What it uses is read from there.

use super::eater::Eater;
use super::home::Home;
use crate::Failure;
use plimsoll_core::size::parse_size;
use plimsoll_probe::cgroup::Group;
use plimsoll_real::cluster::metrics::Use;
use plimsoll_real::cluster::{Client, Patch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Says how many MiB the container of a pod takes.
pub const USES: &str = "plimsoll.dev/uses-mib";
/// Between two looks at the pods.
const LOOK_EACH: Duration = Duration::from_millis(300);

/// By the pod's uid.
type Containers = Arc<Mutex<BTreeMap<String, Container>>>;

/// Its containers end when this is dropped.
pub struct Kubelet {
    containers: Containers,
    has_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Container {
    namespace: String,
    pod: String,
    name: String,
    limit_bytes: u64,
    uses_bytes: u64,
    /// How often it was killed.
    restarts: u32,
    eater: Eater,
}

impl Kubelet {
    /// Minds the pods of a node from now on.
    pub fn start(admin: Client, node: &str) -> Result<Kubelet, Failure> {
        let home = Home::make("kubelet", None)?;
        let (containers, has_ended) = (Containers::default(), Arc::new(AtomicBool::new(false)));
        let (minded, told) = (containers.clone(), has_ended.clone());
        let path = format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}");
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                // What did not go well is seen again at the next look.
                if let Err(error) = look(&admin, &path, &home, &minded) {
                    eprintln!("kubelet: {error}");
                }
                std::thread::sleep(LOOK_EACH);
            }
            lock(&minded).clear();
        });
        Ok(Kubelet { containers, has_ended, thread: Some(thread) })
    }

    /// How many containers it runs.
    pub fn running(&self) -> usize {
        lock(&self.containers).len()
    }

    /// Has the container of a pod, whose name begins so, take memory until so much of its limit cannot be reclaimed.
    pub fn fill(&self, pod: &str, share: f64) -> Result<(), Failure> {
        self.with(pod, |container| container.eater.fill(share))
    }

    /// Has it take more than there is: the kernel kills it, and it is started again.
    pub fn overfill(&self, pod: &str) -> Result<(), Failure> {
        self.with(pod, |container| container.eater.overfill())
    }

    /// What it may have, in bytes.
    pub fn limit_bytes(&self, pod: &str) -> Result<u64, Failure> {
        self.with(pod, |container| Ok(container.limit_bytes))
    }

    fn with<T>(
        &self,
        pod: &str,
        act: impl FnOnce(&mut Container) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut containers = lock(&self.containers);
        let container = containers.values_mut().find(|it| it.pod.starts_with(pod));
        act(container.ok_or_else(|| format!("there is no pod {pod}..."))?)
    }

    /// What kubelets tell metrics-server: the working set of each container.
    pub fn uses(&self) -> impl Fn() -> Vec<Use> + Send + Sync + use<> {
        let containers = self.containers.clone();
        move || lock(&containers).values().filter_map(Container::used).collect()
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Container {
    fn start(home: &Home, pod: &Value) -> Result<Container, Failure> {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let limit_bytes = parse_size(text("/spec/containers/0/resources/limits/memory"))?;
        let uses_mib: u64 = pod["metadata"]["annotations"][USES].as_str().unwrap_or("8").parse()?;
        let uses_bytes = uses_mib << 20;
        Ok(Container {
            namespace: text("/metadata/namespace").to_string(),
            pod: text("/metadata/name").to_string(),
            name: text("/spec/containers/0/name").to_string(),
            limit_bytes,
            uses_bytes,
            restarts: 0,
            eater: eater(home, text("/metadata/uid"), 0, limit_bytes, uses_bytes)?,
        })
    }

    /// Starts it anew where the kernel has killed it.
    fn mind(&mut self, home: &Home, uid: &str) -> Result<(), Failure> {
        if !self.eater.runs() {
            self.eater = eater(home, uid, self.restarts + 1, self.limit_bytes, self.uses_bytes)?;
            self.restarts += 1;
        }
        Ok(())
    }

    /// Gets the size that its status says it has.
    fn resize(&mut self, status: &Value) -> Result<(), Failure> {
        let Some(limit) = status["resources"]["limits"]["memory"].as_str() else { return Ok(()) };
        let limit_bytes = parse_size(limit)?;
        if limit_bytes != self.limit_bytes {
            self.eater.home().limit(limit_bytes)?;
            self.limit_bytes = limit_bytes;
        }
        Ok(())
    }

    fn used(&self) -> Option<Use> {
        Some(Use {
            namespace: self.namespace.clone(),
            pod: self.pod.clone(),
            container: self.name.clone(),
            at_s: jiff::Timestamp::now().as_second(),
            memory_bytes: working_set(self.eater.home().memory())?,
            cpu_millicores: 10,
        })
    }
}

fn working_set(group: &Group) -> Option<u64> {
    group.stat().ok()?.working_set_bytes(group.usage_bytes().ok()?)
}

/// The one container of a pod, started so often before.
fn eater(home: &Home, uid: &str, restarts: u32, limit_bytes: u64, uses_bytes: u64) -> Result<Eater, Failure> {
    let path = format!("kubepods/burstable/pod{uid}/{}", id(uid, restarts));
    let mut eater = Eater::move_in(home.below(&path, limit_bytes)?, limit_bytes)?;
    eater.take(uses_bytes)?;
    Ok(eater)
}

/// The id that a runtime would have given it: 64 digits.
fn id(uid: &str, restarts: u32) -> String {
    format!("{}{restarts:032x}", uid.replace('-', ""))
}

/// Starts what is new, ends what has gone, and gives the rest its limit.
fn look(admin: &Client, path: &str, home: &Home, containers: &Containers) -> Result<(), Failure> {
    let answer = admin.get(path);
    let Some(pods) = answer.body["items"].as_array() else { return Ok(()) };
    let runs =
        |pod: &&Value| pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null();
    let pods: BTreeMap<&str, &Value> =
        pods.iter().filter(runs).filter_map(|pod| Some((pod["metadata"]["uid"].as_str()?, pod))).collect();
    let mut containers = lock(containers);
    containers.retain(|uid, _| pods.contains_key(uid.as_str()));
    for (uid, pod) in pods {
        if !containers.contains_key(uid) {
            containers.insert(uid.to_string(), Container::start(home, pod)?);
        }
        let statuses = &pod["status"]["containerStatuses"];
        if let Some(container) = containers.get_mut(uid) {
            container.resize(&statuses[0])?;
            container.mind(home, uid)?;
            tell(admin, pod, statuses.clone(), container.restarts);
        }
    }
    Ok(())
}

/// Has the API server know which container it is, and what became of the one before.
fn tell(admin: &Client, pod: &Value, mut statuses: Value, restarts: u32) {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let id = |restarts| json!(format!("containerd://{}", id(uid, restarts)));
    let status = &mut statuses[0];
    if status["containerID"] == id(restarts) {
        return;
    }
    status["containerID"] = id(restarts);
    if let Some(before) = restarts.checked_sub(1) {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        status["restartCount"] = json!(restarts);
        status["lastState"] = json!({"terminated": {
            "containerID": id(before), "reason": "OOMKilled", "exitCode": 137, "finishedAt": now, "startedAt": now,
        }});
    }
    let of = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
    let path = format!("/api/v1/namespaces/{}/pods/{}/status", of("namespace"), of("name"));
    // Where it has changed meanwhile, this is refused and done at the next look.
    let version = &pod["metadata"]["resourceVersion"];
    let change = json!({"metadata": {"resourceVersion": version}, "status": {"containerStatuses": statuses}});
    admin.patch(&path, Patch::Merge, &change);
}

fn lock(containers: &Containers) -> std::sync::MutexGuard<'_, BTreeMap<String, Container>> {
    containers.lock().unwrap_or_else(PoisonError::into_inner)
}
