//! What became of each step, in words.

use super::cluster::{Order, Sight};
use crate::server::terms::Terms;
use plimsoll_capacity::StepDone;
use plimsoll_cluster::ClusterError;
use plimsoll_cluster::act::{Found, Scaler};
use plimsoll_core::capacity::booking::reservation::Reservation;
use plimsoll_core::capacity::booking::timeline::{Outcome, Step, are_healthy, are_ready, pods_of};
use plimsoll_core::capacity::formula::plain::MB;
use plimsoll_core::capacity::formula::project::Ask;
use std::collections::BTreeMap;

/// What came of a region's order.
pub struct Acted {
    /// What became of it.
    pub outcome: Outcome,
    /// In words.
    pub detail: String,
    /// What to do where it failed.
    pub next: String,
    /// It is where it is to be.
    pub is_set: bool,
    /// It was not so before, or is not as it should be.
    pub is_news: bool,
}

impl Acted {
    /// There was nothing to set.
    pub fn at_rest(scaler: &Scaler, found: &Found, order: &Order) -> Acted {
        let detail = format!("{scaler} is at {}", found.set);
        Acted { outcome: Outcome::Done, detail, next: String::new(), is_set: true, is_news: false }
            .short_of(scaler, found, order)
    }

    /// It would be set.
    pub fn would(scaler: &Scaler, found: &Found, order: &Order) -> Acted {
        let detail = format!("dry run: {scaler} would go from {} to {}", found.set, order.to.to);
        Acted { outcome: Outcome::Skipped, detail, next: String::new(), is_set: false, is_news: true }
            .short_of(scaler, found, order)
    }

    /// What came of setting it.
    pub fn tried(scaler: &Scaler, found: &Found, order: &Order, came: Result<bool, ClusterError>) -> Acted {
        let detail = format!("{scaler} went from {} to {}", found.set, order.to.to);
        match came {
            Ok(true) => {
                Acted { outcome: Outcome::Done, detail, next: String::new(), is_set: true, is_news: true }
                    .short_of(scaler, found, order)
            }
            Ok(false) => {
                let detail = format!("{scaler} is changed by somebody else at the same time");
                Acted::failed(&format!("{detail}\nsee who, if it stays so"))
            }
            Err(error) => Acted::failed(&error.to_string()),
        }
    }

    /// A region for which there was no order.
    pub fn without_order(sight: &Sight) -> Acted {
        if let Some(error) = sight.error() {
            return Acted::failed(&error.to_string());
        }
        let detail = "nothing is configured that scales".to_string();
        Acted { outcome: Outcome::Skipped, detail, next: String::new(), is_set: false, is_news: false }
    }

    fn failed(said: &str) -> Acted {
        let (detail, next) = said.split_once('\n').unwrap_or((said, ""));
        let (detail, next) = (detail.to_string(), next.to_string());
        Acted { outcome: Outcome::Failed, detail, next, is_set: false, is_news: true }
    }

    /// More is wanted than what scales it allows.
    fn short_of(self, scaler: &Scaler, found: &Found, order: &Order) -> Acted {
        let wanted = scaler.for_pods(order.pods, found);
        if wanted <= order.to.to {
            return self;
        }
        Acted {
            outcome: Outcome::Failed,
            detail: format!("{}, and {wanted} are wanted", self.detail),
            next: format!("raise the most pods that {scaler} may have, now {}", order.most),
            is_news: true,
            ..self
        }
    }
}

/// What a look has come to.
pub struct Looked<'a> {
    /// Regions as they were seen.
    pub sights: &'a [Sight],
    /// What came of their orders, for each of them.
    pub acted: &'a BTreeMap<String, Acted>,
    /// Pods that have restarted and when, by region; only where somebody's health is due.
    pub restarts: &'a BTreeMap<String, Vec<(String, i64)>>,
    /// What people take.
    pub terms: &'a Terms,
}

impl Looked<'_> {
    /// What became of a step of a reservation, with what is recorded of it before.
    pub fn outcome(&self, it: &Reservation, step: Step, before: &[StepDone]) -> (Outcome, String) {
        let judged = |verdict: Result<String, String>| match verdict {
            Ok(words) => (Outcome::Done, words),
            Err(words) => (Outcome::Failed, words),
        };
        match step {
            Step::Compute => (Outcome::Done, self.needs(it)),
            Step::Scale | Step::ScaleDown => self.scaled(it),
            Step::Ready => judged(are_ready(it, &self.ready())),
            Step::Health => judged(self.health(it, before)),
            Step::Start | Step::End => (Outcome::Done, String::new()),
        }
    }

    /// Where it is, if that is one region.
    pub fn region_of(&self, it: &Reservation) -> Option<String> {
        match &self.regions_of(it)[..] {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// What is over has no place any more: then all it may have been in.
    fn regions_of(&self, it: &Reservation) -> Vec<String> {
        let placed: Vec<String> = pods_of(it).into_keys().collect();
        match &it.region {
            Some(region) => vec![region.clone()],
            None if placed.is_empty() => self.acted.keys().cloned().collect(),
            None => placed,
        }
    }

    /// With the profile that is in force now.
    fn needs(&self, it: &Reservation) -> String {
        let pods: u32 = pods_of(it).into_values().sum();
        let ask = Ask { counts: it.counts.clone(), pods, connections: 0, uptime_hours: None };
        let projection = self.terms.profile.project(&ask);
        let mb = |bytes: u64| bytes as f64 / MB;
        let (p50, p95) = (mb(projection.p50_bytes), mb(projection.p95_bytes));
        format!("p50 {p50:.0} MB, p95 {p95:.0} MB in {pods} pods")
    }

    fn scaled(&self, it: &Reservation) -> (Outcome, String) {
        let acted = self.regions_of(it).into_iter().filter_map(|region| self.acted.get(&region));
        let mut outcome = Outcome::Done;
        let mut words = Vec::new();
        for acted in acted {
            words.push(acted.detail.clone());
            if outcome != Outcome::Failed && acted.outcome != Outcome::Done {
                outcome = acted.outcome;
            }
        }
        (outcome, words.join("; "))
    }

    /// Pods for which there is a place, by region; those of the configuration where nothing else is known of.
    fn ready(&self) -> BTreeMap<String, u32> {
        let ready = |sight: &Sight| match (sight.found(), &sight.ahead.scaler) {
            (Some(found), _) => Some(found.ready.saturating_add(found.spare)),
            (None, None) => Some(sight.configured),
            (None, Some(_)) => None,
        };
        self.sights.iter().filter_map(|sight| Some((sight.name.clone(), ready(sight)?))).collect()
    }

    fn health(&self, it: &Reservation, before: &[StepDone]) -> Result<String, String> {
        let scaled = before.iter().find(|done| done.step == Step::Scale).map(|done| done.at_ms);
        let since_ms = scaled.unwrap_or(0).max(Step::Scale.at_ms(it));
        let mut restarted = Vec::new();
        for sight in self.sights.iter().filter(|sight| pods_of(it).contains_key(&sight.name)) {
            let of_region = match self.restarts.get(&sight.name) {
                Some(restarts) => restarts,
                None if sight.ahead.scaler.is_none() => continue,
                None => return Err("whether pods have restarted is not known".to_string()),
            };
            restarted
                .extend(of_region.iter().filter(|(_, at_ms)| *at_ms > since_ms).map(|(pod, _)| pod.clone()));
        }
        are_healthy(it, &self.ready(), &restarted)
    }
}
