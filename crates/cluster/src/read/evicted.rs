//! Pods that their kubelets ended because their nodes ran short of memory.
//!
//! A kubelet writes phase Failed, reason Evicted, and words that name what the node was short of; the condition
//! DisruptionTarget beside it has the same words, and reason TerminationByKubelet (1.36, `pkg/kubelet/eviction`). That condition alone
//! would not do: pods have it too that made way for a critical one, or whose node was shut down. Where disks, inodes or
//! process ids were short all is the same but for the words, and what is evicted through the API (a drain) or for a taint is
//! deleted, which happens to any pod: none of that is a matter of how its memory is sized.

use super::pods::{Kept, State, workload};
use crate::watch::Stores;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_core::inventory::Evicted;
use std::collections::BTreeMap;

/// `nodeLowMessageFmt` of the kubelet, as it is of memory.
const WORDS: &str = "The node was low on resource: memory.";

/// All that are known: those that are there still, and those that were deleted before anybody looked.
pub(super) fn all(stores: &Stores) -> BTreeMap<String, Evicted> {
    let read = |((namespace, name), kept): (&(String, String), &Kept)| {
        let State::Evicted { uid, node } = &kept.state else { return None };
        let workload = workload(stores, namespace, kept.owner.as_ref()?)?;
        Some((uid.clone(), Evicted { workload, pod: name.clone(), node: node.clone() }))
    };
    let mut all: BTreeMap<_, _> = stores.pods.there(|there| there.iter().filter_map(read).collect());
    stores.pods.gone(|gone| all.extend(gone.filter_map(|(key, kept)| read((key, kept)))));
    all
}

/// Its node ran short of memory.
pub(crate) fn is_evicted(pod: &Pod) -> bool {
    pod.status.as_ref().is_some_and(|status| {
        let words = status.message.as_deref().unwrap_or_default();
        status.phase.as_deref() == Some("Failed")
            && status.reason.as_deref() == Some("Evicted")
            && words.starts_with(WORDS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::kept;
    use serde_json::{Value, json};

    #[test]
    fn by_what_a_kubelet_writes() {
        let check = |status: Value, expect: bool| {
            let spec = json!({"nodeName": "one", "containers": [{"name": "app", "image": "app:1"}]});
            let pod = json!({"metadata": {"name": "web-1", "uid": "web-1"}, "spec": spec, "status": status});
            let pod: Pod = serde_json::from_value(pod).expect("a pod");
            assert_eq!(is_evicted(&pod), expect, "{status}");
            let kept = kept(&pod).map(|kept| kept.state);
            let is_kept = matches!(kept, Some(State::Evicted { node, .. }) if node == "one");
            assert_eq!(is_kept, expect, "{status}, as it is kept");
        };
        let failed = |reason: &str, message: &str| {
            let condition =
                json!({"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"});
            json!({"phase": "Failed", "reason": reason, "message": message, "conditions": [condition]})
        };
        let low = |of: &str| {
            format!("The node was low on resource: {of}. Threshold quantity: 100Mi, available: 52Mi. ")
        };
        check(failed("Evicted", &low("memory")), true);
        check(
            failed(
                "Evicted",
                &(low("memory")
                    + "Container app was using 300Mi, request is 64Mi, has larger consumption of memory. "),
            ),
            true,
        );
        check(failed("Evicted", &low("ephemeral-storage")), false);
        check(failed("Evicted", &low("pids")), false);
        // It never ran.
        check(failed("Evicted", "The node had condition: [MemoryPressure]. "), false);
        check(failed("Preempting", "Preempted in order to admit critical pod"), false);
        check(failed("Terminated", "Pod was terminated in response to imminent node shutdown."), false);
        check(json!({"phase": "Running"}), false);
    }
}
