//! Names of the series that rules record, and the labels they are joined by: rules, alerts and dashboards speak of the same.
//!
//! `level:metric:operation`, as <https://prometheus.io/docs/practices/rules/> has it.

/// What cannot be reclaimed of a container's memory, in bytes.
pub const NONRECLAIMABLE: &str = "container:plimsoll_memory_nonreclaimable_bytes:max";
/// The working set, which counts page cache in use, in bytes: shown beside, never decided on.
pub const WORKING_SET: &str = "container:plimsoll_memory_working_set_bytes:max";
/// The limit that holds, in bytes.
pub const LIMIT: &str = "container:plimsoll_memory_limit_bytes:max";
/// What is requested, in bytes.
pub const REQUEST: &str = "container:plimsoll_memory_request_bytes:max";
/// Non-reclaimable memory of the limit, 0 to 1 and above.
pub const USED: &str = "container:plimsoll_memory_nonreclaimable:ratio";
/// The working set of the limit.
pub const WORKING_SET_USED: &str = "container:plimsoll_memory_working_set:ratio";
/// V8's heap in use of its limit.
pub const HEAP_USED: &str = "container:plimsoll_nodejs_heap:ratio";
/// Whose a container is: `workload_kind`, `workload`, `ci_project`, `ci_job`, `ci_stage`; 1.
pub const OWNER: &str = "container:plimsoll_owner:info";

/// The least that was in use within ten minutes, of the limit.
pub const FLOOR_10M: &str = "container:plimsoll_memory_nonreclaimable:ratio_min10m";
/// The least within an hour.
pub const FLOOR_1H: &str = "container:plimsoll_memory_nonreclaimable:ratio_min1h";
/// The most within an hour.
pub const CREST_1H: &str = "container:plimsoll_memory_nonreclaimable:ratio_max1h";
/// How much the least of an hour has grown within an hour, of the limit.
pub const GROWTH_1H: &str = "container:plimsoll_memory_growth:ratio1h";
/// How much the least of ten minutes has grown within twenty.
pub const GROWTH_20M: &str = "container:plimsoll_memory_growth:ratio20m";
/// How much more the least of an hour is than a day before.
pub const GROWTH_1D: &str = "container:plimsoll_memory_growth:ratio1d";
/// Until memory reaches the limit as it grows now, in seconds; `evidence` says what that goes by. Only where it grows.
pub const TIME_TO_LIMIT: &str = "container:plimsoll_memory_time_to_limit:seconds";

/// Non-reclaimable memory of a namespace's containers, in bytes.
pub const NAMESPACE_USED: &str = "namespace:plimsoll_memory_used_bytes:sum";
/// What they request.
pub const NAMESPACE_REQUESTED: &str = "namespace:plimsoll_memory_requested_bytes:sum";
/// Used of requested: the one definition of efficiency.
pub const NAMESPACE_EFFICIENCY: &str = "namespace:plimsoll_memory_efficiency:ratio";
/// The same of a cluster.
pub const CLUSTER_USED: &str = "cluster:plimsoll_memory_used_bytes:sum";
/// What is requested in a cluster.
pub const CLUSTER_REQUESTED: &str = "cluster:plimsoll_memory_requested_bytes:sum";
/// Used of requested in a cluster.
pub const CLUSTER_EFFICIENCY: &str = "cluster:plimsoll_memory_efficiency:ratio";

/// People who are there, by role.
pub const ROLE_PEOPLE: &str = "role:plimsoll_people:sum";
/// What people of a role take together, in bytes, by the formula.
pub const ROLE_MEMORY: &str = "role:plimsoll_people_memory_bytes:sum";
/// What one of a role takes, in bytes.
pub const ROLE_EACH: &str = "role:plimsoll_people_memory_bytes:avg";
/// What one participant takes on average, in bytes.
pub const PARTICIPANT_EACH: &str = "cluster:plimsoll_participant_memory_bytes:avg";
/// What all people and pods together should take now, in bytes.
pub const PREDICTED: &str = "cluster:plimsoll_memory_predicted_bytes:sum";
/// What they take, in bytes.
pub const OBSERVED: &str = "cluster:plimsoll_memory_observed_bytes:sum";
/// How far the two are apart, of what is taken: positive where more was predicted.
pub const PREDICTION_ERROR: &str = "cluster:plimsoll_memory_prediction_error:ratio";

/// What a node costs, in money per hour.
pub const NODE_COST: &str = "node:plimsoll_cost_per_hour:sum";
/// What a GiB of memory costs, in money per hour.
pub const GIB_COST: &str = "cluster:plimsoll_memory_gib_cost_per_hour:avg";
/// What a container's memory costs, in money per hour: what it requests or uses, whichever is more.
pub const CONTAINER_COST: &str = "container:plimsoll_memory_cost_per_hour:sum";
/// The same of a workload.
pub const WORKLOAD_COST: &str = "workload:plimsoll_memory_cost_per_hour:sum";
/// The same of people of a role.
pub const ROLE_COST: &str = "role:plimsoll_memory_cost_per_hour:sum";
/// What all memory of a cluster costs, in money per hour.
pub const CLUSTER_COST: &str = "cluster:plimsoll_memory_cost_per_hour:sum";
/// What was spent on memory within the last day.
pub const CLUSTER_DAY_COST: &str = "cluster:plimsoll_memory_cost_per_day:sum1d";
/// What is requested, not used and paid, in money per hour.
pub const CLUSTER_WASTE: &str = "cluster:plimsoll_memory_waste_per_hour:sum";
