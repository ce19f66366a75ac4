//! The accounts of pods: what each has counted that no container in it says any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// By path: kills in containers that have gone, and those that were put down to the pod itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Pods(BTreeMap<Arc<str>, u64>);

/// What a pod has counted and nothing else has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing.
    None,
    /// Kills in the one container that has gone since the last look.
    OfTheGone(u64),
    /// Kills in who knows which.
    OfThePod(u64),
}

impl Pods {
    pub fn resume(kept: Vec<(String, u64)>) -> Pods {
        Pods(kept.into_iter().map(|(path, kills)| (path.into(), kills)).collect())
    }

    pub fn keep(&self) -> Vec<(String, u64)> {
        self.0
            .iter()
            .filter(|(_, kills)| **kills > 0)
            .map(|(path, kills)| (path.to_string(), *kills))
            .collect()
    }

    /// Compares what a pod counts with what its containers explain. What is put down to the pod is on its account from now on.
    pub fn settle(&mut self, path: &Arc<str>, counter: u64, explained: u64, one_has_gone: bool) -> Gap {
        let account = self.0.entry(path.clone()).or_default();
        let gap = counter.saturating_sub(explained + *account);
        match (gap, one_has_gone) {
            (0, _) => Gap::None,
            // It is on the account when the container is buried.
            (gap, true) => Gap::OfTheGone(gap),
            (gap, false) => {
                *account += gap;
                Gap::OfThePod(gap)
            }
        }
    }

    /// A container has gone with so many kills.
    pub fn bury(&mut self, path: &Arc<str>, kills: u64) {
        *self.0.entry(path.clone()).or_default() += kills;
    }

    /// Forgets the pods that are not there any more.
    pub fn retain<'a>(&mut self, there: impl Iterator<Item = &'a Arc<str>>) {
        let there: BTreeSet<&Arc<str>> = there.collect();
        self.0.retain(|path, _| there.contains(path));
    }
}
