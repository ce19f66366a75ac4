//! Ahead of the schedule: works off the timelines of reservations, so that pods are there before people come.
//!
//! A look has four parts. What the cluster has is read. In a change of the store it is decided what is to be set, and remembered
//! what is about to be. That is set, outside of the change, as a cluster may be slow. And in a second change it is recorded what became
//! of each step. Killed anywhere, the next look sets the same number again, which changes nothing, and records what is not recorded yet.

mod cluster;
mod kept;
mod outcome;
pub mod view;

use super::problem::Problem;
use super::terms::{PODS, Terms};
use super::{SWEEP_EACH, Service, new_id, now_ms};
use cluster::{Clusters, Order, Sight};
use kept::{AHEAD, Kept};
use outcome::{Acted, Looked};
use plimsoll_capacity::{Change, Scaled, StepDone};
use plimsoll_core::capacity::booking::reservation::Reservation;
use plimsoll_core::capacity::booking::span::DAY_MS;
use plimsoll_core::capacity::booking::supply::Supply;
use plimsoll_core::capacity::booking::timeline::{
    LOOK_AHEAD_MS, Mark, Outcome, Recorded, Step, due, targets,
};
use std::collections::BTreeMap;
use tokio::time::{MissedTickBehavior, interval};

/// For so long after its end something of a reservation may still be due, in milliseconds.
const PAST_MS: i64 = DAY_MS;

/// The reservations of which something may be due, and what is recorded of them.
struct Near {
    all: Vec<Reservation>,
    steps: BTreeMap<String, Vec<StepDone>>,
}

impl Near {
    async fn read(change: &mut Change, now_ms: i64) -> Result<Near, Problem> {
        let (after_ms, begun_ms) = (now_ms - PAST_MS, now_ms + LOOK_AHEAD_MS);
        let all = change.near_reservations(after_ms, begun_ms).await?;
        let steps = view::by_reservation(change.near_steps(after_ms, begun_ms).await?);
        Ok(Near { all, steps })
    }

    fn of(&self, id: &str) -> &[StepDone] {
        self.steps.get(id).map_or(&[], Vec::as_slice)
    }

    fn recorded(&self, id: &str) -> Recorded {
        self.of(id).iter().map(|done| (done.step, done.outcome)).collect()
    }

    /// One of them has this step to be carried out.
    fn has_due(&self, step: Step, now_ms: i64) -> bool {
        self.all.iter().any(|it| {
            due(it, &self.recorded(&it.id), now_ms).iter().any(|due| due.step == step && due.skip.is_none())
        })
    }
}

/// What was decided: what is to be set, and by what.
struct Decided {
    terms: Terms,
    near: Near,
    orders: Vec<Order>,
}

/// Works off timelines for as long as the service runs.
pub(super) async fn keep_working(service: &Service) {
    let mut worker = Worker { service, me: new_id(), clusters: Clusters::default() };
    let mut each = interval(SWEEP_EACH);
    each.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        each.tick().await;
        // What the store says of it stands in the log already; the next time may be better.
        if let Ok(true) = worker.look(now_ms()).await {
            service.stir();
        }
    }
}

struct Worker<'a> {
    service: &'a Service,
    me: String,
    clusters: Clusters,
}

impl Worker<'_> {
    /// Looks once; whether something was told.
    async fn look(&mut self, now_ms: i64) -> Result<bool, Problem> {
        if !self.take_turn(now_ms).await? {
            return Ok(false);
        }
        let sights = self.clusters.see(&self.service.desk.capacity.regions).await;
        let Some(decided) = self.decide(&sights, now_ms).await? else { return Ok(false) };
        let mut acted = self.clusters.carry_out(&sights, &decided.orders).await;
        let restarts = match decided.near.has_due(Step::Health, now_ms) {
            true => self.clusters.restarts(&sights).await,
            false => BTreeMap::new(),
        };
        for sight in &sights {
            acted.entry(sight.name.clone()).or_insert_with(|| Acted::without_order(sight));
        }
        let looked = Looked { sights: &sights, acted: &acted, restarts: &restarts, terms: &decided.terms };
        self.record(&looked, &decided, now_ms).await
    }

    async fn take_turn(&self, now_ms: i64) -> Result<bool, Problem> {
        let mut change = self.service.desk.database.change().await?;
        let mut kept: Kept = change.kept(AHEAD).await?.unwrap_or_default();
        let before = kept.clone();
        let is_ours = kept.take_turn(&self.me, now_ms);
        if kept != before {
            change.keep(AHEAD, now_ms, &kept).await?;
            change.commit().await?;
        }
        Ok(is_ours)
    }

    /// What is to be set; `None` where it is somebody else's turn by now.
    async fn decide(&self, sights: &[Sight], now_ms: i64) -> Result<Option<Decided>, Problem> {
        let capacity = &self.service.desk.capacity;
        let mut change = self.service.desk.database.change().await?;
        let mut kept: Kept = change.kept(AHEAD).await?.unwrap_or_default();
        if !kept.is_turn_of(&self.me) {
            return Ok(None);
        }
        let before = kept.clone();
        let is_news = keep_pods(&mut change, sights, now_ms).await?;
        let terms = Terms::of(capacity, &mut change).await?;
        let near = Near::read(&mut change, now_ms).await?;
        let least = sights.iter().map(|sight| (sight.name.clone(), sight.ahead.least_pods)).collect();
        let mut orders = Vec::new();
        for target in targets(&running(&terms, sights), &near.all, &least, now_ms) {
            let Some(sight) = sights.iter().find(|sight| sight.name == target.region) else { continue };
            let order = sight.order(target.pods, |key| kept.marks.get(key).copied());
            orders.extend(order.inspect(|order| remember(&mut kept, order, order.to.mark)));
        }
        if is_news || kept != before {
            change.keep(AHEAD, now_ms, &kept).await?;
            change.commit().await?;
        }
        Ok(Some(Decided { terms, near, orders }))
    }

    /// What became of it: each step once, whoever else has been here.
    async fn record(&self, looked: &Looked<'_>, decided: &Decided, now_ms: i64) -> Result<bool, Problem> {
        let at_ms = super::now_ms();
        let mut change = self.service.desk.database.change().await?;
        let mut kept: Kept = change.kept(AHEAD).await?.unwrap_or_default();
        let before = kept.clone();
        for order in &decided.orders {
            if looked.acted.get(&order.region).is_some_and(|acted| acted.is_set) {
                kept.marks.remove(&order.key);
                remember(&mut kept, order, order.to.mark.map(Mark::sent));
            }
        }
        let mut is_told = say_of_regions(&mut change, &mut kept, looked, at_ms).await?;
        let near = Near::read(&mut change, now_ms).await?;
        // Whoever came or was changed meanwhile was not looked at: the next look does.
        let known: BTreeMap<&str, u64> =
            decided.near.all.iter().map(|it| (it.id.as_str(), it.revision)).collect();
        let is_known = |it: &&Reservation| known.get(it.id.as_str()) == Some(&it.revision);
        for it in near.all.iter().filter(is_known) {
            for due in due(it, &near.recorded(&it.id), now_ms) {
                let (outcome, detail) = match due.skip {
                    Some(why) => (Outcome::Skipped, why.to_string()),
                    None => looked.outcome(it, due.step, near.of(&it.id)),
                };
                let done = StepDone { reservation: it.id.clone(), step: due.step, at_ms, outcome, detail };
                is_told |= change.record(&done, looked.region_of(it).as_deref()).await?;
            }
        }
        if kept != before {
            change.keep(AHEAD, at_ms, &kept).await?;
        }
        if is_told || kept != before {
            change.commit().await?;
        }
        Ok(is_told)
    }
}

/// What there is with the pods that run, whether or not they are ready: one that is not for a moment is not given back for that.
fn running(terms: &Terms, sights: &[Sight]) -> Supply {
    let mut supply = terms.supply.clone();
    for region in &mut supply.regions {
        let found = sights.iter().find(|sight| sight.name == region.name).and_then(Sight::found);
        region.pods_now = found.map_or(region.pods_now, |found| found.running);
    }
    supply
}

/// Only of replicas: all else is remembered where it is set.
fn remember(kept: &mut Kept, order: &Order, mark: Option<Mark>) {
    if let Some(mark) = mark.filter(|_| order.is_remembered_here) {
        kept.marks.insert(order.key.clone(), mark);
    }
}

/// Pods that are ready, as status and decisions go by them from now on; whether there are others than before. Those of a cluster that
/// does not answer are as they were.
async fn keep_pods(change: &mut Change, sights: &[Sight], now_ms: i64) -> Result<bool, Problem> {
    let before: BTreeMap<String, u32> = change.kept(PODS).await?.unwrap_or_default();
    let mut pods = before.clone();
    for sight in sights {
        if let Some(found) = sight.found() {
            pods.insert(sight.name.clone(), found.ready);
        }
    }
    if pods == before {
        return Ok(false);
    }
    change.keep(PODS, now_ms, &pods).await?;
    Ok(true)
}

/// Tells what was set, and once what could not be; whether there was something.
async fn say_of_regions(
    change: &mut Change,
    kept: &mut Kept,
    looked: &Looked<'_>,
    at_ms: i64,
) -> Result<bool, Problem> {
    let mut is_told = false;
    for (region, acted) in looked.acted {
        let now = (acted.outcome, acted.detail.clone());
        if !acted.is_news || kept.said.get(region) == Some(&now) {
            if !acted.is_news {
                kept.said.remove(region);
            }
            continue;
        }
        if acted.outcome == Outcome::Failed {
            eprintln!("{}\n{}", acted.detail, acted.next);
        }
        let scaled = Scaled {
            at_ms,
            region: Some(region.clone()),
            step: None,
            outcome: acted.outcome,
            detail: acted.detail.clone(),
        };
        change.scaled(&scaled).await?;
        kept.said.insert(region.clone(), now);
        is_told = true;
    }
    Ok(is_told)
}
