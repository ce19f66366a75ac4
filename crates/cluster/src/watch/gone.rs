//! Pods that had been evicted for want of memory and are gone by now: a StatefulSet or a DaemonSet deletes its own as soon as it sees them,
//! between two looks perhaps. A Deployment's stay until they are collected.

use crate::read::is_evicted;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::Event;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nobody looks at a cluster less often.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// More than a node evicts in that time, some hundred nodes at once.
const KEPT_MAX: usize = 2_000;

/// The latest of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gone(Arc<Mutex<VecDeque<(Instant, Pod)>>>);

impl Gone {
    /// Takes notice of what becomes of pods.
    pub fn notice(&self, event: &Event<Pod>, now: Instant) {
        let Event::Delete(pod) = event else { return };
        if !is_evicted(pod) {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.len() >= KEPT_MAX || kept.front().is_some_and(|(at, _)| now - *at > KEPT_FOR) {
            kept.pop_front();
        }
        kept.push_back((now, pod.clone()));
    }

    /// Those of another, too.
    pub fn take_over(&self, other: &Gone) {
        let earlier = other.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let later = std::mem::replace(&mut *kept, earlier);
        kept.extend(later);
    }

    /// What is known of them.
    pub fn all(&self) -> Vec<Pod> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(_, pod)| pod.clone()).collect()
    }
}
