//! The pods of one node, as little of each as an agent on it needs: who they are, whose they are, and which CI job they do.
//!
//! Of labels, annotations and variables only those of a list are kept, see [`ci`]; nothing that names a person is on it.

mod card;
pub mod ci;

pub use card::{Card, ContainerCard};

use crate::ClusterError;
use crate::watch::Pauses;
use card::NodePod;
use futures_util::StreamExt;
use kube::api::ApiResource;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Pods in a page: a node has 110, and what is not kept of them is held for as long as a page is read.
const PAGE: u32 = 32;
/// More of one node are not kept.
const PODS_MAX: usize = 2_000;
/// Pods that have gone are known for so long: their cgroups may outlive them.
const GONE_FOR: Duration = Duration::from_secs(600);
/// Who waits for the list looks so often.
const LOOK_EACH: Duration = Duration::from_millis(50);

/// What was seen last of a node's pods.
#[derive(Clone, Default)]
pub struct NodePods(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// By uid, and by what the kubelet calls a static pod.
    there: BTreeMap<String, Arc<Card>>,
    listing: BTreeMap<String, Arc<Card>>,
    gone: VecDeque<(Instant, String, Arc<Card>)>,
    is_listed: bool,
    /// Whether what is kept may have changed since it was asked.
    has_changed: bool,
    trouble: Option<String>,
}

impl NodePods {
    /// Follows them for as long as it is waited for, through all weather.
    pub async fn follow(&self, client: Client, node: &str) {
        let pods: Api<NodePod> =
            Api::all_with(client, &ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&()));
        let config = watcher::Config::default().page_size(PAGE).fields(&format!("spec.nodeName={node}"));
        let mut events = std::pin::pin!(watcher(pods, config).backoff(Pauses::default()));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.notice(event, Instant::now()),
                Err(error) => self.lock().trouble = Some(why(error)),
            }
        }
    }

    /// The pod that the kubelet knows by this uid.
    pub fn get(&self, uid: &str) -> Option<Arc<Card>> {
        let seen = self.lock();
        let gone = || seen.gone.iter().rev().find(|(_, gone, _)| gone == uid).map(|(_, _, card)| card);
        seen.there.get(uid).or_else(gone).cloned()
    }

    /// Whether all were listed once.
    pub fn is_listed(&self) -> bool {
        self.lock().is_listed
    }

    /// Whether anything may have changed since this was asked last.
    pub fn has_changed(&self) -> bool {
        std::mem::take(&mut self.lock().has_changed)
    }

    /// Why nothing is seen at present.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// Waits until all were listed once, or it is known why they cannot be; not longer than this.
    pub async fn wait_until_listed(&self, within: Duration) {
        let looked = async {
            while !self.is_listed() && self.trouble().is_none() {
                tokio::time::sleep(LOOK_EACH).await;
            }
        };
        // Whoever waits goes on without them.
        let _ = tokio::time::timeout(within, looked).await;
    }

    /// Says why nothing is seen.
    pub fn lose(&self, why: String) {
        self.lock().trouble = Some(why);
    }

    /// Takes notice of what becomes of pods.
    fn notice(&self, event: Event<NodePod>, now: Instant) {
        let mut seen = self.lock();
        seen.trouble = None;
        seen.has_changed = true;
        match event {
            Event::Init => seen.listing.clear(),
            Event::InitApply(pod) => put(&mut seen.listing, &pod),
            Event::InitDone => {
                let listed = std::mem::take(&mut seen.listing);
                let before = std::mem::replace(&mut seen.there, listed);
                for (uid, card) in before {
                    if !seen.there.contains_key(&uid) {
                        seen.gone.push_back((now, uid, card));
                    }
                }
                seen.is_listed = true;
            }
            Event::Apply(pod) => put(&mut seen.there, &pod),
            Event::Delete(pod) => {
                for uid in card::uids(&pod) {
                    if let Some(card) = seen.there.remove(&uid) {
                        seen.gone.push_back((now, uid, card));
                    }
                }
            }
        }
        while seen.gone.len() > PODS_MAX || seen.gone.front().is_some_and(|(at, ..)| now - *at > GONE_FOR) {
            seen.gone.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Whoever panicked with it has left a whole card or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(cards: &mut BTreeMap<String, Arc<Card>>, pod: &NodePod) {
    let card = Arc::new(Card::of(pod));
    for uid in card::uids(pod) {
        if cards.len() < PODS_MAX || cards.contains_key(&uid) {
            cards.insert(uid, card.clone());
        }
    }
}

/// In words, with what would grant it.
fn why(error: watcher::Error) -> String {
    let error = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => ClusterError::of("pods of this node", error),
        watcher::Error::WatchError(status) => ClusterError::of("pods of this node", kube::Error::Api(status)),
        other => return other.to_string(),
    };
    match error {
        ClusterError::Forbidden { what, message, .. } => {
            format!("{what}: {message}\ngrant it with: plimsoll crd --rbac agent | kubectl apply -f -")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(uid: &str) -> NodePod {
        serde_json::from_value(
            json!({"metadata": {"uid": uid, "name": uid, "namespace": "shop"}, "spec": {}}),
        )
        .unwrap()
    }

    #[test]
    fn a_pod_is_known_for_a_while_after_its_end() {
        let (pods, now) = (NodePods::default(), Instant::now());
        let check = |event: Event<NodePod>, expect: &[&str]| {
            pods.notice(event, now);
            let known: Vec<&str> =
                ["a", "b", "c"].into_iter().filter(|uid| pods.get(uid).is_some()).collect();
            assert_eq!(known, expect);
        };
        check(Event::Init, &[]);
        check(Event::InitApply(pod("a")), &[]);
        check(Event::InitDone, &["a"]);
        assert!(pods.is_listed() && pods.has_changed() && !pods.has_changed());
        check(Event::Apply(pod("b")), &["a", "b"]);
        check(Event::Delete(pod("a")), &["a", "b"]);
        // It was deleted while nobody watched.
        check(Event::Init, &["a", "b"]);
        check(Event::InitApply(pod("c")), &["a", "b"]);
        check(Event::InitDone, &["a", "b", "c"]);
        pods.notice(Event::Apply(pod("c")), now + GONE_FOR + Duration::from_secs(1));
        assert!(pods.get("a").is_none() && pods.get("b").is_none() && pods.get("c").is_some());
    }
}
