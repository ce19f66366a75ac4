//! The status of a policy.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::Resource;
use plimsoll_cluster::kinds::{LeftAloneStatus, MemoryPolicyStatus};
use plimsoll_cluster::read::policies::Read;
use plimsoll_core::controller::status::Status;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::size::whole_mib;

/// How it stands with a policy; `before` is what was said last, whose times stay where nothing has changed.
pub(super) fn policy_status(
    read: &Read,
    stand: Option<&Status>,
    knows_use: bool,
    before: Option<&MemoryPolicyStatus>,
    now_ms: i64,
) -> MemoryPolicyStatus {
    let stand = stand.cloned().unwrap_or_default();
    let generation = read.object.meta().generation;
    let before = before.or(read.object.status.as_ref());
    MemoryPolicyStatus {
        observed_generation: generation,
        conditions: vec![ready(read, knows_use, generation, before, now_ms)],
        workloads: stand.workloads,
        contested: stand.contested,
        sized: stand.sized,
        changing: stand.changing,
        learning: stand.learning,
        requested_by_templates: in_mib(stand.template_bytes),
        requested: in_mib(stand.requested_bytes),
        left_alone_count: stand.left_alone_count,
        left_alone: stand
            .left_alone
            .into_iter()
            .map(|(workload, reason)| LeftAloneStatus { workload, reason })
            .collect(),
    }
}

fn ready(
    read: &Read,
    knows_use: bool,
    generation: Option<i64>,
    before: Option<&MemoryPolicyStatus>,
    now_ms: i64,
) -> Condition {
    let (status, reason, message) = match (&read.policy, knows_use) {
        (Err(error), _) => ("False", "Unreadable", error.clone()),
        (Ok(_), false) => (
            "False",
            "UseUnknown",
            "metrics.k8s.io does not say what is used; see to metrics-server".to_string(),
        ),
        (Ok(_), true) => ("True", "Followed", String::new()),
    };
    let known =
        before.and_then(|before| before.conditions.iter().find(|condition| condition.type_ == "Ready"));
    let since = known.filter(|known| known.status == status).map(|known| known.last_transition_time.clone());
    let now = Timestamp::from_millisecond(now_ms / 1000 * 1000).unwrap_or_default();
    Condition {
        type_: "Ready".into(),
        status: status.into(),
        reason: reason.into(),
        message,
        observed_generation: generation,
        last_transition_time: since.unwrap_or(Time(now)),
    }
}

/// In whole MiB, rounded up, as people compare it.
fn in_mib(bytes: u64) -> String {
    Quantity::of_bytes(whole_mib(bytes)).to_string()
}
