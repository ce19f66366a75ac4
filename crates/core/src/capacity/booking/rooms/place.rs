//! Finding pods for rooms.

use super::exact::{Search, search};
use super::{Chart, Lot, Party, Placed};
use crate::capacity::booking::span::Span;
use serde::Serialize;

/// Others are moved only if no more than so many have to be looked at.
pub const MOST_MOVED: usize = 64;
/// Rooms that are packed exactly, those to be moved included.
const MOST_EXACT: u64 = 12;

/// Where a party that had not begun is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Its reservation.
    pub id: String,
    /// All of it.
    pub placement: Vec<Placed>,
}

/// Puts a party beside what is there, or leaves all as it is. Large rooms go first, each to the pod where the least is left
/// free; to pods that run before those that would have to be started.
pub fn place(chart: &mut Chart, party: &Party) -> Option<Vec<Placed>> {
    let mut order: Vec<usize> = (0..party.lots.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(party.lots[*at].need.at_z_bytes(party.z)));
    let mut pods: Vec<(bool, u64, usize)> = (0..chart.len())
        .filter(|pod| chart.is_open_to(*pod, party))
        .map(|pod| (!chart.is_ready(pod), chart.free_bytes(pod, party), pod))
        .collect();
    let (mut placement, mut put) = (Vec::new(), Vec::new());
    for at in order {
        let lot = &party.lots[at];
        let mut left = lot.copies;
        pods.sort_unstable();
        for (_, free_bytes, pod) in &mut pods {
            let copies = chart.space(*pod, party, lot, left);
            if copies > 0 {
                chart.put(*pod, party, lot, copies);
                put.push(*pod);
                placement.push(Placed { lot: at as u32, pod: chart.id(*pod).clone(), copies });
                left -= copies;
                *free_bytes = chart.free_bytes(*pod, party);
            }
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            put.into_iter().rev().for_each(|pod| chart.take_back(pod, party));
            return None;
        }
    }
    Some(placement)
}

/// Where a party has a place when others are moved that may be moved, and where those are then; the chart stays as it is.
/// `movable` are those with their places, in any order. Looked at are those that share time with it, and those that share
/// time with these, and so on: all that could ever make space. Exact up to 12 rooms of them all, unless that takes more than
/// 20,000 looks into a pod.
pub fn repack(
    chart: &Chart,
    party: &Party,
    movable: &[(&Party, &[Placed])],
) -> Option<(Vec<Placed>, Vec<Moved>)> {
    let (near, span) = connected(party, movable);
    if near.len() > MOST_MOVED {
        return None;
    }
    let mut chart = chart.during(&span);
    near.iter().for_each(|(other, placement)| chart.remove(other, placement));
    let mut parties: Vec<&Party> = vec![party];
    parties.extend(near.iter().map(|(other, _)| *other));
    let rooms = parties.iter().flat_map(|it| &it.lots).map(|lot| lot.copies).fold(0, u64::saturating_add);
    let found = match rooms <= MOST_EXACT {
        true => match search(&mut chart, &parties) {
            Search::Found(found) => Some(found),
            Search::Impossible => None,
            Search::GaveUp => decreasing(&mut chart, &parties),
        },
        false => decreasing(&mut chart, &parties),
    };
    let mut placements = found?.into_iter();
    let own = placements.next()?;
    let moved = near.iter().zip(placements).filter(|((_, before), after)| before != after);
    let moved = moved.map(|((other, _), placement)| Moved { id: other.id.clone(), placement }).collect();
    Some((own, moved))
}

/// Best fit decreasing over all parties: whose largest room is largest first.
fn decreasing(chart: &mut Chart, parties: &[&Party]) -> Option<Vec<Vec<Placed>>> {
    let largest = |party: &Party| party.lots.iter().map(|lot: &Lot| lot.need.at_z_bytes(party.z)).max();
    let mut order: Vec<usize> = (0..parties.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(largest(parties[*at])));
    let mut found: Vec<Vec<Placed>> = vec![Vec::new(); parties.len()];
    for at in order {
        found[at] = place(chart, parties[at])?;
    }
    Some(found)
}

/// Those that share time with a party, directly or by others, and the time that they all take.
fn connected<'a>(
    party: &Party,
    movable: &[(&'a Party, &'a [Placed])],
) -> (Vec<(&'a Party, &'a [Placed])>, Span) {
    let mut left: Vec<(&Party, &[Placed])> = movable.to_vec();
    let mut span = party.footprint;
    let mut near = Vec::new();
    loop {
        // What is connected is one stretch of time without a gap.
        let (now, later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(it, _)| it.footprint.overlaps(&span));
        if now.is_empty() {
            return (near, span);
        }
        span = now.iter().fold(span, |span, (it, _)| span.hull(&it.footprint));
        near.extend(now);
        left = later;
    }
}
