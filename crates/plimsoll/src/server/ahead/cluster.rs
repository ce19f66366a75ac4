//! The clusters of all regions: what they have is read, and what was decided is set there, each within a few seconds.

use super::outcome::Acted;
use crate::config::{Ahead, Region};
use futures_util::future::join_all;
use kube::Client;
use plimsoll_cluster::ClusterError;
use plimsoll_cluster::access::Access;
use plimsoll_cluster::act::{Done, Found, Scaler, Way};
use plimsoll_core::capacity::booking::timeline::{Mark, Move, moved};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

/// A cluster that takes longer is asked again at the next look.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// What has changed between being found and being set is looked at again so often.
const TRIES: u32 = 3;

/// A region as it is seen.
pub struct Sight {
    /// Its name.
    pub name: String,
    /// How it is scaled.
    pub ahead: Ahead,
    /// Pods it may be scaled to.
    pub most: u32,
    /// Pods that the configuration says it has.
    pub configured: u32,
    /// Its cluster; none where nothing scales it.
    seen: Option<Result<(Client, Found), ClusterError>>,
}

/// What is to be set in a region.
pub struct Order {
    /// Which.
    pub region: String,
    /// What is set, as it is remembered by.
    pub key: String,
    /// The service remembers what was there before.
    pub is_remembered_here: bool,
    /// Pods that are wanted.
    pub pods: u32,
    /// It may not be set to more.
    pub most: u32,
    /// Where it is to be.
    pub to: Move,
}

impl Sight {
    /// What its cluster has, where that is known.
    pub fn found(&self) -> Option<&Found> {
        self.seen.as_ref()?.as_ref().ok().map(|(_, found)| found)
    }

    /// Why that is not known.
    pub fn error(&self) -> Option<&ClusterError> {
        self.seen.as_ref()?.as_ref().err()
    }

    /// What is to be set so that there are so many pods; `remembered` has what was there before.
    pub fn order(&self, pods: u32, remembered: impl Fn(&str) -> Option<Mark>) -> Option<Order> {
        let (scaler, found) = (self.ahead.scaler.as_ref()?, self.found()?);
        let is_remembered_here = matches!(scaler.way, Way::Replicas(_)) && !self.ahead.dry_run;
        let key = format!("{} {scaler}", scaler.context.as_deref().unwrap_or("-"));
        let mark = if is_remembered_here { remembered(&key) } else { found.mark };
        let most = self.most.min(found.most);
        let to = moved(found.set, mark, scaler.for_pods(pods, found), most);
        Some(Order { region: self.name.clone(), key, is_remembered_here, pods, most, to })
    }
}

/// Clients, by context.
#[derive(Default)]
pub struct Clusters(BTreeMap<Option<String>, Client>);

impl Clusters {
    /// All regions as they are now.
    pub async fn see(&mut self, regions: &[Region]) -> Vec<Sight> {
        let mut clients = Vec::new();
        for region in regions {
            clients.push(match &region.ahead.scaler {
                Some(scaler) => Some(self.client(scaler).await),
                None => None,
            });
        }
        let look = async |(region, client): (&Region, Option<Result<Client, ClusterError>>)| {
            let seen = match (&region.ahead.scaler, client) {
                (Some(scaler), Some(Ok(client))) => {
                    let found = within(scaler, scaler.look(&client)).await;
                    Some(found.map(|found| (client, found)))
                }
                (_, Some(Err(error))) => Some(Err(error)),
                _ => None,
            };
            let (configured, most) = region.pods;
            Sight { name: region.name.clone(), ahead: region.ahead.clone(), most, configured, seen }
        };
        join_all(regions.iter().zip(clients).map(look)).await
    }

    async fn client(&mut self, scaler: &Scaler) -> Result<Client, ClusterError> {
        if let Some(client) = self.0.get(&scaler.context) {
            return Ok(client.clone());
        }
        let client = Access { kubeconfig: None, context: scaler.context.clone() }.client().await?;
        self.0.insert(scaler.context.clone(), client.clone());
        Ok(client)
    }

    /// Sets what is to be set; what came of it, by region.
    pub async fn carry_out(&self, sights: &[Sight], orders: &[Order]) -> BTreeMap<String, Acted> {
        let carry_out = async |order: &Order| {
            let sight = sights.iter().find(|sight| sight.name == order.region)?;
            let scaler = sight.ahead.scaler.as_ref()?;
            let (client, found) = sight.seen.as_ref()?.as_ref().ok()?;
            let acted = if is_so(found, order) {
                Acted::at_rest(scaler, found, order)
            } else if sight.ahead.dry_run {
                Acted::would(scaler, found, order)
            } else {
                Acted::tried(scaler, found, order, within(scaler, set(client, scaler, found, order)).await)
            };
            Some((order.region.clone(), acted))
        };
        join_all(orders.iter().map(carry_out)).await.into_iter().flatten().collect()
    }

    /// Pods that have restarted and when, by region; a region that does not answer is left out.
    pub async fn restarts(&self, sights: &[Sight]) -> BTreeMap<String, Vec<(String, i64)>> {
        let ask = async |sight: &Sight| {
            let scaler = sight.ahead.scaler.as_ref()?;
            let (client, found) = sight.seen.as_ref()?.as_ref().ok()?;
            let restarts = within(scaler, scaler.restarts(client, found)).await.ok()?;
            Some((sight.name.clone(), restarts))
        };
        join_all(sights.iter().map(ask)).await.into_iter().flatten().collect()
    }
}

/// It is where it is to be, and so is what is remembered at it.
fn is_so(found: &Found, order: &Order) -> bool {
    found.set == order.to.to && (order.is_remembered_here || found.mark == order.to.mark.map(Mark::sent))
}

/// Whether it was set; not where somebody else changes it again and again.
async fn set(client: &Client, scaler: &Scaler, found: &Found, order: &Order) -> Result<bool, ClusterError> {
    let mut found = found.clone();
    for _ in 0..TRIES {
        if scaler.set(client, &found, order.to).await? == Done::Yes {
            return Ok(true);
        }
        let again = scaler.look(client).await?;
        // Only its status is another: else it has to be decided anew.
        if (again.set, again.mark) != (found.set, found.mark) {
            return Ok(false);
        }
        found = again;
    }
    Ok(false)
}

async fn within<T>(
    scaler: &Scaler,
    work: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    let late = |_| ClusterError::Failed {
        what: scaler.to_string(),
        message: format!("no answer within {} s", ANSWER_WITHIN.as_secs()),
    };
    tokio::time::timeout(ANSWER_WITHIN, work).await.map_err(late)?
}
