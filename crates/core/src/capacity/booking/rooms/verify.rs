//! The judge of where rooms are. It knows nothing of how they were placed, and shares no code with it: it looks at every
//! pod at every moment at which anything begins or ends.

use super::{Party, Placed};
use crate::capacity::booking::demand::Need;
use crate::capacity::booking::supply::{PodId, Supply};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A party is placed in a pod that is not there, or in another region.
    #[error("{id} is placed in pod {pod:?}, where it cannot be")]
    NoSuchPod {
        /// Of the reservation.
        id: String,
        /// Which.
        pod: PodId,
    },
    /// Not all of a party, or more than it, is placed.
    #[error("of lot {lot} of {id}, {placed} are placed")]
    NotWhole {
        /// Of the reservation.
        id: String,
        /// Which.
        lot: usize,
        /// How many.
        placed: u64,
    },
    /// More is in a pod than fits.
    #[error("pod {pod:?} holds too much at {at_ms}")]
    TooMuch {
        /// Which.
        pod: PodId,
        /// When.
        at_ms: i64,
    },
}

/// All that is wrong with where these parties are.
pub fn verify(supply: &Supply, parties: &[(&Party, &[Placed])]) -> Vec<Breach> {
    let there: BTreeSet<PodId> = supply.pods().into_iter().map(|(id, _)| id).collect();
    let mut breaches = Vec::new();
    let mut by_pod: BTreeMap<&PodId, Vec<(&Party, &Placed)>> = BTreeMap::new();
    for (party, placement) in parties {
        let mut counted = vec![0u64; party.lots.len()];
        for placed in *placement {
            let is_there = there.contains(&placed.pod);
            if !is_there || party.region.as_ref().is_some_and(|only| *only != placed.pod.region) {
                breaches.push(Breach::NoSuchPod { id: party.id.clone(), pod: placed.pod.clone() });
            }
            match counted.get_mut(placed.lot as usize) {
                Some(count) => *count = count.saturating_add(placed.copies),
                None => {
                    let (lot, placed) = (placed.lot as usize, placed.copies);
                    breaches.push(Breach::NotWhole { id: party.id.clone(), lot, placed });
                    continue;
                }
            }
            by_pod.entry(&placed.pod).or_default().push((party, placed));
        }
        for (lot, placed) in counted.into_iter().enumerate() {
            if placed != party.lots[lot].copies {
                breaches.push(Breach::NotWhole { id: party.id.clone(), lot, placed });
            }
        }
    }
    for (pod, inside) in by_pod {
        let ends = |(party, _): &(&Party, &Placed)| [party.footprint.start_ms, party.footprint.end_ms];
        let moments: BTreeSet<i64> = inside.iter().flat_map(ends).collect();
        let wrong = moments.into_iter().find(|at_ms| !fits(supply, &inside, *at_ms));
        breaches.extend(wrong.map(|at_ms| Breach::TooMuch { pod: pod.clone(), at_ms }));
    }
    breaches
}

/// All that is in a pod at a moment is within its limit, for the one who takes the least risk.
fn fits(supply: &Supply, inside: &[(&Party, &Placed)], at_ms: i64) -> bool {
    let (mut need, mut rooms, mut people, mut z) = (Need::certain(supply.pod.base), 0, 0, 0.0f64);
    for (party, placed) in inside {
        if party.footprint.start_ms > at_ms || at_ms >= party.footprint.end_ms {
            continue;
        }
        let lot = &party.lots[placed.lot as usize];
        need = need.plus(lot.need.times(placed.copies));
        rooms += if lot.is_room { placed.copies } else { 0 };
        people += lot.people * placed.copies;
        z = z.max(party.z);
    }
    let is_empty = rooms == 0 && people == 0;
    let is_within = |most: Option<u64>, count: u64| most.unwrap_or(u64::MAX) >= count;
    is_empty
        || (need.at_z_bytes(z) <= supply.pod.limit_bytes
            && is_within(supply.pod.max_rooms, rooms)
            && is_within(supply.pod.max_participants, people))
}
