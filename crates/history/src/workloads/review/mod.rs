//! A review: what containers held hour by hour, what was killed, what was requested at moments, and the price of it.
//!
//! Everything is kept by the hour or by the moment, whatever the number of samples: so it is bounded, and the same by
//! queries, which see the highest of each hour.

mod counters;
mod held;
mod moments;

use super::kills::Kills;
use super::owners::Owners;
use super::{Namespace, Question, names, used};
use crate::{HistoryError, Range, Reader, Selector};
use counters::Counters;
use held::Held;
use moments::{Mean, Moment};
use plimsoll_core::capacity::booking::price::Money;
use plimsoll_core::report::seen::{Kills as Killed, Whose};
use plimsoll_core::rightsize::answer::Id;
use plimsoll_core::rightsize::envelope::Envelope;
use plimsoll_core::sizing::HOUR_MS;
use std::collections::{BTreeSet, HashSet};

/// The agent's own measure of what cannot be reclaimed.
const NONRECLAIMABLE: &str = "plimsoll_container_memory_nonreclaimable_bytes";
/// The agent's counter of kills, which outlives pods.
const OOM_KILLS: &str = "plimsoll_oom_kills_total";
/// OpenCost's price of a GiB for an hour, by node.
const GIB_HOUR: &str = "node_ram_hourly_cost";
/// Moments of a period at which what is requested is looked at.
const MOMENTS: i64 = 7;
/// So long before each of them is read, in milliseconds: two scrapes of five minutes.
const MOMENT_MS: i64 = 10 * 60_000;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Review {
    /// What each container held that cannot be reclaimed: of its pods, the one that held most.
    pub held: Vec<(Id, Envelope)>,
    /// Kills, by the agent's counters and by the status of pods.
    pub kills: Vec<Killed>,
    /// What all that ran has requested, by time.
    pub requested: Vec<(i64, u64)>,
    /// OpenCost's price of a GiB for an hour, on average over nodes.
    pub gib_hour: Option<Money>,
    /// What could not be known, and what that means.
    pub remarks: Vec<String>,
}

/// Reads it of a range, which is two periods; `progress` is told how many namespaces are done, of how many.
///
/// # Errors
///
/// Where the source does not answer as it should.
pub fn review(
    reader: &Reader,
    question: &Question,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Review, HistoryError> {
    let namespaces = super::namespaces(reader, question)?;
    let of = |name: &String| Namespace { reader, question, name }.review();
    let parts = reader.each(&namespaces, of, &|done| progress(done, namespaces.len()))?;
    let mut found = Review::default();
    for (held, kills) in parts {
        found.held.extend(held);
        found.kills.extend(kills);
    }
    let asked: HashSet<&String> = question.namespaces.iter().collect();
    found.kills.extend(counted(reader, question.range, &asked)?);
    found.requested = requested(reader, question.range, &asked)?;
    found.gib_hour = price(reader, question.range)?;
    found.remarks = remarks(&found);
    Ok(found)
}

/// Of one namespace: what was held, and what the status of pods tells of kills.
type Part = (Vec<(Id, Envelope)>, Vec<Killed>);

fn remarks(found: &Review) -> Vec<String> {
    let mut remarks = BTreeSet::new();
    if found.held.is_empty() {
        remarks
            .insert(format!("neither {NONRECLAIMABLE} nor {} is there: what grew is not known", names::RSS));
    }
    if found.requested.is_empty() {
        remarks.insert(format!("{} is not there: what is requested is not known", names::SPEC_REQUESTS));
    }
    remarks.into_iter().collect()
}

impl Namespace<'_> {
    fn review(&self) -> Result<Part, HistoryError> {
        let owners = self.owners()?;
        let range = self.question.range;
        let mut held = Held::new(&owners, self.name, range);
        let selectors = [NONRECLAIMABLE, names::RSS].map(|metric| used(metric).equal("namespace", self.name));
        self.reader.read(&selectors, range, &mut held)?;
        let mut held = held.finish();
        if let Some(labelled) = self.labelled()? {
            let wanted: HashSet<(String, String)> =
                labelled.iter().map(|pod| owners.of(pod)).map(|owner| (owner.kind, owner.name)).collect();
            held.retain(|(id, _)| wanted.contains(&(id.kind.clone(), id.workload.clone())));
        }
        Ok((held, self.told(&owners)?))
    }

    /// Kills by the status of pods, also of such as have no limit or are gone.
    fn told(&self, owners: &Owners) -> Result<Vec<Killed>, HistoryError> {
        let reason = self.of(names::LAST_ENDED).equal("reason", "OOMKilled");
        if self.labels(reason.clone())?.is_empty() {
            return Ok(Vec::new());
        }
        let mut kills = Kills::default();
        self.reader.read(&[reason, self.of(names::RESTARTS)], self.question.range, &mut kills)?;
        let killed = kills.all().into_iter().map(|kill| {
            let owner = owners.of(&kill.pod);
            let (namespace, kind, workload) = (self.name.to_string(), owner.kind, owner.name);
            let whose = Whose::Workload { namespace, kind, workload };
            Killed { whose, container: kill.container, at_ms: kill.at_ms, count: 1, is_counted: false }
        });
        Ok(killed.collect())
    }
}

/// Kills by the agents' counters: of these namespaces, and of what is in none; of all where none is named.
fn counted(reader: &Reader, range: Range, asked: &HashSet<&String>) -> Result<Vec<Killed>, HistoryError> {
    let mut counters = Counters::new(range);
    reader.read(&[Selector::metric(OOM_KILLS)], range, &mut counters)?;
    let is_asked = |killed: &Killed| match &killed.whose {
        Whose::Workload { namespace, .. } => asked.is_empty() || asked.contains(namespace),
        Whose::Job { .. } | Whose::Container(_) => true,
    };
    Ok(counters.finish().into_iter().filter(is_asked).collect())
}

/// What all that ran has requested, in the middle of each part of the range.
fn requested(
    reader: &Reader,
    range: Range,
    asked: &HashSet<&String>,
) -> Result<Vec<(i64, u64)>, HistoryError> {
    let requests = Selector::metric(names::SPEC_REQUESTS).equal("resource", "memory").present("container");
    let step_ms = (range.to_ms - range.from_ms) / (2 * MOMENTS);
    let moments: Vec<i64> =
        (0..2 * MOMENTS).map(|index| range.from_ms + step_ms * index + step_ms / 2).collect();
    // The last is the end: what is requested now.
    let moments = moments.into_iter().chain([range.to_ms]);
    let mut found = Vec::new();
    for at_ms in moments {
        let stretch = Range { from_ms: at_ms - MOMENT_MS, to_ms: at_ms };
        let mut moment = Moment::default();
        reader.read(&[requests.clone(), used(names::WORKING_SET)], stretch, &mut moment)?;
        found.extend(moment.bytes(asked).map(|bytes| (at_ms.min(range.to_ms - 1), bytes)));
    }
    Ok(found)
}

fn price(reader: &Reader, range: Range) -> Result<Option<Money>, HistoryError> {
    let mut mean = Mean::default();
    let stretch = Range { from_ms: range.to_ms - 2 * HOUR_MS, to_ms: range.to_ms };
    reader.read(&[Selector::metric(GIB_HOUR)], stretch, &mut mean)?;
    Ok(mean.of_latest().map(|price| Money::of_nanos((price * 1e9).round() as i64)))
}
