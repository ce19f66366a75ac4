//! Moments: what all that ran has requested at one time; and the mean of the latest of some series.

use crate::workloads::names;
use crate::{Labels, Point, Sink};
use std::collections::{HashMap, HashSet};

/// Namespace, pod and container.
type Key = [String; 3];

/// Requests, and what was seen to run: a pod that has ended requests nothing of a node any more.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    requests: HashMap<Key, Point>,
    running: HashSet<Key>,
    current: (Key, bool),
}

impl Moment {
    /// All of it, of these namespaces or of all; `None` where nothing is known to request anything.
    pub fn bytes(&self, namespaces: &HashSet<&String>) -> Option<u64> {
        let of = |(key, point): (&Key, &Point)| {
            let is_asked = namespaces.is_empty() || namespaces.contains(&key[0]);
            (is_asked && self.running.contains(key)).then_some(point.value.max(0.0) as u64)
        };
        let requests: Vec<u64> = self.requests.iter().filter_map(of).collect();
        (!requests.is_empty()).then(|| requests.iter().sum())
    }
}

impl Sink for Moment {
    fn series(&mut self, labels: &Labels) {
        let key = ["namespace", "pod", "container"].map(|name| labels.get(name).to_string());
        self.current = (key, labels.get("__name__") == names::SPEC_REQUESTS);
    }

    fn points(&mut self, points: &[Point]) {
        let (key, is_request) = &self.current;
        let Some(latest) = points.last() else { return };
        if !is_request {
            self.running.insert(key.clone());
            return;
        }
        let held = self.requests.entry(key.clone()).or_insert(*latest);
        if latest.at_ms >= held.at_ms {
            *held = *latest;
        }
    }
}

/// The latest of each series.
#[derive(Debug, Clone, Default)]
pub struct Mean {
    latest: HashMap<Labels, Point>,
    current: Labels,
}

impl Mean {
    /// Their mean; `None` where there are none.
    pub fn of_latest(&self) -> Option<f64> {
        // In an order that is always the same: sums of floats depend on it.
        let mut values: Vec<f64> =
            self.latest.values().map(|point| point.value).filter(|it| *it > 0.0).collect();
        values.sort_unstable_by(f64::total_cmp);
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

impl Sink for Mean {
    fn series(&mut self, labels: &Labels) {
        self.current = labels.clone();
    }

    fn points(&mut self, points: &[Point]) {
        for point in points {
            let held = self.latest.entry(self.current.clone()).or_insert(*point);
            if point.at_ms >= held.at_ms {
                *held = *point;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_run_requests_nothing() {
        let mut moment = Moment::default();
        let mut take = |metric: &str, namespace: &str, pod: &str, points: &[(i64, f64)]| {
            let pairs = [("__name__", metric), ("namespace", namespace), ("pod", pod), ("container", "app")];
            moment.series(&Labels::new(
                pairs.map(|(name, value)| (name.to_string(), value.to_string())).to_vec(),
            ));
            let points: Vec<Point> =
                points.iter().map(|(at_ms, value)| Point { at_ms: *at_ms, value: *value }).collect();
            moment.points(&points);
        };
        take(names::SPEC_REQUESTS, "shop", "web-0", &[(5, 7.0)]);
        // Pieces come in any order: the latest counts.
        take(names::SPEC_REQUESTS, "shop", "web-0", &[(1, 1.0), (2, 2.0)]);
        take(names::WORKING_SET, "shop", "web-0", &[(2, 1e9)]);
        take(names::SPEC_REQUESTS, "shop", "ended-0", &[(5, 100.0)]);
        take(names::SPEC_REQUESTS, "ci", "job-0", &[(5, 10.0)]);
        take(names::WORKING_SET, "ci", "job-0", &[(5, 1.0)]);
        let (shop, other) = ("shop".to_string(), "other".to_string());
        let check = |namespaces: &[&String], expect: Option<u64>| {
            assert_eq!(moment.bytes(&namespaces.iter().copied().collect()), expect, "{namespaces:?}");
        };
        check(&[], Some(17));
        check(&[&shop], Some(7));
        check(&[&other], None);
    }
}
