//! A Prometheus that scrapes the pods, asked for what it has collected.

use super::CATCH_UP_MS;
use super::sources::{Look, access, in_short, shown};
use crate::config::Observe;
use plimsoll_core::capacity::observing::{Shown, exposition::Sample};
use plimsoll_history::server::{Server, Way};
use plimsoll_history::{Labels, Point, Range, Selector, Sink};
use std::collections::BTreeMap;

/// It has so long to answer, in seconds.
const SECONDS: u64 = 30;
/// Pods that it may tell of.
const PODS_MAX: usize = 1_000;
/// The label of our own metrics that have names of the app's: see `server/metrics/aliases`.
const OURS: &str = "by";

/// A Prometheus, and what it has told of pods.
pub(super) struct Prometheus {
    url: String,
    labels: BTreeMap<String, String>,
    server: Option<Server>,
    last_ms: Option<i64>,
    pods: BTreeMap<String, Shown>,
}

impl Prometheus {
    /// Which has been asked until a moment.
    pub fn new(url: &str, labels: &BTreeMap<String, String>, last_ms: Option<i64>) -> Prometheus {
        let (url, labels) = (url.to_string(), labels.clone());
        Prometheus { url, labels, server: None, last_ms, pods: BTreeMap::new() }
    }

    /// What it says of each pod, at each moment since the last.
    pub fn look(&mut self, observe: &Observe, at_ms: i64) -> Vec<Look> {
        let target = shown(&self.url);
        match self.collect(observe, at_ms) {
            Ok(told) => {
                self.last_ms = Some(at_ms);
                let of_pods = self.observe(observe, told);
                let error = of_pods.is_empty().then(|| {
                    format!("it has no {} with a label {}", observe.names.roles, observe.names.pod_label)
                });
                [Look { target, observations: Vec::new(), error }].into_iter().chain(of_pods).collect()
            }
            Err(error) => {
                self.server = None;
                vec![Look { target, observations: Vec::new(), error: Some(error) }]
            }
        }
    }

    /// What held at each moment since the last.
    fn collect(&mut self, observe: &Observe, at_ms: i64) -> Result<Told, String> {
        let server = match self.server.take() {
            Some(server) => server,
            None => {
                let access = access(observe, SECONDS)?;
                Server::open(&self.url, &access, &[Way::Query]).map_err(in_short)?
            }
        };
        let server = self.server.insert(server);
        let every_ms = observe.every.as_millis() as i64;
        let next_ms = self.last_ms.map_or(at_ms, |last_ms| (last_ms.div_euclid(every_ms) + 1) * every_ms);
        // A clock that was put back has nothing to make up for.
        let from_ms = next_ms.clamp(at_ms - CATCH_UP_MS.min(at_ms), at_ms);
        let range = Range { from_ms: at_ms - (at_ms - from_ms) / every_ms * every_ms, to_ms: at_ms };
        let mut told = Told { pod_label: observe.names.pod_label.clone(), ..Told::default() };
        for metric in observe.names.metrics() {
            let selector = Selector::metric(metric).equal(OURS, "").present(&observe.names.pod_label);
            let selector =
                self.labels.iter().fold(selector, |selector, (label, value)| selector.equal(label, value));
            server.steps(&selector, range, every_ms, &mut told).map_err(in_short)?;
        }
        Ok(told)
    }

    /// Each pod that says who is in it, or has said so before.
    fn observe(&mut self, observe: &Observe, told: Told) -> Vec<Look> {
        let names = &observe.names;
        let mut looks: BTreeMap<String, Look> = BTreeMap::new();
        // Pods that it does not tell of any more are gone.
        let mut pods: BTreeMap<String, Shown> = BTreeMap::new();
        for ((at_ms, name), samples) in told.samples {
            let says_who = || samples.iter().any(|sample| sample.metric == names.roles).then(Shown::default);
            let before = pods.remove(&name).or_else(|| self.pods.remove(&name));
            let Some(mut shown) = before.or_else(says_who).filter(|_| pods.len() < PODS_MAX) else {
                continue;
            };
            let look = looks.entry(name.clone()).or_insert_with(|| Look {
                target: format!("pod {name}"),
                observations: Vec::new(),
                error: None,
            });
            match shown.observe(names, &name, at_ms, &samples) {
                Ok(observation) => {
                    look.observations.push(observation);
                    look.error = None;
                }
                Err(error) => look.error = Some(error.to_string()),
            }
            pods.insert(name, shown);
        }
        self.pods = pods;
        looks.into_values().collect()
    }
}

/// What a Prometheus has told: samples by moment and pod.
#[derive(Default)]
struct Told {
    pod_label: String,
    series: Option<(String, Sample)>,
    samples: BTreeMap<(i64, String), Vec<Sample>>,
}

impl Sink for Told {
    fn series(&mut self, labels: &Labels) {
        let all = labels.iter().filter(|(name, _)| *name != "__name__");
        let labels_of = all.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let sample = Sample { metric: labels.get("__name__").to_string(), labels: labels_of, value: 0.0 };
        self.series = Some((labels.get(&self.pod_label).to_string(), sample));
    }

    fn points(&mut self, points: &[Point]) {
        let Some((pod, sample)) = &self.series else { return };
        for point in points {
            let samples = self.samples.entry((point.at_ms, pod.clone())).or_default();
            samples.push(Sample { value: point.value, ..sample.clone() });
        }
    }
}
