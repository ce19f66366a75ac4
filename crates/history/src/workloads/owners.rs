//! Owners: from a pod to what was deployed.

use crate::Labels;
use plimsoll_core::rightsize::answer::Id;
use std::collections::HashMap;

/// What owns a pod in the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, `CronJob`, ...
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The owners of a namespace's pods.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    pods: HashMap<String, Workload>,
    replica_sets: HashMap<String, Workload>,
    jobs: HashMap<String, Workload>,
}

/// What kube-state-metrics writes where there is nobody.
const NOBODY: &str = "<none>";

impl Owners {
    /// From the labels of the three metrics.
    pub fn new(pods: &[Labels], replica_sets: &[Labels], jobs: &[Labels]) -> Owners {
        let by = |label: &str, all: &[Labels]| {
            let owned = all.iter().filter(|labels| !["", NOBODY].contains(&labels.get("owner_name")));
            owned
                .map(|labels| {
                    let owner = |label: &str| labels.get(label).to_string();
                    (owner(label), Workload { kind: owner("owner_kind"), name: owner("owner_name") })
                })
                .collect()
        };
        Owners {
            pods: by("pod", pods),
            replica_sets: by("replicaset", replica_sets),
            jobs: by("job_name", jobs),
        }
    }

    /// Whether any are known.
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// The container of a workload that a series of a namespace is about.
    pub fn container(&self, namespace: &str, labels: &Labels) -> Id {
        let workload = self.of(labels.get("pod"));
        Id {
            namespace: namespace.to_string(),
            kind: workload.kind,
            workload: workload.name,
            container: labels.get("container").to_string(),
        }
    }

    /// The owner in the end.
    pub fn of(&self, pod: &str) -> Workload {
        let Some(owner) = self.pods.get(pod) else {
            return if self.is_empty() {
                guessed(pod)
            } else {
                Workload { kind: "Pod".into(), name: pod.into() }
            };
        };
        let above = match owner.kind.as_str() {
            "ReplicaSet" => self.replica_sets.get(&owner.name).cloned().or_else(|| deployment(&owner.name)),
            "Job" => self.jobs.get(&owner.name).cloned(),
            // The kubelet's own pods: the node's name is part of theirs.
            "Node" => {
                let name = pod.strip_suffix(&format!("-{}", owner.name)).unwrap_or(pod);
                Some(Workload { kind: "StaticPod".into(), name: name.into() })
            }
            _ => None,
        };
        above.unwrap_or_else(|| owner.clone())
    }
}

/// A replica set of a deployment is named after it and a hash of the template.
fn deployment(replica_set: &str) -> Option<Workload> {
    let (name, hash) = replica_set.rsplit_once('-')?;
    is_hash(hash).then(|| Workload { kind: "Deployment".into(), name: name.into() })
}

/// From the pod's name alone, where nobody says more.
fn guessed(pod: &str) -> Workload {
    let workload = |kind: &str, name: &str| Workload { kind: kind.into(), name: name.into() };
    match pod.rsplit_once('-') {
        Some((set, end)) if end.len() == 5 && is_random(end) => {
            deployment(set).unwrap_or_else(|| workload("DaemonSet", set))
        }
        Some((set, end)) if !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()) => {
            workload("StatefulSet", set)
        }
        _ => workload("Pod", pod),
    }
}

fn is_hash(text: &str) -> bool {
    (6..=10).contains(&text.len()) && is_random(text)
}

/// Kubernetes' random names have no vowels, and neither 0, 1 nor 3.
/// Source: `k8s.io/apimachinery/pkg/util/rand`.
fn is_random(text: &str) -> bool {
    text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn owners_in_the_end() {
        let owner = |label: &str, of: &str, kind: &str, name: &str| {
            labels(&[(label, of), ("owner_kind", kind), ("owner_name", name)])
        };
        let pods = [
            owner("pod", "web-7d4b9c-xk2zp", "ReplicaSet", "web-7d4b9c"),
            owner("pod", "api-6f5c8d7b9f-abcde", "ReplicaSet", "api-6f5c8d7b9f"),
            owner("pod", "own-rs-x", "ReplicaSet", "own"),
            owner("pod", "db-0", "StatefulSet", "db"),
            owner("pod", "nightly-28-q", "Job", "nightly-28"),
            owner("pod", "once-q", "Job", "once"),
            owner("pod", "etcd-node1", "Node", "node1"),
            owner("pod", "alone", "<none>", "<none>"),
        ];
        let replica_sets = [owner("replicaset", "web-7d4b9c", "Deployment", "web")];
        let jobs = [
            owner("job_name", "nightly-28", "CronJob", "nightly"),
            owner("job_name", "once", "<none>", "<none>"),
        ];
        let owners = Owners::new(&pods, &replica_sets, &jobs);
        let check = |pod: &str, kind: &str, name: &str| {
            assert_eq!(owners.of(pod), Workload { kind: kind.into(), name: name.into() }, "{pod}");
        };
        check("web-7d4b9c-xk2zp", "Deployment", "web");
        check("api-6f5c8d7b9f-abcde", "Deployment", "api");
        check("own-rs-x", "ReplicaSet", "own");
        check("db-0", "StatefulSet", "db");
        check("nightly-28-q", "CronJob", "nightly");
        check("once-q", "Job", "once");
        check("etcd-node1", "StaticPod", "etcd");
        check("alone", "Pod", "alone");
        check("never-heard-of", "Pod", "never-heard-of");
    }

    #[test]
    fn guesses_where_nobody_says() {
        let check = |pod: &str, kind: &str, name: &str| {
            assert_eq!(Owners::default().of(pod), Workload { kind: kind.into(), name: name.into() }, "{pod}");
        };
        check("web-6f5c8d7b9f-xk2zp", "Deployment", "web");
        check("node-exporter-xk2zp", "DaemonSet", "node-exporter");
        check("redis-0", "StatefulSet", "redis");
        check("alone", "Pod", "alone");
        check("", "Pod", "");
    }
}
