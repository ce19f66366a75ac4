//! What is in which pod when.

use super::{Lot, Party, Placed};
use crate::capacity::booking::days::Days;
use crate::capacity::booking::demand::Need;
use crate::capacity::booking::span::Span;
use crate::capacity::booking::supply::{PodId, PodShape, Supply};
use std::collections::BTreeMap;

/// Pods, and what is in them over time.
#[derive(Debug, Clone)]
pub struct Chart {
    shape: PodShape,
    pods: Vec<Pod>,
    by_id: BTreeMap<PodId, usize>,
}

#[derive(Debug, Clone)]
struct Pod {
    id: PodId,
    is_ready: bool,
    pieces: Days<Piece>,
}

/// Rooms of one party in one pod.
#[derive(Debug, Clone)]
struct Piece {
    party: String,
    inside: Inside,
}

/// What is in a pod at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Inside {
    need: Need,
    rooms: u64,
    people: u64,
    z: f64,
}

impl Inside {
    const NOTHING: Inside = Inside { need: Need::NONE, rooms: 0, people: 0, z: 0.0 };

    fn of(lot: &Lot, copies: u64, z: f64) -> Inside {
        let people = lot.people.saturating_mul(copies);
        Inside { need: lot.need.times(copies), rooms: lot.rooms(copies), people, z }
    }

    /// The one who takes the least risk decides for all.
    fn plus(self, other: Inside) -> Inside {
        Inside {
            need: self.need.plus(other.need),
            rooms: self.rooms.saturating_add(other.rooms),
            people: self.people.saturating_add(other.people),
            z: self.z.max(other.z),
        }
    }
}

impl Chart {
    /// Nothing is in any pod.
    pub fn new(supply: &Supply) -> Chart {
        let pod = |(id, is_ready)| Pod { id, is_ready, pieces: Days::new() };
        let pods: Vec<Pod> = supply.pods().into_iter().map(pod).collect();
        let by_id = pods.iter().enumerate().map(|(at, pod)| (pod.id.clone(), at)).collect();
        Chart { shape: supply.pod.clone(), pods, by_id }
    }

    /// How many pods there are; they go by their place from 0.
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// Which it is.
    pub fn id(&self, pod: usize) -> &PodId {
        &self.pods[pod].id
    }

    /// It runs already.
    pub fn is_ready(&self, pod: usize) -> bool {
        self.pods[pod].is_ready
    }

    /// Where a pod is, if it is there.
    pub fn find(&self, id: &PodId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The party may be in this pod.
    pub fn is_open_to(&self, pod: usize, party: &Party) -> bool {
        party.region.as_ref().is_none_or(|region| self.pods[pod].id.region == *region)
    }

    /// Puts so many of a party's lot into a pod, whether they fit or not.
    pub fn put(&mut self, pod: usize, party: &Party, lot: &Lot, copies: u64) {
        let inside = Inside::of(lot, copies, party.z);
        self.pods[pod].pieces.push(party.footprint, Piece { party: party.id.clone(), inside });
    }

    /// Takes back what was put last into a pod, which was of this party.
    pub fn take_back(&mut self, pod: usize, party: &Party) {
        self.pods[pod].pieces.pop(&party.footprint);
    }

    /// Puts all of a party where it is said to be, whether it fits or not; what is nowhere known is left out.
    pub fn put_all(&mut self, party: &Party, placement: &[Placed]) {
        for placed in placement {
            if let (Some(pod), Some(lot)) = (self.find(&placed.pod), party.lots.get(placed.lot as usize)) {
                self.put(pod, party, lot, placed.copies);
            }
        }
    }

    /// Removes a party from where it was put.
    pub fn remove(&mut self, party: &Party, placement: &[Placed]) {
        for placed in placement {
            if let Some(pod) = self.find(&placed.pod) {
                self.pods[pod].pieces.remove(&party.footprint, |piece| piece.party == party.id);
            }
        }
    }

    /// The same pods, with what is in them at some moment of a span.
    pub fn during(&self, span: &Span) -> Chart {
        let pod = |pod: &Pod| {
            let mut pieces = Days::new();
            pod.pieces.overlapping(span).for_each(|(at, piece)| pieces.push(*at, piece.clone()));
            Pod { id: pod.id.clone(), is_ready: pod.is_ready, pieces }
        };
        Chart {
            shape: self.shape.clone(),
            pods: self.pods.iter().map(pod).collect(),
            by_id: self.by_id.clone(),
        }
    }

    /// So many more of a lot, up to `most`, fit into a pod for all of a party's footprint.
    pub fn space(&self, pod: usize, party: &Party, lot: &Lot, most: u64) -> u64 {
        if !self.is_open_to(pod, party) {
            return 0;
        }
        let mut fits = most;
        for inside in self.moments(pod, &party.footprint) {
            fits = self.more(inside, party, lot, fits);
            if fits == 0 {
                break;
            }
        }
        fits
    }

    /// What is free in a pod at the worst moment of a party's footprint, in bytes.
    pub fn free_bytes(&self, pod: usize, party: &Party) -> u64 {
        let base = self.shape.base_need();
        let used = |inside: Inside| base.plus(inside.need).at_z_bytes(inside.z.max(party.z));
        let most = self.moments(pod, &party.footprint).into_iter().map(used).max().unwrap_or(0);
        self.shape.limit_bytes.saturating_sub(most)
    }

    /// The greatest chance, at any moment of the span, that the pod needs more than it has.
    pub fn chance_above(&self, pod: usize, span: &Span) -> f64 {
        let of = |inside: Inside| match inside.need == Need::NONE {
            true => 0.0,
            false => self.shape.base_need().plus(inside.need).chance_above(self.shape.limit_bytes),
        };
        self.moments(pod, span).into_iter().map(of).fold(0.0, f64::max)
    }

    /// What people take who are in it at a moment.
    pub fn need_at(&self, pod: usize, at_ms: i64) -> Need {
        let moment = Span { start_ms: at_ms, end_ms: at_ms.saturating_add(1) };
        let there = self.pods[pod].pieces.overlapping(&moment).map(|(_, piece)| piece.inside.need);
        there.fold(Need::NONE, Need::plus)
    }

    /// Nothing is in it at any time.
    pub fn is_unused(&self, pod: usize) -> bool {
        self.pods[pod].pieces.is_empty()
    }

    /// Puts a party where it was before, if all of it is known there and fits.
    pub fn put_back(&mut self, party: &Party, placement: &[Placed]) -> bool {
        let mut copies = vec![0u64; party.lots.len()];
        let mut put = Vec::new();
        let mut is_all = true;
        for placed in placement {
            let (pod, at) = (self.find(&placed.pod), placed.lot as usize);
            let fits = pod.zip(party.lots.get(at)).filter(|(pod, lot)| {
                placed.copies > 0 && self.space(*pod, party, lot, placed.copies) == placed.copies
            });
            let Some((pod, lot)) = fits else {
                is_all = false;
                break;
            };
            self.put(pod, party, lot, placed.copies);
            put.push(pod);
            copies[at] = copies[at].saturating_add(placed.copies);
        }
        if is_all && copies.iter().zip(&party.lots).all(|(copies, lot)| *copies == lot.copies) {
            return true;
        }
        put.into_iter().rev().for_each(|pod| self.take_back(pod, party));
        false
    }

    /// What is in a pod when it is most within a span: at its beginning, and whenever something is added. Where something
    /// goes it is less.
    fn moments(&self, pod: usize, span: &Span) -> Vec<Inside> {
        let pieces: Vec<&(Span, Piece)> = self.pods[pod].pieces.overlapping(span).collect();
        let mut starts: Vec<i64> = pieces.iter().map(|(it, _)| it.start_ms.max(span.start_ms)).collect();
        starts.push(span.start_ms);
        starts.sort_unstable();
        starts.dedup();
        let at = |at_ms: &i64| {
            let there = pieces.iter().filter(|(it, _)| it.contains(*at_ms));
            there.fold(Inside::NOTHING, |all, (_, piece)| all.plus(piece.inside))
        };
        starts.iter().map(at).collect()
    }

    /// How many of `most` fit beside what is inside: by halves, as one more never takes less.
    fn more(&self, inside: Inside, party: &Party, lot: &Lot, most: u64) -> u64 {
        let fits = |copies: u64| {
            let all = inside.plus(Inside::of(lot, copies, party.z));
            self.shape.holds(all.need, all.rooms, all.people, all.z)
        };
        if most == 0 || !fits(1) {
            return 0;
        }
        if fits(most) {
            return most;
        }
        let (mut low, mut high) = (1, most);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle } else { high = middle }
        }
        low
    }
}
