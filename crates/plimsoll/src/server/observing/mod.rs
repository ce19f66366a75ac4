//! Observing: pods are asked again and again what they use and who is in them, as `capacity.observe` says.
//!
//! Moments are those of a grid, so that of several replicas which ask the same pod one observation is kept.

mod pods;
mod prometheus;
mod sources;

use super::schedule::answer::time;
use super::{Service, now_ms};
use crate::config::Observe;
use plimsoll_core::capacity::formula::observation::Observation;
use serde::Serialize;
use sources::{Look, Source};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use utoipa::ToSchema;

/// What was not asked of a Prometheus while nobody observed is made up for, so far back.
const CATCH_UP_MS: i64 = 3_600_000;

/// How it stands with somebody who is asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AskedView {
    /// The URL of a page or of a Prometheus, or a pod that the Prometheus knows.
    pub target: String,
    /// When it was asked last.
    pub at: String,
    /// Why that was no observation; nothing is taken for 0.
    pub error: Option<String>,
}

/// All who are asked, by name.
#[derive(Debug, Clone, Default)]
pub struct Targets(Arc<Mutex<BTreeMap<String, AskedView>>>);

impl Targets {
    /// How it stands with each.
    pub fn views(&self) -> Vec<AskedView> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// What came of asking them all. That one does not answer is said once.
    fn note(&self, looks: &[Look], at_ms: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *all);
        for Look { target, error, .. } in looks {
            let had_error = before.get(target).is_some_and(|it| it.error.is_some());
            match error {
                Some(error) if !had_error => eprintln!("observe: {target}: {error}"),
                None if had_error => eprintln!("observe: {target}: it is observed again"),
                _ => {}
            }
            let view = AskedView { target: target.clone(), at: time(at_ms), error: error.clone() };
            all.insert(target.clone(), view);
        }
    }
}

impl Service {
    /// Asks at each moment of the grid, if anybody is to be asked.
    pub(super) async fn keep_observing(&self) {
        let Some(observe) = self.desk.capacity.observe.clone().map(Arc::new) else { return };
        let every_ms = i64::try_from(observe.every.as_millis()).unwrap_or(i64::MAX);
        let source = Source::new(&observe, self.last_observed_ms().await);
        loop {
            let now_ms = now_ms();
            let at_ms = (now_ms.div_euclid(every_ms) + 1) * every_ms;
            tokio::time::sleep(Duration::from_millis((at_ms - now_ms).unsigned_abs())).await;
            self.look(&source, &observe, at_ms).await;
        }
    }

    async fn look(&self, source: &Source, observe: &Arc<Observe>, at_ms: i64) {
        let looks = source.look(observe, at_ms).await;
        self.targets.note(&looks, at_ms);
        let seen: Vec<Observation> = looks.into_iter().flat_map(|look| look.observations).collect();
        if seen.is_empty() {
            return;
        }
        // What the store says of it stands in the log; the next moment comes soon.
        match self.desk.database.observe(&seen, at_ms).await {
            Ok(_) => self.account().await,
            Err(error) => eprintln!("{error}"),
        }
    }

    /// When something was observed last, if that is not too long ago.
    async fn last_observed_ms(&self) -> Option<i64> {
        let now_ms = now_ms();
        let latest = self.desk.database.latest_observations(now_ms - CATCH_UP_MS, now_ms).await;
        latest.unwrap_or_default().iter().map(|seen| seen.at_ms).max()
    }
}
