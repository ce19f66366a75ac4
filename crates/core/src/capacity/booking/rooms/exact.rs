//! The exact search for few rooms: branch and bound over rooms, largest first, in all pods.
//!
//! Rooms that are alike go into pods in ascending order only, and of pods in one region that are unused only the first
//! is tried: both leave out nothing but the same again. The work is counted in looks into a pod, and bounded.

use super::{Chart, Party, Placed};

/// Looks into a pod before it is given up.
const MOST_LOOKS: u32 = 20_000;

/// How a search ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Search {
    /// Places for each party, in their order; all is in the chart.
    Found(Vec<Vec<Placed>>),
    /// There are none, for certain.
    Impossible,
    /// Nobody knows: it would take too long.
    GaveUp,
}

/// One room: of which party, of which of its lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    party: usize,
    lot: usize,
}

struct Walk<'a> {
    chart: &'a mut Chart,
    parties: &'a [&'a Party],
    rooms: Vec<Room>,
    pods: Vec<usize>,
    looks: u32,
}

/// Puts all parties into the chart, or none.
pub(super) fn search(chart: &mut Chart, parties: &[&Party]) -> Search {
    let mut rooms = Vec::new();
    for (party, it) in parties.iter().enumerate() {
        for (lot, of) in it.lots.iter().enumerate() {
            rooms.extend((0..of.copies).map(|_| Room { party, lot }));
        }
    }
    let bytes = |room: &Room| parties[room.party].lots[room.lot].need.at_z_bytes(parties[room.party].z);
    rooms.sort_by_key(|room| (std::cmp::Reverse(bytes(room)), room.party, room.lot));
    let mut walk = Walk { chart, parties, rooms, pods: Vec::new(), looks: 0 };
    match walk.go() {
        Some(true) => Search::Found(walk.placements()),
        Some(false) => Search::Impossible,
        None => Search::GaveUp,
    }
}

impl Walk<'_> {
    /// Places the next room and all after it; `None` when it takes too long. What was put is taken back unless all is.
    fn go(&mut self) -> Option<bool> {
        let next = self.pods.len();
        let Some(&room) = self.rooms.get(next) else { return Some(true) };
        let (party, lot) = (self.parties[room.party], &self.parties[room.party].lots[room.lot]);
        let is_alike = next > 0 && self.rooms[next - 1] == room;
        let first = if is_alike { self.pods[next - 1] } else { 0 };
        let mut unused: Vec<String> = Vec::new();
        for pod in first..self.chart.len() {
            if self.chart.is_unused(pod) {
                let region = &self.chart.id(pod).region;
                if unused.contains(region) {
                    continue;
                }
                unused.push(region.clone());
            }
            self.looks += 1;
            if self.looks > MOST_LOOKS {
                return None;
            }
            if self.chart.space(pod, party, lot, 1) == 0 {
                continue;
            }
            self.chart.put(pod, party, lot, 1);
            self.pods.push(pod);
            let end = self.go();
            if end == Some(true) {
                return end;
            }
            self.pods.pop();
            self.chart.take_back(pod, party);
            end?;
        }
        Some(false)
    }

    /// What was found, rooms that are alike in one pod together.
    fn placements(&self) -> Vec<Vec<Placed>> {
        let mut found: Vec<Vec<Placed>> = vec![Vec::new(); self.parties.len()];
        for (room, pod) in self.rooms.iter().zip(&self.pods) {
            let (placed, id) = (&mut found[room.party], self.chart.id(*pod));
            match placed.iter_mut().find(|it| it.lot == room.lot as u32 && it.pod == *id) {
                Some(same) => same.copies += 1,
                None => placed.push(Placed { lot: room.lot as u32, pod: id.clone(), copies: 1 }),
            }
        }
        found
    }
}
