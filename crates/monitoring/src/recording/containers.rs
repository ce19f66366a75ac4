//! Each container's memory, limit, request and owner under one name, whoever tells it: the agent first, else cAdvisor and
//! kube-state-metrics.
//!
//! Non-reclaimable memory decides. cAdvisor does not tell it: usage without all page cache is nearest
//! (`working_set - total_active_file`), and where the latter is not scraped, `rss`, which lacks shared memory. Limits are the
//! agent's, who reads the cgroup: kube-state-metrics tells what is wanted of a pod that is resized in place, not what holds
//! (kube-state-metrics#2980).

use super::group as named;
use super::promql::{Keys, braces};
use crate::names;
use crate::rule::{Group, Rule};
use crate::settings::Settings;

/// Of cAdvisor, what is a container.
const CONTAINERS: &str = r#"container!="",container!="POD""#;

pub(super) fn group(settings: &Settings) -> Group {
    let keys = Keys::of(settings);
    let s = &settings.selectors;
    let cadvisor =
        |metric: &str| format!("max by ({}) ({})", keys.pod, braces(metric, &[&s.cadvisor, CONTAINERS]));
    let memory = r#"resource="memory""#;
    let state = |metric: &str| {
        format!("max by ({}) ({})", keys.pod, braces(metric, &[&s.kube_state_metrics, memory]))
    };
    let agent = |metric: &str| keys.unique(metric, &s.agent);
    let nonreclaimable = format!(
        "{}\nor\n({} - {})\nor\n{}",
        agent("plimsoll_container_memory_nonreclaimable_bytes"),
        cadvisor("container_memory_working_set_bytes"),
        cadvisor("container_memory_total_active_file_bytes"),
        cadvisor("container_memory_rss"),
    );
    let working_set = format!(
        "{}\nor\n{}",
        agent("plimsoll_container_memory_working_set_bytes"),
        cadvisor("container_memory_working_set_bytes"),
    );
    let limit = format!(
        "{}\nor\n{}",
        agent("plimsoll_container_memory_limit_bytes"),
        state("kube_pod_container_resource_limits")
    );
    let request = format!(
        "{}\nor\n{}",
        agent("plimsoll_container_memory_request_bytes"),
        state("kube_pod_container_resource_requests"),
    );
    let heap = format!(
        "({}) / on ({}) ({})",
        agent("plimsoll_container_nodejs_heap_used_bytes"),
        keys.all,
        agent("plimsoll_container_nodejs_heap_limit_bytes"),
    );
    let of_limit = |used: &str| format!("{used} / on ({}) ({} > 0)", keys.all, names::LIMIT);
    named(
        settings,
        "containers",
        vec![
            Rule::record(names::NONRECLAIMABLE, nonreclaimable),
            Rule::record(names::WORKING_SET, working_set),
            Rule::record(names::LIMIT, limit),
            Rule::record(names::REQUEST, request),
            Rule::record(names::USED, of_limit(names::NONRECLAIMABLE)),
            Rule::record(names::WORKING_SET_USED, of_limit(names::WORKING_SET)),
            Rule::record(names::HEAP_USED, heap),
            Rule::record(names::OWNER, owner(settings, &keys)),
        ],
    )
}

/// Whose containers are: the agent's word, else the pod's owner, a ReplicaSet's being its Deployment.
fn owner(settings: &Settings, keys: &Keys) -> String {
    let s = &settings.selectors;
    let cluster = &settings.cluster_label;
    let about = "workload_kind, workload, ci_project, ci_job, ci_stage";
    let info = "plimsoll_container_info";
    let pods = braces(info, &[&s.agent, r#"pod!="""#]);
    let hosts = braces(info, &[&s.agent, r#"pod="""#]);
    let replica_sets = braces("kube_replicaset_owner", &[&s.kube_state_metrics]);
    let direct = braces(
        "kube_pod_owner",
        &[&s.kube_state_metrics, r#"owner_is_controller="true",owner_kind!="ReplicaSet""#],
    );
    let through = braces("kube_pod_owner", &[&s.kube_state_metrics, r#"owner_kind="ReplicaSet""#]);
    let renamed = |of: &str| {
        format!(
            "label_replace(label_replace({of}, \"workload\", \"$1\", \"owner_name\", \"(.+)\"), \"workload_kind\", \"$1\", \"owner_kind\", \"(.+)\")"
        )
    };
    let deployments =
        format!("max by ({cluster}, namespace, replicaset, owner_kind, owner_name) ({replica_sets})");
    let by_deployment = format!(
        "max by ({cluster}, namespace, pod, replicaset) (label_replace({through}, \"replicaset\", \"$1\", \"owner_name\", \"(.+)\"))\n  * on ({cluster}, namespace, replicaset) group_left (owner_kind, owner_name) {deployments}"
    );
    let by_pod = format!(
        "max by ({cluster}, namespace, pod, workload_kind, workload) ({})\n  or max by ({cluster}, namespace, pod, workload_kind, workload) ({})",
        renamed(&direct),
        renamed(&by_deployment),
    );
    format!(
        "topk by ({pod}) (1, max by ({pod}, {about}) ({pods}))\nor\ntopk by ({host}) (1, max by ({host}, {about}) ({hosts}))\nor on ({pod})\n(\n  ({nonreclaimable} * 0 + 1)\n  * on ({cluster}, namespace, pod) group_left (workload_kind, workload)\n  topk by ({cluster}, namespace, pod) (1, {by_pod})\n)",
        pod = keys.pod,
        host = keys.host,
        nonreclaimable = braces(names::NONRECLAIMABLE, &[r#"pod!="""#]),
    )
}
