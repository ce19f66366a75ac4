//! Rooms in pods: a room is whole in one pod, and stays there from the beginning of its footprint to its end.
//!
//! Who is placed is a [`Party`]: the rooms of one reservation. What is placed alike is a [`Lot`]. Where rooms are not
//! known, people are taken one by one: they may be spread as it suits.
//!
//! - [`Chart`] knows what is in which pod when, and where there is space;
//! - [`place`] puts a party beside what is there, best fit first, and where that does not do, [`repack`] tries to move
//!   those that have not begun: exactly, where few are to be moved, with a bound on the work, and by best fit decreasing
//!   where they are many;
//! - [`verify`] judges where everything is, and shares no code with the rest.
//!
//! Where each room is, is kept with its reservation. So nobody ever stops fitting because somebody else leaves.

mod chart;
mod exact;
mod place;
mod verify;

#[cfg(test)]
mod tests;

pub use chart::Chart;
pub use place::{MOST_MOVED, Moved, place, repack};
pub use verify::{Breach, verify};

use super::demand::{Loads, Need, UnknownRole};
use super::span::Span;
use super::supply::PodId;
use crate::capacity::roles::{Counts, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rooms of one reservation; what is above is as many.
pub const MOST_ROOMS: u32 = 10_000;

/// What is placed alike: rooms that are the same, or people of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Of one of them.
    pub need: Need,
    /// People in one of them.
    pub people: u64,
    /// It is a room, not somebody alone.
    pub is_room: bool,
    /// How many.
    pub copies: u64,
}

impl Lot {
    /// Rooms that so many of them are.
    pub fn rooms(&self, copies: u64) -> u64 {
        if self.is_room { copies } else { 0 }
    }
}

/// Where some of a lot are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Which, in the order of [`lots`].
    pub lot: u32,
    /// Where.
    pub pod: PodId,
    /// How many.
    pub copies: u64,
}

/// Rooms that come and go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Party {
    /// Of the reservation.
    pub id: String,
    /// When they take memory.
    pub footprint: Span,
    /// What they are.
    pub lots: Vec<Lot>,
    /// The only region they may be in.
    pub region: Option<String>,
    /// So many standard deviations above the mean are held for them, and for who is with them.
    pub z: f64,
}

impl Party {
    /// What all of it takes.
    pub fn need(&self) -> Need {
        self.lots.iter().map(|lot| lot.need.times(lot.copies)).fold(Need::NONE, Need::plus)
    }

    /// How many rooms, and people.
    pub fn rooms_and_people(&self) -> (u64, u64) {
        let sum = |of: fn(&Lot) -> u64| self.lots.iter().map(of).fold(0, u64::saturating_add);
        (sum(|lot| lot.rooms(lot.copies)), sum(|lot| lot.people.saturating_mul(lot.copies)))
    }
}

/// People as lots: in so many rooms, each role spread over them as evenly as may be; one by one where there are none.
///
/// # Errors
/// [`UnknownRole`].
pub fn lots(counts: &Counts, rooms: u32, loads: &Loads) -> Result<Vec<Lot>, UnknownRole> {
    let shapes: Vec<(Counts, u64)> = match rooms {
        0 => {
            counts.iter().filter(|(_, count)| *count > 0).map(|(role, count)| (alone(role), count)).collect()
        }
        _ => split(counts, rooms.min(MOST_ROOMS)),
    };
    let lot = |(counts, copies): &(Counts, u64)| {
        Ok(Lot { need: loads.need(counts)?, people: counts.total(), is_room: rooms > 0, copies: *copies })
    };
    shapes.iter().map(lot).collect()
}

fn alone(role: &Role) -> Counts {
    Counts::new(BTreeMap::from([(role.clone(), 1)])).unwrap_or_default()
}

/// Who is in the rooms, and how many rooms are like that. Those that are over of one role go on where those of the role
/// before ended, so that no room gets all of them.
fn split(counts: &Counts, rooms: u32) -> Vec<(Counts, u64)> {
    let rooms = u64::from(rooms);
    let mut begin = 0;
    let mut over: Vec<(&Role, u64, u64, u64)> = Vec::new();
    for (role, count) in counts.iter().filter(|(_, count)| *count > 0) {
        over.push((role, count / rooms, begin, count % rooms));
        begin = (begin + count % rooms) % rooms;
    }
    let mut alike: BTreeMap<Counts, u64> = BTreeMap::new();
    for room in 0..rooms {
        let of = |&(role, each, begin, over): &(&Role, u64, u64, u64)| {
            let has_one = (room + rooms - begin) % rooms < over;
            (role.clone(), each + u64::from(has_one))
        };
        let room: BTreeMap<Role, u64> = over.iter().map(of).filter(|(_, count)| *count > 0).collect();
        *alike.entry(Counts::new(room).unwrap_or_default()).or_default() += 1;
    }
    alike.into_iter().collect()
}
