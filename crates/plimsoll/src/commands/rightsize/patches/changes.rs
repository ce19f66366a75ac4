//! Which containers change, by workload, and which have to be changed by hand.

use super::super::report::{ContainerReport, RightsizeReport};
use std::collections::{BTreeMap, HashMap};

/// Less than this is not worth it: a changed template restarts every pod of its workload.
pub(super) const RESTART_WORTH: f64 = 0.05;
/// Kubernetes has names of up to 253 characters; with what we put around it, one has to fit into a file's name of 255.
const NAME_MAX: usize = 200;

/// What is done about each container of a report: each is in one of these.
pub(super) struct Changes<'a> {
    /// By namespace, kind and name.
    pub workloads: Vec<Workload<'a>>,
    /// And why.
    pub by_hand: Vec<(&'a ContainerReport, String)>,
    /// Near enough to what is recommended.
    pub left: Vec<&'a ContainerReport>,
}

/// A workload whose template is patched.
pub(super) struct Workload<'a> {
    pub namespace: &'a str,
    pub kind: Kind,
    pub name: &'a str,
    /// Those that change.
    pub containers: Vec<&'a ContainerReport>,
    /// Whether it has no container but that.
    pub is_single: bool,
}

/// Kinds whose template is patched, and whose pods then follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    CronJob,
    DaemonSet,
    Deployment,
    StatefulSet,
}

impl<'a> Changes<'a> {
    pub fn of(report: &'a RightsizeReport) -> Changes<'a> {
        let mut changes = Changes { workloads: Vec::new(), by_hand: Vec::new(), left: Vec::new() };
        let mut by_workload: BTreeMap<_, Vec<&ContainerReport>> = BTreeMap::new();
        for one in &report.containers {
            if !is_worth_it(one) {
                changes.left.push(one);
                continue;
            }
            match kind(one) {
                Ok(kind) => {
                    by_workload.entry((&*one.namespace, kind, &*one.workload)).or_default().push(one);
                }
                Err(why) => changes.by_hand.push((one, why)),
            }
        }
        let known = known_containers(report);
        let workload = |((namespace, kind, name), containers)| Workload {
            namespace,
            kind,
            name,
            containers,
            is_single: known.get(&(namespace, kind.name(), name)) == Some(&1),
        };
        changes.workloads = by_workload.into_iter().map(workload).collect();
        changes
    }

    pub fn by_namespace(&self) -> BTreeMap<&'a str, Vec<&Workload<'a>>> {
        let mut namespaces: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for workload in &self.workloads {
            namespaces.entry(workload.namespace).or_default().push(workload);
        }
        namespaces
    }

    /// The containers that the patches change.
    pub fn patched(&self) -> impl Iterator<Item = &'a ContainerReport> {
        self.workloads.iter().flat_map(|workload| workload.containers.iter().copied())
    }
}

impl Workload<'_> {
    /// `deployment-web`; no kind has a `-`, so no two are the same.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.kind.lowercase(), self.name)
    }
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::CronJob, Kind::DaemonSet, Kind::Deployment, Kind::StatefulSet];

    pub fn name(self) -> &'static str {
        match self {
            Kind::CronJob => "CronJob",
            Kind::DaemonSet => "DaemonSet",
            Kind::Deployment => "Deployment",
            Kind::StatefulSet => "StatefulSet",
        }
    }

    /// As on kubectl's command line.
    pub fn lowercase(self) -> String {
        self.name().to_ascii_lowercase()
    }

    pub fn group(self) -> &'static str {
        if self == Kind::CronJob { "batch" } else { "apps" }
    }

    pub fn api_version(self) -> String {
        format!("{}/v1", self.group())
    }
}

/// What is missing is always put in, and a limit is always raised; all else has to be worth a restart.
fn is_worth_it(one: &ContainerReport) -> bool {
    let is_near = |now: u64, then: u64| now.abs_diff(then) as f64 <= then as f64 * RESTART_WORTH;
    match (one.request_bytes, one.limit_bytes) {
        (Some(request), Some(limit)) => {
            limit < one.recommended_limit_bytes
                || !is_near(limit, one.recommended_limit_bytes)
                || !is_near(request, one.recommended_request_bytes)
        }
        _ => true,
    }
}

/// The kind, where its template can be patched, or why it cannot.
fn kind(one: &ContainerReport) -> Result<Kind, String> {
    if one.kind == "Series" || one.namespace.is_empty() {
        return Err("nobody says to which namespace and workload it belongs".into());
    }
    if let Some(name) =
        [&one.namespace, &one.workload, &one.container].into_iter().find(|name| !is_name(name))
    {
        return Err(format!("'{name}' is no name of Kubernetes, or a longer one than fits a file's"));
    }
    if let Some((_, how)) = INJECTED.iter().find(|(container, _)| *container == one.container) {
        return Err(format!("it is put in when a pod starts, and is not in the template: {how}"));
    }
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == one.kind) {
        return Ok(kind);
    }
    Err(match one.kind.as_str() {
        "Pod" => "it has no owner: change the pod where it is written".into(),
        "StaticPod" | "Node" => "the kubelet starts it from a file: change that on the nodes".into(),
        "Job" => "a job's template cannot be changed any more: change what creates the job".into(),
        "ReplicaSet" | "ReplicationController" => {
            "its pods do not follow its template until they are deleted: change it, then delete them".into()
        }
        other => format!("only the operator knows where a {other} has its pods' template"),
    })
}

/// Containers that meshes and agents put into pods, and the annotations of the pod template that size them.
/// Sources: Istio, "Resource Annotations"; Linkerd, "Proxy Configuration"; Vault, "Agent Injector annotations".
const INJECTED: [(&str, &str); 3] = [
    ("istio-proxy", "annotate it with sidecar.istio.io/proxyMemory and sidecar.istio.io/proxyMemoryLimit"),
    (
        "linkerd-proxy",
        "annotate it with config.linkerd.io/proxy-memory-request and config.linkerd.io/proxy-memory-limit",
    ),
    (
        "vault-agent",
        "annotate it with vault.hashicorp.com/agent-requests-mem and vault.hashicorp.com/agent-limits-mem",
    ),
];

/// RFC 1123, as Kubernetes has it: such a name is safe in a path, a comment and a command.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() <= NAME_MAX
        && bytes.iter().all(|byte| is_letter(byte) || b"-.".contains(byte))
        && bytes.first().is_some_and(is_letter)
        && bytes.last().is_some_and(is_letter)
}

/// How many containers each workload has, those that are skipped too.
fn known_containers(report: &RightsizeReport) -> HashMap<(&str, &str, &str), usize> {
    let judged = report.containers.iter().map(|one| (&*one.namespace, &*one.kind, &*one.workload));
    let skipped = report.skipped.iter().map(|one| (&*one.namespace, &*one.kind, &*one.workload));
    let mut known = HashMap::new();
    judged.chain(skipped).for_each(|id| *known.entry(id).or_default() += 1);
    known
}

#[cfg(test)]
mod tests {
    use super::super::tests::container;
    use super::*;

    #[test]
    fn worth_a_restart() {
        let check = |now: (Option<u64>, Option<u64>), then: (u64, u64), expect| {
            let one = container("shop/Deployment/web/web", now, then);
            assert_eq!(is_worth_it(&one), expect, "{now:?} {then:?}");
        };
        check((Some(1000), Some(2000)), (1000, 2000), false);
        check((Some(1050), Some(2100)), (1000, 2000), false);
        check((Some(1051), Some(2000)), (1000, 2000), true);
        check((Some(950), Some(2000)), (1000, 2000), false);
        check((Some(949), Some(2000)), (1000, 2000), true);
        check((Some(1000), Some(2101)), (1000, 2000), true);
        check((Some(1000), Some(1999)), (1000, 2000), true);
        check((None, Some(2000)), (1000, 2000), true);
        check((Some(1000), None), (1000, 2000), true);
    }

    #[test]
    fn by_hand() {
        let check = |id: &str, expect: &str| {
            let said = kind(&container(id, (None, None), (1, 1)));
            assert_eq!(said.map_or_else(|why| why, |kind| kind.api_version()), expect, "{id}");
        };
        check("shop/Deployment/web/web", "apps/v1");
        check("shop/StatefulSet/web.v1/0", "apps/v1");
        check("shop/DaemonSet/web/web", "apps/v1");
        check("shop/CronJob/web/web", "batch/v1");
        check("shop/Pod/web/web", "it has no owner: change the pod where it is written");
        check("shop/StaticPod/etcd/etcd", "the kubelet starts it from a file: change that on the nodes");
        check("shop/Job/web/web", "a job's template cannot be changed any more: change what creates the job");
        check("shop/Rollout/web/web", "only the operator knows where a Rollout has its pods' template");
        check("/Series/web/web", "nobody says to which namespace and workload it belongs");
        check("/Deployment/web/web", "nobody says to which namespace and workload it belongs");
        for name in ["Web", "we\nb", "-web", "web.", "ü", &"a".repeat(NAME_MAX + 1)] {
            check(
                &format!("shop/Deployment/{name}/web"),
                &format!("'{name}' is no name of Kubernetes, or a longer one than fits a file's"),
            );
        }
        check(
            "shop/Deployment/web/istio-proxy",
            "it is put in when a pod starts, and is not in the template: annotate it with \
             sidecar.istio.io/proxyMemory and sidecar.istio.io/proxyMemoryLimit",
        );
    }
}
