//! The two copies of a plan's journal: the cluster's, by which it is carried out, and this machine's, for the day on which the
//! cluster has lost its own.

use super::{look, namespace_of};
use crate::commands::CommandError;
use crate::commands::cluster::ClusterArgs;
use crate::commands::store::StoreArgs;
use crate::store::plans::{Kept, Plans};
use kube::Client;
use plimsoll_cluster::access::Address;
use plimsoll_cluster::journal::{self, Journal as Stored, Text};
use plimsoll_core::plan::Plan;
use plimsoll_core::rollout::{Journal, Phase, SCHEMA};
use std::collections::BTreeMap;

/// Where both are.
pub(in crate::commands) struct Copies {
    client: Client,
    address: Address,
    plans: Plans,
    /// As this machine was to keep it last.
    kept: Option<Journal>,
    said: Vec<String>,
}

/// What there is of a plan.
pub(super) struct Found {
    /// The place for it in the cluster.
    pub stored: Stored,
    /// How far it is, if it was begun.
    pub journal: Option<Journal>,
    /// What is wrong with the cluster's copy, where there is no other.
    damage: Option<String>,
}

/// A plan that was begun, and who knows of it.
pub(in crate::commands) struct Known {
    /// How far it is.
    pub journal: Journal,
    /// The cluster.
    pub is_in_cluster: bool,
    /// This machine.
    pub is_here: bool,
    /// Where the cluster is.
    pub server: String,
}

impl Copies {
    /// Of the plans of a cluster.
    pub async fn of(cluster: &ClusterArgs, store: &StoreArgs) -> Result<Copies, CommandError> {
        Ok(Copies {
            client: cluster.client().await?,
            address: cluster.address().await?,
            plans: Plans::of(&store.folder()),
            kept: None,
            said: Vec::new(),
        })
    }

    /// The way to the cluster.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What there is of a plan: the cluster's copy, or this machine's where that is lost or has not come as far.
    pub(super) async fn find(&mut self, id: &str) -> Result<Found, CommandError> {
        let (mut stored, theirs) = match Stored::open(&self.client, id).await? {
            Some((stored, text)) => (stored, Some(parse(&text))),
            None => (Stored::new(&self.client, id), None),
        };
        if let Some(Err(Unread::Newer(schema))) = theirs {
            return Err(CommandError::NewerPlan { id: id.into(), schema });
        }
        let (ours, note) = self.plans.get(id);
        note.iter().for_each(|note| self.say(note));
        let revision = matches!(theirs, Some(Ok(_))).then(|| stored.revision());
        if let Some(kept) = ours.as_ref().filter(|kept| is_ahead(kept.revision, revision)) {
            if kept.address != self.address && theirs.is_none() {
                let at = format!("; it was carried out at {}", kept.address.server);
                self.expect_any_of(&kept.journal.plan, &at).await?;
            }
            let why = match &theirs {
                None => "has lost it".to_string(),
                Some(Err(error)) => format!("has a copy that is not understood ({error})"),
                Some(Ok(_)) => "has an older copy".to_string(),
            };
            self.say(&format!(
                "plan {id}: the cluster {why}; this machine's is taken, and stored there again"
            ));
            stored.follow(kept.revision);
            return Ok(Found { stored, journal: Some(kept.journal.clone()), damage: None });
        }
        Ok(match theirs {
            None => Found { stored, journal: None, damage: None },
            Some(Err(error)) => Found { stored, journal: None, damage: Some(error.to_string()) },
            Some(Ok(journal)) => {
                if ours.is_some_and(|kept| journal.differs_in_weight(&kept.journal)) {
                    self.say(&format!(
                        "plan {id}: the cluster's copy is taken, which is newer than this machine's"
                    ));
                }
                Found { stored, journal: Some(journal), damage: None }
            }
        })
    }

    /// All plans that were begun in this cluster, as far as it or this machine knows.
    pub async fn all(&mut self) -> Result<Vec<Known>, CommandError> {
        let theirs = journal::all(&self.client).await?;
        let (ours, notes) = self.plans.all();
        notes.iter().for_each(|note| self.say(note));
        let mut ours: BTreeMap<String, Kept> =
            ours.into_iter().map(|kept| (kept.journal.plan.id.clone(), kept)).collect();
        let mut all = Vec::new();
        for Text { id, revision, text } in theirs {
            let (kept, read) = (ours.remove(&id), parse(&text));
            let revision = read.is_ok().then_some(revision);
            let (is_here, is_in_cluster) = (kept.is_some(), read.is_ok());
            let journal = match (kept, read) {
                (Some(kept), _) if is_ahead(kept.revision, revision) => kept.journal,
                (_, Ok(journal)) => journal,
                (_, Err(error)) => {
                    self.say(&format!(
                        "plan {id}: the cluster's copy is not understood ({error}), passed over"
                    ));
                    continue;
                }
            };
            all.push(Known { journal, is_in_cluster, is_here, server: self.address.server.clone() });
        }
        all.extend(ours.into_values().filter(|kept| kept.address == self.address).map(here_only));
        Ok(all)
    }

    /// Has this machine keep a copy, where anything of weight has changed since it last did. What it cannot keep it says once:
    /// the cluster has it.
    pub fn keep(&mut self, journal: &Journal, revision: u64) {
        if self.kept.as_ref().is_some_and(|kept| !journal.differs_in_weight(kept)) {
            return;
        }
        self.kept = Some(journal.clone());
        match self.plans.keep(&self.address, revision, journal) {
            Ok(note) => note.iter().for_each(|note| self.say(note)),
            Err((path, error)) => self.say(&format!(
                "{}: {error}: only the cluster knows how far plan {} is\ncheck --store and its rights",
                path.display(),
                journal.plan.id
            )),
        }
    }

    /// An error where this cluster has nothing that a plan changes: it is another one. `at` says where that is, if it is known.
    pub async fn expect_any_of(&self, plan: &Plan, at: &str) -> Result<(), CommandError> {
        let seen = look(&self.client, namespace_of(plan), |_| false).await?;
        let is_there = plan.changes.iter().any(|change| {
            seen.workloads.get(&change.workload).is_some_and(|workload| workload.uid == change.uid)
        });
        if is_there {
            return Ok(());
        }
        Err(CommandError::NotHere { id: plan.id.clone(), at: at.into() })
    }

    /// Says something that somebody should know, once.
    pub fn say(&mut self, note: &str) {
        if !self.said.iter().any(|said| said == note) {
            eprintln!("plimsoll: {note}");
            self.said.push(note.to_string());
        }
    }
}

impl Found {
    /// How far it is, if it was begun; an error where nobody can tell.
    pub fn begun(&self) -> Result<Option<&Journal>, CommandError> {
        match &self.damage {
            Some(why) => Err(CommandError::Damaged { id: self.stored.id().into(), why: why.clone() }),
            None => Ok(self.journal.as_ref()),
        }
    }
}

/// All that this machine knows, of any cluster, and notes.
pub(in crate::commands) fn all_here(store: &StoreArgs) -> (Vec<Known>, Vec<String>) {
    let (kept, notes) = Plans::of(&store.folder()).all();
    (kept.into_iter().map(here_only).collect(), notes)
}

fn here_only(kept: Kept) -> Known {
    Known { journal: kept.journal, is_in_cluster: false, is_here: true, server: kept.address.server }
}

/// This machine's copy is taken: the cluster's is lost, or was written fewer times.
fn is_ahead(ours: u64, cluster: Option<u64>) -> bool {
    cluster.is_none_or(|cluster| ours > cluster)
}

/// Why a text is no journal.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("its schema is {0}")]
    Newer(String),
    #[error("{0}")]
    Damaged(String),
}

fn parse(text: &str) -> Result<Journal, Unread> {
    let damaged = |error: serde_json::Error| match text {
        "" => Unread::Damaged("it is empty".into()),
        _ => Unread::Damaged(error.to_string()),
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
    match value["schema"].as_str() {
        Some(schema) if schema != SCHEMA => Err(Unread::Newer(schema.into())),
        _ => serde_json::from_value(value).map_err(damaged),
    }
}

/// The plan that was applied last, by its id.
pub(in crate::commands) fn latest_applied(all: &[Text]) -> Option<String> {
    let known = all.iter().filter_map(|text| parse(&text.text).ok());
    let applied = known.filter(|journal| matches!(journal.phase, Phase::Applied { .. }));
    applied.max_by_key(|journal| journal.last_ms).map(|journal| journal.plan.id)
}

/// The plan that was at work last, and is not taken back.
pub(super) fn latest(all: &[Known]) -> Result<String, CommandError> {
    let open = all.iter().filter(|known| !matches!(known.journal.phase, Phase::RolledBack { .. }));
    let last = open.max_by_key(|known| known.journal.last_ms);
    last.map(|known| known.journal.plan.id.clone())
        .ok_or_else(|| CommandError::NoSuchPlan("any that is not taken back".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_right_unless_it_lost_something() {
        let check = |ours, cluster, expect| assert_eq!(is_ahead(ours, cluster), expect, "{ours} {cluster:?}");
        check(0, None, true);
        check(7, None, true);
        check(7, Some(7), false);
        check(7, Some(8), false);
        check(8, Some(7), true);
        // Written by a plimsoll that did not count.
        check(1, Some(0), true);
    }

    #[test]
    fn what_is_newer_is_not_taken_for_damaged() {
        let check = |text: &str, expect: &str| assert_eq!(parse(text).unwrap_err().to_string(), expect);
        check("", "it is empty");
        check("{", "EOF while parsing an object at line 1 column 1");
        check(r#"{"schema": "plimsoll.rollout/2"}"#, "its schema is plimsoll.rollout/2");
        check(r#"{"schema": "plimsoll.rollout/1"}"#, "missing field `plan`");
    }
}
