//! The metrics that say what containers there are: cAdvisor's, which come from the kubelet, and kube-state-metrics'.

/// What the kubelet evicts by: all but inactive page cache.
pub const WORKING_SET: &str = "container_memory_working_set_bytes";
/// Anonymous memory: what the kernel cannot take back, but for shared and its own.
pub const RSS: &str = "container_memory_rss";
/// The limit that the cgroup really has; 0 where it has none.
pub const CGROUP_LIMIT: &str = "container_spec_memory_limit_bytes";

/// What the pod's specification says.
pub const SPEC_REQUESTS: &str = "kube_pod_container_resource_requests";
/// Likewise.
pub const SPEC_LIMITS: &str = "kube_pod_container_resource_limits";
/// What the pod's status says: after an in-place resize the specification is a wish. Proposed in kube-state-metrics #3016.
pub const STATUS_REQUESTS: &str = "kube_pod_container_status_resource_requests";
/// Likewise.
pub const STATUS_LIMITS: &str = "kube_pod_container_status_resource_limits";

/// Who owns a pod, a replica set, a job.
pub const POD_OWNER: &str = "kube_pod_owner";
/// Likewise.
pub const REPLICASET_OWNER: &str = "kube_replicaset_owner";
/// Likewise.
pub const JOB_OWNER: &str = "kube_job_owner";
/// Init containers, native sidecars among them.
pub const INIT_CONTAINERS: &str = "kube_pod_init_container_info";
/// Labels of pods, of those that kube-state-metrics was told to show.
pub const POD_LABELS: &str = "kube_pod_labels";

/// Why a container ended the last time.
pub const LAST_ENDED: &str = "kube_pod_container_status_last_terminated_reason";
/// How often a container was started again.
pub const RESTARTS: &str = "kube_pod_container_status_restarts_total";

/// What a horizontal autoscaler looks at, and what it scales.
pub const HPA_METRIC: &str = "kube_horizontalpodautoscaler_spec_target_metric";
/// Likewise.
pub const HPA_TARGET: &str = "kube_horizontalpodautoscaler_info";
