//! Bounds: of nodes, of namespaces and of single containers.

use super::quantity;
use crate::watch::Stores;
use k8s_openapi::api::core::v1::LimitRangeItem;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use kube::ResourceExt;
use plimsoll_core::inventory::{LimitRange, Node, Quota};
use std::collections::BTreeMap;

pub(super) fn nodes(stores: &Stores) -> BTreeMap<String, Node> {
    let nodes = stores.nodes.state();
    let of = |node: &std::sync::Arc<k8s_openapi::api::core::v1::Node>| {
        let status = node.status.as_ref()?;
        let is_true = |kind: &str| {
            let mut conditions = status.conditions.iter().flatten();
            conditions.any(|condition| condition.type_ == kind && condition.status == "True")
        };
        let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false);
        Some(Node {
            allocatable_bytes: bytes(status.allocatable.as_ref(), "memory")?,
            is_ready: is_true("Ready") && !cordoned,
            is_pressed: is_true("MemoryPressure"),
        })
    };
    nodes.iter().filter_map(|node| Some((node.name_any(), of(node)?))).collect()
}

pub(super) fn quotas(stores: &Stores) -> Vec<Quota> {
    let all = stores.quotas.state();
    let mut quotas: Vec<Quota> = all
        .iter()
        .filter_map(|quota| {
            let status = quota.status.as_ref()?;
            let pair = |names: &[&str]| {
                let of = |name: &&str| {
                    let hard = bytes(status.hard.as_ref(), name)?;
                    Some((hard, bytes(status.used.as_ref(), name).unwrap_or(0)))
                };
                names.iter().find_map(of)
            };
            Some(Quota {
                namespace: quota.namespace()?,
                name: quota.name_any(),
                requests: pair(&["requests.memory", "memory"]),
                limits: pair(&["limits.memory"]),
            })
        })
        .filter(|quota| quota.requests.is_some() || quota.limits.is_some())
        .collect();
    quotas.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
    quotas
}

pub(super) fn limit_ranges(stores: &Stores) -> Vec<LimitRange> {
    let all = stores.limit_ranges.state();
    let of = |range: &std::sync::Arc<k8s_openapi::api::core::v1::LimitRange>| {
        let items: &[LimitRangeItem] = &range.spec.as_ref()?.limits;
        let item = items.iter().find(|item| item.type_ == "Container")?;
        let ratio = item.max_limit_request_ratio.as_ref().and_then(|all| all.get("memory"));
        Some(LimitRange {
            namespace: range.namespace()?,
            name: range.name_any(),
            min_bytes: bytes(item.min.as_ref(), "memory"),
            max_bytes: bytes(item.max.as_ref(), "memory"),
            max_ratio: ratio.and_then(|ratio| ratio.0.parse().ok()),
        })
    };
    let mut ranges: Vec<LimitRange> = all.iter().filter_map(of).collect();
    ranges.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
    ranges
}

pub(crate) fn bytes(all: Option<&BTreeMap<String, Written>>, name: &str) -> Option<u64> {
    quantity(all?.get(name)?).map(|quantity| quantity.bytes())
}
