//! Series by workload: of all pods that run a container, the highest of each minute.

use super::owners::{Owners, Workload};
use crate::series::ordered;
use crate::{Labels, Point, Sink};
use plimsoll_core::backtest::Series;
use plimsoll_core::sizing::Sample;
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;

/// See the module.
#[derive(Debug)]
pub struct Merged<'a> {
    owners: &'a Owners,
    namespace: &'a str,
    series: BTreeMap<String, Vec<Sample>>,
    current: String,
    /// Samples that were left the last time they were thinned.
    compacted: usize,
}

impl<'a> Merged<'a> {
    /// Nothing read yet.
    pub fn new(owners: &'a Owners, namespace: &'a str) -> Merged<'a> {
        Merged { owners, namespace, series: BTreeMap::new(), current: String::new(), compacted: 0 }
    }

    /// All series, by name.
    pub fn finish(self) -> Vec<Series> {
        let of = |(id, samples)| Series {
            id,
            samples: ordered(samples),
            oom_kills: Vec::new(),
            limit_bytes: None,
        };
        self.series.into_iter().map(of).collect()
    }
}

/// What the series of a container is called.
pub fn id(namespace: &str, workload: &Workload, container: &str) -> String {
    format!("{namespace}/{}/{container}", workload.name)
}

impl Sink for Merged<'_> {
    fn series(&mut self, labels: &Labels) {
        self.current = id(self.namespace, &self.owners.of(labels.get("pod")), labels.get("container"));
        self.series.entry(self.current.clone()).or_default();
    }

    fn points(&mut self, points: &[Point]) {
        let Some(samples) = self.series.get_mut(&self.current) else { return };
        let sample = |point: &Point| Sample {
            at_ms: point.at_ms.div_euclid(MINUTE_MS) * MINUTE_MS,
            bytes: point.value.max(0.0) as u64,
        };
        samples.extend(points.iter().map(sample));
        // Of many pods only the highest are kept: what is set aside does not grow with their number.
        if samples.len() > COMPACT_FROM.max(2 * self.compacted) {
            *samples = ordered(std::mem::take(samples));
            self.compacted = samples.len();
        }
    }
}

/// Fewer samples than this are not worth the sorting.
const COMPACT_FROM: usize = 100_000;
