//! Nodes that do not resize what runs on them.
//!
//! What a kubelet is set to is in its `configz`, which only `nodes/proxy` lets read: whoever may that may run commands in any
//! pod. So it is not asked. That a node has swap its status says (since 1.34); whether pods may use it, and that its memory manager is
//! static, its labels can say. Where nobody says so the kubelet does, when it is told to resize a pod: then all is taken back.

use crate::watch::Stores;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plimsoll_core::inventory::{Hand, Inventory, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// On a node: `static` says that its memory manager is.
pub(crate) const MEMORY_MANAGER: &str = "plimsoll.dev/memory-manager";
/// On a node that has swap: `none` says that no pod may use it (the kubelet's `swapBehavior: NoSwap`).
pub(crate) const SWAP: &str = "plimsoll.dev/swap";

/// Adds the first node of each kind to the workloads that have a pod there.
pub(super) fn add(stores: &Stores, inventory: &mut Inventory) {
    let nodes = stores.nodes.state();
    let named = |is_so: fn(&Node) -> bool| -> BTreeSet<String> {
        nodes.iter().filter(|node| is_so(node)).map(|node| node.name_any()).collect()
    };
    let (pinning, swapping) = (named(pins), named(swaps));
    let mut runs_on: BTreeMap<WorkloadId, BTreeSet<&String>> = BTreeMap::new();
    for pod in inventory.pods.values() {
        if let (Some(workload), Some(node)) = (&pod.workload, &pod.node) {
            runs_on.entry(workload.clone()).or_default().insert(node);
        }
    }
    for (id, on) in runs_on {
        let Some(workload) = inventory.workloads.get_mut(&id) else { continue };
        let first =
            |of: &BTreeSet<String>| on.iter().find(|node| of.contains(**node)).map(|node| node.to_string());
        workload.hands.extend(first(&pinning).map(Hand::StaticManager));
        workload.hands.extend(first(&swapping).map(Hand::Swap));
    }
}

fn pins(node: &Node) -> bool {
    is_labelled(node, MEMORY_MANAGER, "static")
}

fn swaps(node: &Node) -> bool {
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    let capacity = info.and_then(|info| info.swap.as_ref()).and_then(|swap| swap.capacity);
    capacity.is_some_and(|bytes| bytes > 0) && !is_labelled(node, SWAP, "none")
}

fn is_labelled(node: &Node, label: &str, value: &str) -> bool {
    node.labels().get(label).is_some_and(|found| found.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn by_status_and_labels() {
        let check = |labels: serde_json::Value, swap: serde_json::Value, expect: (bool, bool)| {
            let info = json!({
                "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "",
                "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "", "osImage": "",
                "systemUUID": "", "swap": swap,
            });
            let mut node: Node =
                serde_json::from_value(json!({"metadata": {"labels": labels}, "status": {"nodeInfo": info}}))
                    .expect("a node");
            crate::watch::stripped_node(&mut node);
            assert_eq!((pins(&node), swaps(&node)), expect, "{labels} {swap}");
        };
        check(json!({}), json!(null), (false, false));
        check(json!({}), json!({}), (false, false));
        check(json!({}), json!({"capacity": 0}), (false, false));
        check(json!({}), json!({"capacity": 1 << 30}), (false, true));
        check(json!({SWAP: "none"}), json!({"capacity": 1 << 30}), (false, false));
        check(json!({SWAP: "limited"}), json!({"capacity": 1 << 30}), (false, true));
        check(json!({MEMORY_MANAGER: "Static"}), json!(null), (true, false));
        check(json!({MEMORY_MANAGER: "none"}), json!(null), (false, false));
        // It pins CPU, not memory.
        check(json!({"cpumanager": "true"}), json!(null), (false, false));
    }
}
