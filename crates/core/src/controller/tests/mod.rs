//! The controller in a small cluster whose kubelets do at once what they are told.

mod kills;
mod life;
mod replay;

use super::event::Reason;
use super::policy::{Bound, Mode, Policy, govern};
use super::selector::{Labels, Selector};
use super::sizing::ContainerId;
use super::{BY, Controller, Look, Seen};
use crate::inventory::quantity::Quantity;
use crate::inventory::*;
use crate::plan::Budget;
use crate::rollout::Order;
use crate::size::MIB;
use crate::sizing::plimsoll::fleet::Risk;
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;
/// Decisions come each five minutes.
const EVERY_MS: i64 = 5 * MINUTE_MS;

fn mib(mib: u64) -> Option<Quantity> {
    Some(Quantity::of_bytes(mib * MIB))
}

fn sizes(request: u64, limit: u64) -> Sizes {
    Sizes { request: mib(request), limit: mib(limit) }
}

fn id(name: &str) -> WorkloadId {
    WorkloadId { namespace: "shop".into(), kind: Kind::Deployment, name: name.into() }
}

fn container_id(name: &str) -> ContainerId {
    ContainerId { workload: id(name), container: "app".into() }
}

/// A policy for all of the namespace.
fn policy(mode: Mode) -> Policy {
    Policy {
        namespace: "shop".into(),
        name: "all".into(),
        made_ms: 0,
        selector: Selector::default(),
        excluded_workloads: Vec::new(),
        excluded_containers: Vec::new(),
        mode,
        bounds: Vec::new(),
        risk: Risk::LeastForSlack,
        is_open: true,
        budget: Budget { watch_ms: 20_000, patience_ms: 60_000, ..Budget::default() },
        workloads_at_once: 10,
    }
}

/// A cluster, its policies, and the controller that looks at it.
struct World {
    seen: Inventory,
    labels: BTreeMap<WorkloadId, Labels>,
    policies: Vec<Policy>,
    controller: Controller,
    now_ms: i64,
    said: Vec<super::event::Event>,
    /// Kubelets lower no limit.
    is_refused: bool,
}

impl World {
    fn new(mode: Mode) -> World {
        World {
            seen: Inventory {
                abilities: Abilities { in_place: true, admission_policy: true },
                nodes: BTreeMap::from([(
                    "one".into(),
                    Node { allocatable_bytes: 64 << 30, is_ready: true, is_pressed: false },
                )]),
                ..Inventory::default()
            },
            labels: BTreeMap::new(),
            policies: vec![policy(mode)],
            controller: Controller::new(EVERY_MS, 3 * EVERY_MS),
            now_ms: 1_800_000_000_000,
            said: Vec::new(),
            is_refused: false,
        }
    }

    fn deploy(&mut self, name: &str, pods: u32, sizes: &Sizes) {
        self.deploy_all(name, pods, &[("app", sizes.clone())]);
    }

    fn deploy_all(&mut self, name: &str, pods: u32, containers: &[(&str, Sizes)]) {
        let container = |(name, sizes): &(&str, Sizes)| Container {
            name: (*name).into(),
            sizes: sizes.clone(),
            cpu: (Some("100m".into()), None),
            restarts_on_resize: false,
            fixed_bounds: Vec::new(),
        };
        let workload = Workload {
            id: id(name),
            uid: format!("uid-{name}"),
            generation: 1,
            template_hash: 7,
            replicas: pods,
            containers: containers.iter().map(container).collect(),
            hands: Vec::new(),
            max_unavailable: 1,
            is_settled: true,
        };
        self.seen.workloads.insert(id(name), workload);
        self.labels.insert(id(name), Labels::new());
        (0..pods).for_each(|number| self.start(name, &format!("{name}-{number}")));
    }

    /// A new pod, as the template or our object says.
    fn start(&mut self, name: &str, pod: &str) {
        let admitted = self.seen.sized_on_admission.get(&id(name)).cloned().unwrap_or_default();
        let running = |container: &Container| {
            let admitted = admitted.iter().find(|(name, _)| *name == container.name);
            let sizes = admitted.map_or(&container.sizes, |(_, sizes)| sizes);
            Running {
                name: container.name.clone(),
                desired: sizes.clone(),
                actual: Some(sizes.clone()),
                restarts: 0,
                is_running: true,
                oom_kills: Vec::new(),
                used_bytes: Some(0),
                pressure: None,
            }
        };
        let containers = self.seen.workloads[&id(name)].containers.iter().map(running).collect();
        let pod_of = Pod {
            workload: Some(id(name)),
            uid: format!("uid-{pod}-{}", self.now_ms),
            node: Some("one".into()),
            is_ready: true,
            is_leaving: false,
            containers,
            resize: None,
        };
        self.seen.pods.insert(("shop".into(), pod.into()), pod_of);
    }

    /// What wants more than its limit is killed, and starts anew.
    fn use_of(&mut self, name: &str, mib: u64) {
        for pod in self.seen.pods.values_mut().filter(|pod| pod.workload == Some(id(name))) {
            let running = &mut pod.containers[0];
            let limit = running.actual.as_ref().and_then(Sizes::limit_bytes).unwrap_or(u64::MAX);
            running.used_bytes = Some((mib * MIB).min(limit));
            if mib * MIB > limit {
                let restarts = running.restarts + 1;
                killed(pod, restarts);
            }
        }
    }

    /// Ten seconds later: use is read each minute, and the cluster is looked at.
    fn tick(&mut self) -> Look {
        self.now_ms += 10_000;
        self.seen.as_of_ms = self.now_ms;
        let governed = govern(&self.policies, &self.labels);
        let (inventory, labels, policies) = (&self.seen, &self.labels, &self.policies);
        let seen = Seen { inventory, labels, policies, governed: &governed };
        if self.now_ms % MINUTE_MS == 0 {
            self.controller.observe(seen, self.now_ms);
        }
        let look = self.controller.look(seen, self.now_ms);
        for order in &look.orders {
            self.carry_out(order);
        }
        self.said.extend(look.events.iter().cloned());
        look
    }

    fn minutes(&mut self, minutes: i64) {
        (0..minutes * 6).for_each(|_| drop(self.tick()));
    }

    fn carry_out(&mut self, order: &Order) {
        match order {
            Order::SizeNewPods { workload, containers } => {
                self.seen.sized_on_admission.insert(workload.clone(), containers.clone());
                let admitted = Admitted { by: BY.into(), is_in_force: true };
                self.seen.admitted.insert(workload.clone(), admitted);
            }
            Order::LeaveNewPods { workload } => {
                self.seen.sized_on_admission.remove(workload);
                self.seen.admitted.remove(workload);
            }
            Order::ResizePod { namespace, pod, containers, .. } => {
                let pod = self.seen.pods.get_mut(&(namespace.clone(), pod.clone())).expect("a pod");
                resize(pod, containers, self.is_refused);
            }
            Order::SetTemplate { .. } => panic!("a template is never touched: {order:?}"),
        }
    }

    /// One of the pods of a workload.
    fn pod(&mut self, name: &str) -> &mut Pod {
        let mut pods = self.seen.pods.values_mut().filter(|pod| pod.workload == Some(id(name)));
        pods.next().expect("a pod")
    }

    /// How often an event of this reason was said.
    fn times(&self, reason: Reason) -> usize {
        self.said.iter().filter(|event| event.reason == reason).count()
    }

    /// Limits of the pods of a workload, in MiB.
    fn limits(&self, name: &str) -> Vec<u64> {
        let pods = self.seen.pods.values().filter(|pod| pod.workload == Some(id(name)));
        let limit =
            |pod: &Pod| pod.containers[0].actual.as_ref().and_then(Sizes::limit_bytes).unwrap_or(0) / MIB;
        pods.map(limit).collect()
    }

    fn limit_on_admission(&self, name: &str) -> Option<u64> {
        let sizes = &self.seen.sized_on_admission.get(&id(name))?[0].1;
        sizes.limit_bytes().map(|bytes| bytes / MIB)
    }

    fn said(&self, words: &str) -> bool {
        self.said.iter().any(|event| format!("{} {}", event.reason.name(), event.words).contains(words))
    }

    fn status(&self) -> super::status::Status {
        let governed = govern(&self.policies, &self.labels);
        let (inventory, labels, policies) = (&self.seen, &self.labels, &self.policies);
        let seen = Seen { inventory, labels, policies, governed: &governed };
        self.controller.status(seen, self.now_ms).remove(0)
    }
}

/// A kubelet does at once what it is told, or nothing of it.
fn resize(pod: &mut Pod, containers: &[(String, Sizes)], is_refused: bool) {
    let limit = |sizes: &Sizes| sizes.limit_bytes().unwrap_or(u64::MAX);
    for running in &mut pod.containers {
        if let Some((_, sizes)) = containers.iter().find(|(name, _)| *name == running.name) {
            running.desired = sizes.clone();
            let used_bytes = running.used_bytes.unwrap_or(0);
            assert!(limit(sizes) >= used_bytes, "{} is below use: {used_bytes}", sizes);
        }
    }
    let gets_less =
        |it: &Running| it.actual.as_ref().is_some_and(|actual| limit(&it.desired) < limit(actual));
    if is_refused && pod.containers.iter().any(gets_less) {
        let message = "missing container memory usage".to_string();
        pod.resize = Some(Resize { state: ResizeState::Error, message });
        return;
    }
    pod.resize = None;
    pod.containers.iter_mut().for_each(|running| running.actual = Some(running.desired.clone()));
}

/// Its first container was killed for want of memory, for the so many-th time.
fn killed(pod: &mut Pod, times: u32) {
    pod.containers[0].oom_kills = vec![format!("{}/{times}", pod.uid)];
    pod.containers[0].restarts = times;
}

fn bound(min: Option<u64>, max: Option<u64>) -> Bound {
    Bound { container: None, min_bytes: min.map(|mib| mib * MIB), max_bytes: max.map(|mib| mib * MIB) }
}
