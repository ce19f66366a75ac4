//! Pods, of which there are most: what decisions go by is read on arrival, and the rest is dropped. As they come they would take
//! ten times the memory, and would be read anew at each look.

use crate::read::{Kept, kept};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Evicted pods are remembered for so long when they are gone; nobody looks at a cluster less often.
const GONE_FOR: Duration = Duration::from_secs(600);
/// More than a node evicts in that time, some hundred nodes at once.
const GONE_MAX: usize = 2_000;

/// By namespace and name.
pub(crate) type ByName = BTreeMap<(String, String), Kept>;

/// What was seen last of pods.
#[derive(Clone)]
pub(crate) struct Pods {
    seen: Arc<Mutex<Seen>>,
    is_listed: watch::Sender<bool>,
}

#[derive(Default)]
struct Seen {
    there: ByName,
    /// While they are listed anew.
    listing: ByName,
    /// Pods that had been evicted for want of memory and are gone by now: a StatefulSet or a DaemonSet deletes its own as soon
    /// as it sees them, between two looks perhaps. A Deployment's stay until they are collected.
    gone: VecDeque<(Instant, Gone)>,
}

/// What was where.
type Gone = ((String, String), Kept);

impl Pods {
    /// None yet.
    pub fn new() -> Pods {
        Pods { seen: Arc::default(), is_listed: watch::Sender::new(false) }
    }

    /// Takes notice of what becomes of pods.
    pub fn notice(&self, event: Event<Pod>, now: Instant) {
        let mut seen = self.lock();
        match event {
            Event::Init => seen.listing.clear(),
            Event::InitApply(pod) => put(&mut seen.listing, &pod),
            Event::InitDone => {
                seen.there = std::mem::take(&mut seen.listing);
                self.is_listed.send_replace(true);
            }
            Event::Apply(pod) => put(&mut seen.there, &pod),
            Event::Delete(pod) => {
                seen.there.remove(&key(&pod));
                if let Some(kept) = kept(&pod).filter(Kept::is_evicted) {
                    seen.remember(key(&pod), kept, now);
                }
            }
        }
    }

    /// Waits until all were listed once; false if nobody lists them any more.
    pub async fn wait_until_listed(&self) -> bool {
        self.is_listed.subscribe().wait_for(|is_listed| *is_listed).await.is_ok()
    }

    /// Looks at those that are there.
    pub fn there<T>(&self, look: impl FnOnce(&ByName) -> T) -> T {
        look(&self.lock().there)
    }

    /// Looks at those that had been evicted and are gone.
    pub fn gone<T>(&self, look: impl FnOnce(&mut dyn Iterator<Item = &Gone>) -> T) -> T {
        look(&mut self.lock().gone.iter().map(|(_, gone)| gone))
    }

    /// Those that another saw go, too.
    pub fn take_over(&self, other: &Pods) {
        let earlier = other.lock().gone.clone();
        let mut seen = self.lock();
        let later = std::mem::replace(&mut seen.gone, earlier);
        seen.gone.extend(later);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn remember(&mut self, key: (String, String), kept: Kept, now: Instant) {
        while self.gone.len() >= GONE_MAX || self.gone.front().is_some_and(|(at, _)| now - *at > GONE_FOR) {
            self.gone.pop_front();
        }
        self.gone.push_back((now, (key, kept)));
    }
}

fn put(pods: &mut ByName, pod: &Pod) {
    match kept(pod) {
        Some(kept) => pods.insert(key(pod), kept),
        None => pods.remove(&key(pod)),
    };
}

fn key(pod: &Pod) -> (String, String) {
    (pod.namespace().unwrap_or_default(), pod.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(name: &str, status: &Value) -> Pod {
        let spec = json!({"nodeName": "one", "containers": [{"name": "app"}]});
        let metadata = json!({"name": name, "namespace": "shop", "uid": name});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).expect("a pod")
    }

    #[test]
    fn a_list_takes_the_place_of_what_was_there() {
        let (pods, now) = (Pods::new(), Instant::now());
        let names = || pods.there(|all| all.keys().map(|(_, name)| name.clone()).collect::<Vec<_>>());
        let runs = |name: &str| pod(name, &json!({"phase": "Running"}));
        let check = |event: Event<Pod>, expect: &[&str]| {
            pods.notice(event, now);
            assert_eq!(names(), expect);
        };
        check(Event::Init, &[]);
        check(Event::InitApply(runs("a")), &[]);
        check(Event::InitDone, &["a"]);
        check(Event::Apply(runs("b")), &["a", "b"]);
        check(Event::Apply(pod("a", &json!({"phase": "Succeeded"}))), &["b"]);
        check(Event::Delete(runs("b")), &[]);
        check(Event::Apply(runs("c")), &["c"]);
        // What was listed before it broke off counts for nothing.
        check(Event::Init, &["c"]);
        check(Event::InitApply(runs("d")), &["c"]);
        check(Event::Init, &["c"]);
        check(Event::InitApply(runs("e")), &["c"]);
        check(Event::InitDone, &["e"]);
    }

    #[test]
    fn who_was_evicted_is_remembered_for_a_while() {
        let (pods, now) = (Pods::new(), Instant::now());
        let words = "The node was low on resource: memory. ";
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": words});
        let gone =
            |pods: &Pods| pods.gone(|gone| gone.map(|((_, name), _)| name.clone()).collect::<Vec<_>>());
        pods.notice(Event::Apply(pod("a", &evicted)), now);
        assert_eq!((pods.there(BTreeMap::len), gone(&pods).len()), (1, 0));
        pods.notice(Event::Delete(pod("a", &evicted)), now);
        pods.notice(Event::Delete(pod("b", &json!({"phase": "Running"}))), now);
        assert_eq!((pods.there(BTreeMap::len), gone(&pods)), (0, vec!["a".to_string()]));
        let later = Pods::new();
        later.notice(Event::Delete(pod("c", &evicted)), now);
        later.take_over(&pods);
        assert_eq!(gone(&later), ["a", "c"]);
        later.notice(Event::Delete(pod("d", &evicted)), now + GONE_FOR + Duration::from_secs(1));
        assert_eq!(gone(&later), ["d"]);
    }
}
