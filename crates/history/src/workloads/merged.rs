//! Series by workload: of all pods that run a container, the highest of each minute.

use super::owners::{Owners, Workload};
use crate::{Labels, Point, Sink};
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::sizing::Sample;
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;

/// See the module.
#[derive(Debug)]
pub struct Merged<'a> {
    owners: &'a Owners,
    namespace: &'a str,
    series: BTreeMap<String, Packed>,
    current: String,
}

impl<'a> Merged<'a> {
    /// Nothing read yet.
    pub fn new(owners: &'a Owners, namespace: &'a str) -> Merged<'a> {
        Merged { owners, namespace, series: BTreeMap::new(), current: String::new() }
    }

    /// All series, by name.
    pub fn finish(self) -> Vec<Packed> {
        let settled = |mut packed: Packed| {
            packed.settle();
            packed
        };
        self.series.into_values().map(settled).collect()
    }
}

/// What the series of a container is called.
pub fn id(namespace: &str, workload: &Workload, container: &str) -> String {
    format!("{namespace}/{}/{container}", workload.name)
}

impl Sink for Merged<'_> {
    fn series(&mut self, labels: &Labels) {
        self.current = id(self.namespace, &self.owners.of(labels.get("pod")), labels.get("container"));
        self.series.entry(self.current.clone()).or_insert_with(|| Packed::new(self.current.clone()));
    }

    fn points(&mut self, points: &[Point]) {
        let Some(packed) = self.series.get_mut(&self.current) else { return };
        for point in points {
            let at_ms = point.at_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
            packed.push(Sample { at_ms, bytes: point.value.max(0.0) as u64 });
        }
    }
}
