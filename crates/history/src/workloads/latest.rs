//! The latest value of each series, by pod and container.

use crate::{Labels, Point, Sink};
use std::collections::HashMap;

/// A cgroup without a limit shows 0, or a number that no machine has.
const UNLIMITED_BYTES: u64 = 1 << 50;

/// Metric, pod and container.
type Key = (String, String, String);

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Latest {
    values: HashMap<Key, Point>,
    current: Key,
}

impl Latest {
    /// The highest of a metric among some pods' container; `None` where none of them has it.
    pub fn highest<'a>(
        &self,
        metric: &str,
        pods: impl Iterator<Item = &'a String>,
        container: &str,
    ) -> Option<u64> {
        let value = |pod: &String| {
            let key = (metric.to_string(), pod.clone(), container.to_string());
            self.values.get(&key).map(|point| point.value as u64)
        };
        pods.filter_map(value).filter(|value| (1..UNLIMITED_BYTES).contains(value)).max()
    }

    /// Whether there is anything.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Sink for Latest {
    fn series(&mut self, labels: &Labels) {
        let label = |name: &str| labels.get(name).to_string();
        self.current = (label("__name__"), label("pod"), label("container"));
    }

    fn points(&mut self, points: &[Point]) {
        for point in points {
            let held = self.values.entry(self.current.clone()).or_insert(*point);
            if point.at_ms >= held.at_ms {
                *held = *point;
            }
        }
    }
}
