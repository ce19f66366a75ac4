//! Terms: what there is and what people take, at the moment of a decision.
//!
//! What people take is learned, and the profile in force is kept in the store: so all replicas decide by the same one.

use super::problem::{Code, Problem};
use crate::config::{Capacity, Region as Place};
use plimsoll_capacity::{Change, Database, StoreError};
use plimsoll_core::capacity::booking::admit::{Board, Quotas};
use plimsoll_core::capacity::booking::demand::{Loads, UnknownRole};
use plimsoll_core::capacity::booking::supply::{PodShape, Region, Supply};
use plimsoll_core::capacity::formula::profile::{Profile, VERSION};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Under which name profiles are kept, the one in force last.
pub const PROFILES: &str = "profiles";

/// Under which name pods that are ready are kept, by region, where a cluster tells.
pub const PODS: &str = "pods";

/// What there is, and what people take.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// What there is.
    pub supply: Supply,
    /// What people take.
    pub loads: Loads,
    /// What owners may have.
    pub quotas: Quotas,
    /// Of the app.
    pub profile: Profile,
}

impl Terms {
    /// What the configuration says, and what was learned.
    pub fn new(capacity: &Capacity, learned: Option<Profile>) -> Terms {
        let profile = learned.unwrap_or_else(|| Profile::assumed("", &capacity.formula));
        let per_role = profile.roles.keys().map(|role| (role.clone(), profile.load(role))).collect();
        let pod = PodShape {
            limit_bytes: capacity.pod_limit_bytes,
            base: profile.base_load(profile.uptime_hours),
            max_rooms: capacity.pod_rooms,
            max_participants: capacity.pod_participants,
        };
        let region = |place: &Place| Region {
            name: place.name.clone(),
            pods_now: place.pods.0,
            pods_most: place.pods.1,
            nodes: place.nodes,
        };
        Terms {
            supply: Supply { pod, regions: capacity.regions.iter().map(region).collect() },
            loads: Loads { per_role, show_up: capacity.show_up.clone() },
            quotas: capacity.quotas.clone(),
            profile,
        }
    }

    /// As they are now.
    pub async fn read(capacity: &Capacity, database: &Database) -> Result<Terms, StoreError> {
        let profiles: Option<Vec<Profile>> = database.kept(PROFILES).await?;
        let pods = database.kept(PODS).await?;
        Ok(Terms::new(capacity, in_force(profiles)).with_pods(capacity, pods))
    }

    /// As they are for a change, in which nobody else changes them.
    pub async fn of(capacity: &Capacity, change: &mut Change) -> Result<Terms, StoreError> {
        let profiles: Option<Vec<Profile>> = change.kept(PROFILES).await?;
        let pods = change.kept(PODS).await?;
        Ok(Terms::new(capacity, in_force(profiles)).with_pods(capacity, pods))
    }

    /// Where a cluster tells how many pods are ready, that holds instead of the configuration.
    fn with_pods(mut self, capacity: &Capacity, pods: Option<BTreeMap<String, u32>>) -> Terms {
        let told = capacity.regions.iter().filter(|place| place.ahead.scaler.is_some());
        for place in told {
            let pods = pods.as_ref().and_then(|pods| pods.get(&place.name));
            let region = self.supply.regions.iter_mut().find(|region| region.name == place.name);
            if let (Some(region), Some(pods)) = (region, pods) {
                region.pods_now = *pods;
            }
        }
        self
    }

    /// On which nothing is promised yet.
    pub fn board(&self, now_ms: i64) -> Result<Board, Problem> {
        Board::new(&self.supply, &self.loads, &self.quotas, [], now_ms).map_err(unknown_role)
    }
}

/// So long terms are good enough for an answer that promises nothing.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// Terms that were read last.
#[derive(Debug, Default)]
pub struct Latest(Mutex<Option<(Instant, Arc<Terms>)>>);

impl Latest {
    /// Those that were read within a second, else those that are stored.
    pub async fn read(&self, capacity: &Capacity, database: &Database) -> Result<Arc<Terms>, StoreError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, terms)) = kept
            && read.elapsed() < GOOD_FOR
        {
            return Ok(terms);
        }
        let terms = Arc::new(Terms::read(capacity, database).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), terms.clone()));
        Ok(terms)
    }
}

/// The latest. One of a newer plimsoll is not understood, so it is as if there was none.
fn in_force(profiles: Option<Vec<Profile>>) -> Option<Profile> {
    profiles.into_iter().flatten().last().filter(|profile| profile.version == VERSION)
}

/// Nobody knows what somebody takes.
pub fn unknown_role(error: UnknownRole) -> Problem {
    Problem::new(Code::InvalidRequest, error.to_string())
}
