//! What containers held that cannot be reclaimed, hour by hour.
//!
//! The agent measures all of it, cAdvisor's rss is only the anonymous part. Of a container one of the two is taken, for all of
//! the range: that which was there for more hours. An agent that came in between must not look like growth.

use super::NONRECLAIMABLE;
use crate::workloads::owners::Owners;
use crate::{Labels, Point, Range, Sink};
use plimsoll_core::rightsize::answer::Id;
use plimsoll_core::rightsize::envelope::Envelope;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub struct Held<'a> {
    owners: &'a Owners,
    namespace: &'a str,
    range: Range,
    /// By rss, and by the agent.
    containers: BTreeMap<Id, [Envelope; 2]>,
    current: Option<(Id, usize)>,
}

impl<'a> Held<'a> {
    /// Nothing read yet.
    pub fn new(owners: &'a Owners, namespace: &'a str, range: Range) -> Held<'a> {
        Held { owners, namespace, range, containers: BTreeMap::new(), current: None }
    }

    /// All that was read, by name.
    pub fn finish(self) -> Vec<(Id, Envelope)> {
        let longer = |[rss, agent]: [Envelope; 2]| {
            let hours = |of: &Envelope| of.samples().count();
            if hours(&agent) >= hours(&rss) { agent } else { rss }
        };
        self.containers.into_iter().map(|(id, both)| (id, longer(both))).collect()
    }
}

impl Sink for Held<'_> {
    fn series(&mut self, labels: &Labels) {
        let id = self.owners.container(self.namespace, labels);
        // The container that holds a pod's namespaces is nobody's.
        let is_own = id.container != "POD";
        self.current = is_own.then(|| (id, usize::from(labels.get("__name__") == NONRECLAIMABLE)));
    }

    fn points(&mut self, points: &[Point]) {
        let Some((id, which)) = &self.current else { return };
        if !self.containers.contains_key(id) {
            let nothing = || Envelope::new(self.range.from_ms, self.range.to_ms);
            self.containers.insert(id.clone(), [nothing(), nothing()]);
        }
        let Some(both) = self.containers.get_mut(id) else { return };
        points.iter().for_each(|point| both[*which].take(point.at_ms, point.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads::names;
    use plimsoll_core::sizing::HOUR_MS;

    #[test]
    fn one_measure_for_all_of_the_range() {
        let check = |agent_from: i64, expect: [u64; 2]| {
            let owners = Owners::default();
            let mut held = Held::new(&owners, "shop", Range { from_ms: 0, to_ms: 10 * HOUR_MS - 1 });
            for (metric, from, bytes) in [(names::RSS, 0, 100e6), (NONRECLAIMABLE, agent_from, 150e6)] {
                let pairs = [("__name__", metric), ("pod", "web-0"), ("container", "web")];
                held.series(&Labels::new(
                    pairs.map(|(name, value)| (name.to_string(), value.to_string())).to_vec(),
                ));
                held.points(
                    &(from..10).map(|hour| Point { at_ms: hour * HOUR_MS, value: bytes }).collect::<Vec<_>>(),
                );
            }
            let found = held.finish();
            let near =
                |at: i64| found[0].1.highest(at * HOUR_MS, (at + 1) * HOUR_MS).unwrap_or(0) / 1_000_000;
            assert_eq!((found.len(), [near(0), near(9)]), (1, expect), "{agent_from}");
        };
        check(0, [150, 150]);
        check(5, [100, 100]);
    }
}
