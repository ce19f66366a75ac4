//! When supply, or what people take, has changed: who still has a place, who has one again, who lost it.
//!
//! Whether one keeps its place depends only on those before it, never on those after. First come those that are active,
//! then those that prepare, then those that are promised, in the order in which they were confirmed, then holds; and
//! last those that are degraded, in the order in which they were confirmed. So the latest gives way first, and nobody
//! loses a place because somebody gets one back. A smaller one keeps its place where a larger one before it has none:
//! that would not help the larger one.

use super::board::{Held, party};
use crate::capacity::booking::demand::{Loads, UnknownRole};
use crate::capacity::booking::reservation::{Event, Reservation, State};
use crate::capacity::booking::rooms::{Chart, Party, Placed, place, repack};
use crate::capacity::booking::supply::Supply;

/// What becomes of one reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub id: String,
    /// What.
    pub verdict: Verdict,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is where it was.
    Kept,
    /// Its rooms are here now. Of one that is active, what was lost starts anew.
    Moved(Vec<Placed>),
    /// It is degraded, and has this place again.
    Restored(Vec<Placed>),
    /// It has no place: this happens to it, [`Event::Degrade`], or [`Event::Expire`] to a hold.
    Lost(Event),
    /// It is degraded, and stays so.
    StillDegraded,
}

/// Goes through all that hold capacity, and those that are degraded; all others are left out. In the order of the rule.
///
/// # Errors
/// [`UnknownRole`].
pub fn settle<'a>(
    supply: &Supply,
    loads: &Loads,
    reservations: impl IntoIterator<Item = &'a Reservation>,
    now_ms: i64,
) -> Result<Vec<Settled>, UnknownRole> {
    let meant = |it: &&Reservation| it.is_holding(now_ms) || it.state == State::Degraded;
    let mut line: Vec<&Reservation> = reservations.into_iter().filter(meant).collect();
    line.sort_by_key(|it| (rank(it.state), it.confirmed_ms.unwrap_or(it.created_ms), it.id.clone()));
    let mut chart = Chart::new(supply);
    let mut held: Vec<Option<Held>> = Vec::new();
    for it in &line {
        let placed = match party(it, loads, now_ms)? {
            Some(party) => find(&mut chart, party, it, &mut held),
            None => None,
        };
        held.push(placed);
    }
    let settled = |(it, held): (&&Reservation, Option<Held>)| Settled {
        id: it.id.clone(),
        verdict: verdict(it, held, now_ms),
    };
    Ok(line.iter().zip(held).map(settled).collect())
}

fn rank(state: State) -> u8 {
    match state {
        State::Active => 0,
        State::Preparing => 1,
        State::Confirmed => 2,
        State::Requested => 3,
        _ => 4,
    }
}

/// Where it was, or somewhere else, or where others that have not begun were.
fn find(chart: &mut Chart, party: Party, it: &Reservation, held: &mut [Option<Held>]) -> Option<Held> {
    let is_movable = it.is_movable();
    if chart.put_back(&party, &it.placement) {
        return Some(Held { party, placement: it.placement.clone(), is_movable });
    }
    if let Some(placement) = place(chart, &party) {
        return Some(Held { party, placement, is_movable });
    }
    let movable = held.iter().flatten().filter(|held| held.is_movable);
    let movable: Vec<(&Party, &[Placed])> = movable.map(|it| (&it.party, &it.placement[..])).collect();
    let (placement, moved) = repack(chart, &party, &movable)?;
    for moved in moved {
        if let Some(other) = held.iter_mut().flatten().find(|held| held.party.id == moved.id) {
            chart.remove(&other.party, &other.placement);
            other.placement = moved.placement;
            chart.put_all(&other.party, &other.placement);
        }
    }
    chart.put_all(&party, &placement);
    Some(Held { party, placement, is_movable })
}

fn verdict(it: &Reservation, held: Option<Held>, now_ms: i64) -> Verdict {
    let is_degraded = it.state == State::Degraded;
    match held {
        Some(held) if is_degraded => Verdict::Restored(held.placement),
        Some(held) if held.placement == it.placement => Verdict::Kept,
        Some(held) => Verdict::Moved(held.placement),
        None if is_degraded => Verdict::StillDegraded,
        // Nothing of it is left to lose.
        None if it.footprint().since(now_ms).is_none() => Verdict::Kept,
        None if it.state == State::Requested => Verdict::Lost(Event::Expire),
        None => Verdict::Lost(Event::Degrade),
    }
}
